"""Makes a network that comes with pgcxr of a RUN: `pgcxr/sampling/pretrained/NAME`.

    python tools/pack_pretrained.py RUN NAME --classifier BINARY --commands commands.txt

Weights are rounded to half precision, which no gray level of an image shows, and packed, so that
all of them together stay small. Only what was trained on generated radiographs may come with
pgcxr: that the RUN's cohort is a phantom's is looked up in its export, and an `--init` in its
lineage must come with pgcxr itself.
"""

import argparse
import json
import zipfile
from pathlib import Path

import keras
import numpy as np

from pgcxr.io import artifacts
from pgcxr.networks import saved
from pgcxr.sampling import runs

ABOUT = "Trained on phantom images: no patient is in them. Weights are rounded to half precision."
NETWORKS = (runs.GENERATOR, runs.DISCRIMINATOR)


def pack(source: Path, target: Path) -> str:
    """Writes a network with rounded weights, compressed; returns the file's hash."""
    model = saved.load(source, "is damaged")
    for variable in model.weights:
        rounded = np.asarray(variable).astype(np.float16)
        if not np.isfinite(rounded).all():
            raise SystemExit(f"{source}: a weight is too large for half precision")
        variable.assign(rounded.astype(np.float32))
    model.save(target)
    with zipfile.ZipFile(target) as archive:
        # Of one time, so that the same weights are the same bytes.
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"]) | {"date_saved": ""}
    members["metadata.json"] = json.dumps(metadata).encode()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            archive.writestr(
                zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED
            )
    keras.saving.load_model(target, compile=False, safe_mode=True)
    return artifacts.sha256(target)


def refuse_patients(run: Path) -> None:
    """SystemExit unless the RUN, and all that it began with, saw phantom images alone."""
    config = artifacts.read_json(run / "config.json")
    made_by = artifacts.read_json(run / config["cohort"] / "report.json")["made_by"]
    export = made_by.get("config", {}).get("export", "")
    ancestors = [entry for entry in config.get("init", []) if not entry.get("pretrained")]
    if ancestors:
        raise SystemExit(
            f"{run}: began with {ancestors[0]['name']}, which does not come with pgcxr"
        )
    print(f"cohort of {run}: {made_by.get('command')} {export}; make sure that it is a phantom's")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="RUN of train.gan")
    parser.add_argument("name", help="such as phantom-64")
    parser.add_argument("--classifier", type=Path, help="RUN of train.classifier, labels binary")
    parser.add_argument("--card", type=Path, required=True, help="model card, Markdown")
    parser.add_argument("--commands", type=Path, required=True, help="a line for each command")
    asked = parser.parse_args()
    refuse_patients(asked.run)
    report = artifacts.read_json(asked.run / "report.json")
    report["about"], report["sha256"] = ABOUT, {}
    report["commands"] = asked.commands.read_text(encoding="utf-8").splitlines()
    with artifacts.new_folder(runs.PRETRAINED / asked.name, replace=True) as folder:
        for name in NETWORKS:
            report["sha256"][name] = pack(asked.run / name, folder / name)
        if asked.classifier:
            name = "classifier.keras"
            report["sha256"][name] = pack(asked.classifier / name, folder / name)
            theirs = artifacts.read_json(asked.classifier / "report.json")
            report["classifier"] = {k: theirs[k] for k in ("architecture", "parameters", "test")}
        (folder / "README.md").write_text(asked.card.read_text(encoding="utf-8"), encoding="utf-8")
        artifacts.write_json(folder / "report.json", report)


if __name__ == "__main__":
    main()
