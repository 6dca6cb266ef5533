"""The folder of a screening: a folder for each image, committed as a whole, from which the tables
are made anew.

`images/ID/result.json` with the pictures beside; ID is the beginning of the sha256 of the file's
bytes, which names a file to who has it, and nobody to who has not. So a file is recognized under
any name, and what a killed process has done is not done again.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.io import artifacts, places

IMAGES, RESULT, TABLE, REPORT = "images", "result.json", "results.csv", "report.json"
COMMAND = "pgcxr screen"
ID_LENGTH = 16
SCORED, FLAGGED, REFUSED = "scored", "flagged", "refused"
ANOMALOUS, NORMAL = "anomalous", "not anomalous"
# A file that may not have been whole; forgotten once no file has this content any more.
BROKEN = ("unreadable", "no_pixels")
COLUMNS = (
    *("image", "verdict", "p_value", "score", "anomalous", "domain_distance", "flags", "notes"),
    *("peak_x", "peak_y", "files"),
)


@dataclass(frozen=True)
class Record:
    """What is known of one image.

    Attributes:
        image: its ID.
        status: SCORED, FLAGGED (scored, with reasons to doubt it) or REFUSED (never scored).
        reasons: why it was refused or flagged.
        notes: what its header does not say.
        score, p_value, anomalous, domain_distance: None where it was refused.
        peak: of the map, x and y as fractions of the padded square.
    """

    image: str
    status: str
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    score: float | None = None
    p_value: float | None = None
    anomalous: bool | None = None
    domain_distance: float | None = None
    peak: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """In the words of results.csv."""
        if self.status == REFUSED:
            return f"{REFUSED}: {'; '.join(self.reasons)}"
        return f"{FLAGGED} ({self.called})" if self.status == FLAGGED else self.called

    @property
    def called(self) -> str:
        """By its score alone."""
        return ANOMALOUS if self.anomalous else NORMAL

    def sort_key(self) -> tuple:
        """The smallest p-values first, refused ones last."""
        if self.p_value is None:
            return (1, 0.0, 0.0, "; ".join(self.reasons), self.image)
        return (0, self.p_value, -float(self.score or 0), "", self.image)


class Results:
    """The folder `out`, held for this process alone; see `opened`."""

    def __init__(self, out: Path):
        self.out = out
        self.records: dict[str, Record] = {}
        self._read()

    def _read(self) -> None:
        folder = self.out / IMAGES
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.iterdir()):
            record = None if places.is_left_over(path.name) else _record(path)
            if record is None:
                artifacts.remove(path)  # half a result of a killed process: made again
            else:
                self.records[record.image] = record

    def commit(self, record: Record, files: dict[str, bytes]) -> None:
        """Puts an image in its place with all that belongs to it, or nothing."""
        with artifacts.new_folder(self.out / IMAGES / record.image) as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            artifacts.write_json(folder / RESULT, asdict(record))
        self.records[record.image] = record

    def forget(self, image: str) -> None:
        """Takes a result away."""
        shutil.rmtree(self.out / IMAGES / image)
        del self.records[image]

    def ordered(self) -> list[Record]:
        """The smallest p-values first, refused images last."""
        return sorted(self.records.values(), key=Record.sort_key)

    def write_table(self, files: dict[str, int]) -> None:
        """Writes results.csv.

        Args:
            files: {image: how many files have this content now}.
        """
        with (
            artifacts.atomic_path(self.out / TABLE) as beside,
            open(beside, "w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            for record in self.ordered():
                writer.writerow(_row(record, files.get(record.image, 0)))


@contextmanager
def opened(out: Path, identity: dict) -> Iterator[Results]:
    """The results in `out`, new or of an earlier run with the same model and options.

    Args:
        identity: what the results depend on.

    Raises:
        InputError: something else is there, or another process writes there.
    """
    path = out / REPORT
    if path.is_file():
        made_by = artifacts.read_json(path).get("made_by")
        before = made_by.get("config") if isinstance(made_by, dict) else None
        if not isinstance(made_by, dict) or made_by.get("command") != COMMAND:
            raise InputError(f"{out}: exists and is no folder of `{COMMAND}`; name another folder")
        if before != artifacts.plain(identity):
            asked = artifacts.plain(identity)
            other = sorted(key for key in asked if (before or {}).get(key) != asked[key])
            words = ", ".join("model" if key == "model_sha256" else key for key in other)
            raise InputError(
                f"{out}: was made with another model or other options ({words}); name another "
                "folder, or screen with the same"
            )
    else:
        places.refuse_existing(out)
        out.mkdir(parents=True, exist_ok=True)
    with artifacts.held_folder(out, out):
        if not path.is_file():
            write_report(out, {}, identity)
        yield Results(out)


def write_report(out: Path, body: dict, identity: dict) -> None:
    """Writes report.json."""
    artifacts.write_report(out, body, command=COMMAND, config=identity)


def _record(folder: Path) -> Record | None:
    """What was committed in a folder; None where it is damaged."""
    try:
        body = json.loads((folder / RESULT).read_bytes())
        for name in ("reasons", "notes", "peak"):
            body[name] = None if body[name] is None else tuple(body[name])
        record = Record(**body)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return record if record.image == folder.name else None


def _row(record: Record, files: int) -> list:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.6g}"

    flags = record.reasons if record.status == FLAGGED else ()
    peak = record.peak or (None, None)
    anomalous = "" if record.anomalous is None else int(record.anomalous)
    return [
        *(record.image, record.verdict, number(record.p_value), number(record.score), anomalous),
        *(number(record.domain_distance), "; ".join(flags), "; ".join(record.notes)),
        *(number(peak[0]), number(peak[1]), files),
    ]
