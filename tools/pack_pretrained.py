"""Puts networks among those that come with pgcxr: `pgcxr/sampling/pretrained/NAME`.

    python tools/pack_pretrained.py phantom-64 RUN/generator-ema.keras RUN/discriminator.keras

Weights are rounded to half precision and compressed, so that all networks together stay small; a
gray level of an image is 16 times coarser than that. The hashes in NAME/report.json are brought up
to date; the rest of it (how the networks were made) and the model card, NAME/README.md, are written
by hand. Only networks of generated radiographs may come with pgcxr: no patient is in them.
"""

import argparse
import json
import zipfile
from pathlib import Path

import numpy as np

from pgcxr.io import artifacts
from pgcxr.networks import saved
from pgcxr.sampling import runs

# Of every file in the archive, so that the same weights are the same bytes.
MOMENT = (2020, 1, 1, 0, 0, 0)


def pack(source: Path, target: Path) -> None:
    """Writes the network in `source` to `target`, rounded and compressed.

    Raises:
        ValueError: a weight is too large for half precision.
    """
    model = saved.load(source, "is damaged")
    for variable in model.weights:
        rounded = np.asarray(variable).astype(np.float16)
        if not np.isfinite(rounded).all():
            raise ValueError(f"{source}: a weight is too large for half precision")
        variable.assign(rounded.astype(np.float32))
    model.save(target)
    with zipfile.ZipFile(target) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"]) | {"date_saved": ""}
    members["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, MOMENT)
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, compresslevel=9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="such as phantom-64")
    parser.add_argument("networks", type=Path, nargs="+", help=".keras files")
    asked = parser.parse_args()
    folder = runs.PRETRAINED / asked.name
    folder.mkdir(exist_ok=True)
    report_file = folder / "report.json"
    report = artifacts.read_json(report_file) if report_file.exists() else {"finished": True}
    for source in asked.networks:
        pack(source, folder / source.name)
        digest = artifacts.sha256(folder / source.name)
        report["sha256"] = report.get("sha256", {}) | {source.name: digest}
    artifacts.write_json(report_file, report)


if __name__ == "__main__":
    main()
