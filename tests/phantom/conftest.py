"""One small messy export, made once."""

import csv
import json
from pathlib import Path

import pytest

from pgcxr.phantom.export import PhantomOptions, write_export

PATIENTS, SEED, SIZE = 36, 5, 64


@pytest.fixture(scope="session")
def export(tmp_path_factory) -> Path:
    """A messy export of PATIENTS patients, written by one process."""
    folder = tmp_path_factory.mktemp("phantom") / "export"
    write_export(
        folder, PhantomOptions(patients=PATIENTS, seed=SEED, size=SIZE, messy=True, workers=1)
    )
    return folder


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def studies(export) -> list[dict[str, str]]:
    return table(export / "studies.csv")


@pytest.fixture(scope="session")
def truth(export) -> list[dict[str, str]]:
    return table(export / "truth" / "truth.csv")


@pytest.fixture(scope="session")
def disorder(export) -> dict[str, str]:
    """{file or accession number: kind of disorder}."""
    return {row["item"]: row["kind"] for row in table(export / "truth" / "messy.csv")}


@pytest.fixture(scope="session")
def report(export) -> dict:
    return json.loads((export / "report.json").read_text())
