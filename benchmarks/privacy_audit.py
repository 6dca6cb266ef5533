"""Speed and memory of the privacy audit: gathering from DICOM headers and a table, and the pass
over outputs.

The identifiers of `--files` made-up scans (name, numbers, dates, UIDs, a file name) are looked for
in `--megabytes` of a manifest, of a TFRecord file of PNG images and of random bytes (weights), and
in the `--images` of a cohort. Nothing is to be found: `found` counts false alarms. One JSON line
per measurement.

Example: python -m benchmarks.privacy_audit --files 200000 --megabytes 64
"""

import argparse
import hashlib
import json
import resource
import struct
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--megabytes", type=int, default=16, help="of each kind of output")
    parser.add_argument("--images", type=int, default=5_000, help="PNG files of a cohort")
    parser.add_argument("--headers", type=int, default=200, help="DICOM files to gather from")
    options = parser.parse_args()

    from pgcxr.privacy.audit.matcher import Matcher

    with tempfile.TemporaryDirectory() as folder:
        _headers(Path(folder), options.headers)
        _tables(Path(folder), 100 * options.headers)
        begun = time.perf_counter()
        found = _identifiers(options.files)
        made = time.perf_counter()
        look_for = Matcher(found, own_numbers=options.files)
        _say(
            "matcher",
            identifiers=len(look_for),
            seconds=time.perf_counter() - made,
            made_in=made - begun,
        )
        for name, write in (
            ("manifest.csv", _manifest),
            ("images.tfrecord", _records),
            ("weights.h5", _weights),
        ):
            path = Path(folder) / name
            write(path, options.megabytes << 20)
            seconds, alarms = _searched(look_for, path)
            size = path.stat().st_size / 2**20
            _say(
                name,
                megabytes=size,
                seconds=seconds,
                megabytes_per_second=size / seconds,
                found=alarms,
            )
        _images(Path(folder) / "images", options.images)
        seconds, alarms = _searched(look_for, Path(folder) / "images")
        _say(
            "images",
            files=options.images,
            seconds=seconds,
            files_per_second=options.images / seconds,
            found=alarms,
        )


def _searched(look_for, path: Path) -> tuple[float, int]:
    from pgcxr.privacy.audit.search import Search, listed

    begun = time.perf_counter()
    alarms = len(list(Search(look_for).findings(listed([path]))))
    return time.perf_counter() - begun, alarms


def _say(what: str, **numbers) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rounded = {name: round(number, 3) for name, number in numbers.items()}
    print(json.dumps({"what": what, **rounded, "peak_mib": round(peak)}), flush=True)


def _headers(folder: Path, count: int) -> None:
    from pgcxr.phantom.export import PhantomOptions, write_export
    from pgcxr.privacy.audit import gather

    options = PhantomOptions(patients=max(count * 4 // 5, 1), seed=1, size=64, workers=1)
    write_export(folder / "export", options)
    names = gather.names(folder / "export")
    gather.of_file(folder / "export", names[0])
    begun = time.perf_counter()
    for name in names:
        gather.of_file(folder / "export", name)
    seconds = time.perf_counter() - begun
    _say("gather", files=len(names), seconds=seconds, files_per_second=len(names) / seconds)


def _tables(folder: Path, count: int) -> None:
    """A table of studies with reports of two lines."""
    from pgcxr.privacy.audit import tables

    said = (
        "the heart is of normal size; the lungs are clear and there is no effusion or pneumothorax "
        "to be seen"
    )
    words = said.split()
    rows = [
        f'A{n:09d},{n:08d},J90,"{" ".join(words[n % 9 :])}\nno {" ".join(words[: n % 7])}"'
        for n in range(count)
    ]
    path = folder / "studies.csv"
    path.write_text("\n".join(["accession_number,patient_id,diagnosis_codes,report", *rows]) + "\n")
    begun = time.perf_counter()
    tables.of_table(path)
    seconds = time.perf_counter() - begun
    _say(
        "table",
        rows=count,
        seconds=seconds,
        megabytes_per_second=path.stat().st_size / 2**20 / seconds,
    )


def _identifiers(files: int) -> set:
    import numpy as np

    from pgcxr.privacy.audit import identifiers

    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    found = set()
    for number in range(files):
        family, given = ("".join(rng.choice(letters, 7)) for _ in range(2))
        found |= identifiers.of_name(f"{family}^{given}")
        found |= identifiers.of_number(f"{rng.integers(10**7, 10**8)}") | identifiers.of_number(
            f"A{number:09d}"
        )
        found |= identifiers.of_date(
            f"{rng.integers(1930, 2020)}{rng.integers(1, 13):02d}{rng.integers(1, 29):02d}"
        )
        for _ in range(3):
            found |= identifiers.of_uid(
                f"1.2.840.113619.2.5.{rng.integers(10**9)}.{rng.integers(10**9)}.{number}"
            )
        found |= identifiers.of_path(f"{number % 97}/IM{number:08d}.dcm")
    return found


def _manifest(path: Path, size: int) -> None:
    import numpy as np

    rng = np.random.default_rng(1)
    rows, written = (
        ["image_id,patient_id,label,nodule,age,sex,view,manufacturer,split,png,sha256,score"],
        0,
    )
    while written < size:
        patient, sha = rng.bytes(8).hex(), hashlib.sha256(rng.bytes(8)).hexdigest()
        number = len(rows) - 1
        row = f"{number:06d},{patient},normal,0,{rng.integers(19, 90)},F,PA,GE,train"
        rows.append(f"{row},images/{number:06d}.png,{sha},{rng.random()}")
        written += len(rows[-1]) + 1
    path.write_text("\n".join(rows) + "\n")


def _records(path: Path, size: int) -> None:
    import cv2
    import numpy as np

    from pgcxr.cohort.tfrecord import masked_crc32c

    rng = np.random.default_rng(2)
    with open(path, "wb") as file:
        while file.tell() < size:
            png = cv2.imencode(".png", rng.integers(0, 256, (64, 64), np.uint8))[1].tobytes()
            data = b"\x0a" + _varint(len(png)) + png
            for part in (struct.pack("<Q", len(data)), data):
                file.write(part + masked_crc32c(np.frombuffer(part, np.uint8)[None]).tobytes())


def _images(folder: Path, count: int) -> None:
    import cv2
    import numpy as np

    folder.mkdir()
    png = cv2.imencode(".png", np.random.default_rng(4).integers(0, 256, (64, 64), np.uint8))[
        1
    ].tobytes()
    for number in range(count):
        (folder / f"{number:06d}.png").write_bytes(png)


def _varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80, number >> 7]) if number > 127 else bytes([number])


def _weights(path: Path, size: int) -> None:
    import numpy as np

    path.write_bytes(b"\x89HDF\r\n\x1a\n" + np.random.default_rng(3).bytes(size))


if __name__ == "__main__":
    main()
