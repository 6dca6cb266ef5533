"""Exports that mean harm: every file one row or one image, within its limits, and the run ends
well.

PGCXR_FUZZED=2000 makes as many damaged files (some minutes); by default there are few.
"""

import csv
import json
import os
import time
from collections import Counter

import pytest

from pgcxr.curation import rules
from pgcxr.io import trees
from pgcxr.io.worker_process import Limits
from pgcxr.privacy.audit.auditing import in_processes
from tests.curation import hostile
from tests.curation.curating import curate

LIMITS = Limits(memory=2 << 30, cpu=5, most_cpu=5, wall=60)
# Bytes that a bomb unpacks to, more than are ever unpacked.
BOMB = 1 << 29


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def curated(tmp_path, monkeypatch):
    """curated(contents): {file name: rule, or "" for an image} of an export of these files and a
    few good ones."""

    def go(contents: dict[str, bytes], **options) -> dict[str, str]:
        folder = tmp_path / "export"
        folder.mkdir(exist_ok=True)
        for index in range(4):
            contents[f"zz_good{index}"] = hostile.dicom(90_000 + index)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        with open(folder / "studies.csv", "w", newline="") as file:
            writer = csv.writer(file)
            # Many crafted files have one number, and some another patient.
            writer.writerow(["accession_number", "patient_id", "diagnosis_codes", "report"])
            writer.writerows(
                [f"ACC{index:05d}", f"PID{index:05d}", ("Z00.0", "J90")[index % 2], text]
                for indices, text in ((range(len(contents)), "Clear."), (range(90_000, 90_004), ""))
                for index in indices
            )
            writer.writerow(["../../../../etc/passwd", "", "Z00.0", "\0" * 10])
        changed = tmp_path / "rules.toml"
        # Most of the crafted files have the same pixels.
        changed.write_text("[duplicate]\nenabled = false\n")
        out, trace = tmp_path / "cohort", tmp_path / "trace.csv"
        of_audit = []
        monkeypatch.setattr(
            "pgcxr.privacy.audit.auditing.in_processes",
            lambda *words, limits: of_audit.append(limits) or in_processes(*words, limits=limits),
        )
        options = {
            "processes": 2,
            "limits": LIMITS,
            "key_file": tmp_path / "key",
            "size": 32,
        } | options
        report = curate(
            folder, out, rules_file=changed, trace=trace, show_progress=False, **options
        )
        assert of_audit == [LIMITS] * options.get("audit", True)
        rows = table(trace)
        assert len(rows) == report["collected"] == len(trees.files(folder)) - 1
        assert (
            report["images"]
            == len(table(out / "manifest.csv"))
            == len(list((out / "images").iterdir()))
        )
        excluded = table(out / "excluded.csv")
        assert len(excluded) + report["images"] == len(rows) and {
            row["rule"] for row in excluded
        } <= set(rules.ORDER)
        assert (
            json.loads((out / "flowchart.json").read_text())["steps"][-1]["remaining"]
            == report["images"]
        )
        found = {row["path"]: row["rule"] for row in rows}
        assert not any(found[f"zz_good{index}"] for index in range(4))
        return found

    return go


def test_every_crafted_file_has_its_row(curated, tmp_path):
    made = list(hostile.crafted(BOMB))
    assert len(made) > 150
    contents = {f"{index:03d}.dcm": content for index, (_, content, _) in enumerate(made)}
    folder = tmp_path / "export"
    folder.mkdir()
    special = hostile.special(folder, tmp_path / "elsewhere")
    begun = time.monotonic()
    found = curated(contents)
    assert time.monotonic() - begun < 1200, "hung; about 20 s on two idle cores"
    wrong = {
        what: (found[f"{index:03d}.dcm"], rule)
        for index, (what, _, rule) in enumerate(made)
        if rule is not None and found[f"{index:03d}.dcm"] not in rule.split(" or ")
    }
    wrong |= {name: (found[name], rule) for name, rule in special.items() if found[name] != rule}
    assert not wrong
    assert set(found) == {*contents, *special}
    for path in (tmp_path / "cohort").rglob("*.csv"):
        assert b"passwd" not in path.read_bytes() and b"elsewhere" not in path.read_bytes()


def test_damaged_files_are_excluded_or_read(curated):
    number = int(os.environ.get("PGCXR_FUZZED", "80"))
    contents = {
        f"{index:05d}.dcm": content for index, content in enumerate(hostile.fuzzed(number, seed=1))
    }
    found = curated(contents, audit=False)
    counts = Counter(found.values())
    print(counts)
    assert len(found) == number + 4 and counts["unreadable"] > number / 20 and counts[""] > 4


def test_deep_folders_and_odd_names(curated, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    names = ["a\nb", "x" * 255, "-rf", "%s", "\u202egnp.dcm", 'a,b"c']
    handle, before = os.open(folder, os.O_RDONLY), os.open(".", os.O_RDONLY)
    try:
        os.fchdir(handle)
        for _ in range(1100):  # deeper than Python's stack, longer than the system takes at once
            os.mkdir("d" * 9)
            os.chdir("d" * 9)
    finally:
        os.fchdir(before)
    found = curated({name: hostile.dicom(index) for index, name in enumerate(names)}, processes=0)
    assert {name: found[name] for name in names} == dict.fromkeys(names, "")
    (deep,) = set(found) - {*names, *(f"zz_good{index}" for index in range(4))}
    assert found[deep] == "unreadable" and len(deep) > 3900
    os.fchdir(handle)  # what is too deep for shutil has to go piece by piece
    os.system("rm -rf ddddddddd")
    os.fchdir(before)
    os.close(handle), os.close(before)


def test_a_pipe_for_a_table_is_no_export(tmp_path):
    (tmp_path / "export").mkdir()
    os.mkfifo(tmp_path / "export" / "studies.csv")
    with pytest.raises(Exception, match="neither studies.csv"):
        curate(
            tmp_path / "export",
            tmp_path / "out",
            key_file=tmp_path / "key",
            processes=0,
            show_progress=False,
        )
