"""Makes the pictures of docs/tour.md, of phantoms alone: `python docs/make_pictures.py`.

About two minutes on two cores; the picture of the reading page needs Chromium and is left as it is
where there is none.
"""

import csv
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

import pgcxr
from pgcxr.cohort.findings import FINDINGS

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
SIDE, GAP = 150, 4
EXPORT = pgcxr.PhantomOptions(patients=400, seed=1, size=256)
GENERATOR = ROOT / "pgcxr" / "sampling" / "pretrained" / "phantom-64"


def phantoms(export: Path) -> np.ndarray:
    """A normal image and one of each finding, side by side."""
    with open(export / "truth" / "truth.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["view"] == "PA"]
    shown = []
    for name in ("", *FINDINGS):
        row = next(row for row in rows if row["findings"].split(":")[0] == name)
        image = pgcxr.decode(export / row["file"])
        shown += [cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)]
        shown += [np.full((SIDE, GAP), 255, np.uint8)]
    return np.hstack(shown[:-1])


def reading_page(cohort: Path, folder: Path) -> None:
    """A case of a reader study as a radiologist sees it."""
    from tests.evaluate.chromium import PROGRAM, Chromium

    if PROGRAM is None:
        return
    readers = [sys.executable, "-u", "-m", "evaluate.readers"]
    study, cohort = str(folder / "turing"), str(cohort)
    options = ["--cohort", cohort, "--cases", "20", "--training", "4", "--out", study]
    subprocess.run([*readers, "make", "turing", str(GENERATOR), *options], check=True)
    command = [*readers, "serve", study, "--reader", "r1", "--port", "8123"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(server.stdout.readline, "")
        link = next(filter(None, (re.search(r"http://\S+", line) for line in lines)))
        with Chromium(folder / "profile") as browser:
            page = browser.page(link[0])
            page.until("document.body.dataset.shown === 'card'")
            page.press("Enter")
            page.at(0)
            page.screenshot(folder / "reader.png")
    finally:
        server.terminate()
        server.wait()
    seen = cv2.imread(str(folder / "reader.png"))
    height, width = seen.shape[0] * 800 // seen.shape[1], 800
    save("reader.png", cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA))


def save(name: str, image: np.ndarray) -> None:
    cv2.imwrite(str(PICTURES / name), image, [cv2.IMWRITE_PNG_COMPRESSION, 9])


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        export, cohort = Path(folder) / "export", Path(folder) / "cohort"
        pgcxr.write_phantom(export, EXPORT)
        save("phantom.png", phantoms(export))
        pgcxr.curate(export, cohort, pgcxr.CurationOptions(size=64))
        (PICTURES / "flowchart.svg").write_bytes((cohort / "flowchart.svg").read_bytes())
        reading_page(cohort, Path(folder))


if __name__ == "__main__":
    main()
