"""From an export to a cohort."""

import csv
import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from pgcxr import dicom
from pgcxr.cohort import manifest as cohort
from pgcxr.curation.options import CurationOptions
from pgcxr.errors import InputError
from pgcxr.privacy import hashing
from tests.curation.curating import curate

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path):
    """run(export, name, ...): curates into tmp_path/name, in this process, with one key."""

    def go(export, name="cohort", **options):
        options = {
            "key_file": tmp_path / "private" / "key",
            "processes": 0,
            "show_progress": False,
            "audit": False,
        } | options
        return curate(export, tmp_path / name, **options), tmp_path / name

    return go


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def rows(normals=6, abnormals=6):
    findings = ["R91.1", "J18.9", "J84.1", "J90", "J93.1", "I10"]
    return [{} for _ in range(normals)] + [
        {"codes": f"Z00.0;{findings[i % 6]}"} for i in range(abnormals)
    ]


def test_every_rule_takes_its_own_and_the_numbers_add_up(run, make_export, chest):
    same = chest(99)
    given = [
        *rows(4, 4),
        {"Modality": "CT"},
        {"BodyPartExamined": "HAND"},
        {"codes": None},
        {"codes": "not a code"},
        {"codes": "Z95.0"},
        {"table_patient": "SOMEBODY"},
        {"PatientAge": "018Y"},
        {"PatientAge": None, "codes": "J90"},
        {"Manufacturer": "SIEMENS"},
        {"ViewPosition": "AP", "codes": "J90"},
        {"report": "Central line in place."},
        {"report": "Central line in place.", "codes": "J90"},  # stays: abnormal
        {"pixels": same},
        {"pixels": same},
        {"pixels": chest(98, 16)},  # too small
        {"pixels": np.full((32, 40), 9, np.uint16)},
        {"PhotometricInterpretation": "RGB"},
        {"NumberOfFrames": 2},
    ]
    export = make_export(given)
    (export / "notes.txt").write_text("SECRET")
    os.truncate(export / "study0" / "IM0000", 900)
    report, out = run(export, size=32, audit=True)
    found = {row["source"].split()[1]: row["rule"] for row in table(out / "excluded.csv")}
    order = sorted(
        path.relative_to(export).as_posix() for path in export.rglob("*") if path.is_file()
    )
    order.remove("studies.csv")
    number = {name.rsplit("IM", 1)[-1]: f"{place:06d}" for place, name in enumerate(order, 1)}
    expected = [
        "modality",
        "body_part",
        "diagnosis",
        "diagnosis",
        "diagnosis",
        "label_conflict",
        "age",
        "age",
    ]
    expected += [
        "manufacturer",
        "view",
        "device",
        None,
        None,
        "duplicate",
        "too_small",
        "blank",
        "colour",
    ]
    expected += ["multi_frame"]
    wanted = {number[f"{8 + place:04d}"]: rule for place, rule in enumerate(expected) if rule}
    wanted |= {number["0000"]: "unreadable", number["notes.txt"]: "unreadable"}
    assert found == wanted

    chart = json.loads((out / "flowchart.json").read_text())
    assert chart["collected"] == len(given) + 1 == len(found) + report["images"]
    remaining = chart["collected"]
    for step in chart["steps"]:
        remaining -= step["excluded"]
        assert step["remaining"] == remaining
        assert step["excluded"] == list(found.values()).count(step["rule"])
    assert remaining == chart["normal"] + chart["abnormal"] == len(table(out / "manifest.csv"))
    assert (chart["normal"], chart["abnormal"]) == (4, 5)


def test_manifest_says_what_is_in_the_files(run, make_export, tmp_path):
    export = make_export(rows())
    trace = tmp_path / "trace.csv"
    report, out = run(export, trace=trace)
    assert report["size"] == 32 and report["fit"] == "pad"
    places = {row["image_id"]: row["path"] for row in table(trace)}
    key = hashing.read_or_make_key(tmp_path / "private" / "key")
    labels = {"R91.1": "nodule", "J18.9": "consolidation", "J84.1": "interstitial_opacity"}
    labels |= {"J90": "pleural_effusion", "J93.1": "pneumothorax", "I10": ""}
    codes = {
        row["accession_number"]: row["diagnosis_codes"].split(";")[-1]
        for row in table(export / "studies.csv")
    }
    manifest = table(out / "manifest.csv")
    assert [row["image_id"] for row in manifest] == [f"{index:06d}" for index in range(12)]
    for row in manifest:
        path = export / places[row["image_id"]]
        header = dicom.read_header(path)
        assert row["patient_id"] == hashing.keyed_hash(key, "patient", header.patient)
        code = codes[header.accession]
        assert row["label"] == ("normal" if code == "Z00.0" else "abnormal")
        assert row["diagnoses"] == labels.get(code, "")
        for finding in filter(None, labels.values()):
            assert row[finding] == str(int(finding == row["diagnoses"]))
        assert (row["age"], row["sex"], row["view"], row["manufacturer"], row["mask"]) == (
            "45",
            "F",
            "PA",
            "GE",
            "",
        )
        content = (out / row["png"]).read_bytes()
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        decoded = dicom.decode(path)  # 32 x 40 becomes 26 x 32, padded by 3 rows
        assert image.shape == (32, 32) and not image[:3].any() and not image[29:].any()
        expected = cv2.resize(decoded, (32, 26), interpolation=cv2.INTER_AREA)
        np.testing.assert_array_equal(image[3:29], expected)
    assert not (out / "masks").exists()
    assert len(cohort.load(out)) == 12


def test_same_whatever_the_key_the_processes_and_the_order_of_rows(run, make_export, tmp_path):
    export = make_export(rows(20, 20))
    _, a = run(export, "a", audit=True)
    _, b = run(export, "b", processes=2, audit=True)
    lines = (export / "studies.csv").read_text().splitlines()
    (export / "studies.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    _, c = run(export, "c", key_file=tmp_path / "another key", audit=True)
    _, d = run(export, "d", seed=5)

    def content(folder):
        return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert content(a) == content(b)
    first, third = content(a), content(c)
    differing = {str(path) for path in first if first[path] != third[path]}
    assert first.keys() == third.keys() and differing == {"manifest.csv"}
    hidden = [
        {k: v for k, v in row.items() if k != "patient_id"} for row in table(a / "manifest.csv")
    ]
    assert hidden == [
        {k: v for k, v in row.items() if k != "patient_id"} for row in table(c / "manifest.csv")
    ]
    assert [r["sha256"] for r in table(a / "manifest.csv")] != [
        r["sha256"] for r in table(d / "manifest.csv")
    ]


def test_the_report_says_all_that_the_cohort_depends_on(run, make_export, tmp_path):
    rules_file = tmp_path / "hospital of patient" / "rules.toml"
    rules_file.parent.mkdir()
    rules_file.write_text("[near_duplicate]\nenabled = false\n")
    options = {"rules_file": rules_file, "split": (0.5, 0.25, 0.25), "normals": 4, "seed": 3}
    report, out = run(make_export(rows()), uncertain="negative", label_sample=7, **options)
    text = (out / "report.json").read_text()
    config = json.loads(text)["made_by"]["config"]
    assert "hospital of" not in text
    of_the_run = CurationOptions.names_of_the_run()
    asked = {name for name in CurationOptions().to_dict() if name not in of_the_run}
    assert set(config) == asked | {"rules", "normalise"}
    # As they were read or decided.
    assert config["rules"]["near_duplicate"]["enabled"] is False
    assert (config["source"], config["size"], config["fit"]) == ("pacs", report["size"], "pad")
    assert config["normalise"] == report["normalise"]
    assert config["black_out"] == report["black_out"]
    assert (config["bits"], config["decoder"]) == (8, "pydicom")
    # As they were asked for.
    assert (config["split"], config["normals"], config["seed"]) == ([0.5, 0.25, 0.25], 4, 3)
    assert (config["labels"], config["uncertain"]) == ("codes", "negative")
    assert config["label_sample"] == 7
    assert config["rules_file"] == hashlib.sha256(rules_file.read_bytes()).hexdigest()
    assert config["codes_file"] is None and config["device_model"] is None


def test_a_patient_is_in_one_split(run, make_export):
    given = rows(30, 30)
    for index, row in enumerate(given):
        row["patient"] = f"{'00' if index % 2 else ''}P{index % 23}"
    report, out = run(make_export(given))
    splits = {}
    for row in table(out / "manifest.csv"):
        splits.setdefault(row["patient_id"], set()).add(row["split"])
    assert len(splits) == report["patients"] and {len(found) for found in splits.values()} == {1}
    assert {name for found in splits.values() for name in found} == {"train", "val", "test"}


def test_nothing_identifying_in_the_output(run, make_export, capfd):
    given = rows() + [
        {"Manufacturer": "SECRET SCANNER"},
        {"ViewPosition": "SECRET"},
        {"Modality": "SECRET"},
    ]
    given += [
        {"BodyPartExamined": "SECRET CHEST", "patient": "SECRETID", "report": "SECRET device"}
    ]
    export = make_export(given)
    (export / "SECRET^NAME.txt").write_text("x")
    _, out = run(export, show_progress=True, audit=True)
    said = "".join(capfd.readouterr())
    for path in out.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        for secret in (b"SECRET", b"PID0", b"ACC0", str(export).encode()):
            assert secret not in content and secret.decode() not in str(path.relative_to(out)), path
    assert "SECRET" not in said and "PID0" not in said and "ACC0" not in said


def test_trace_is_private_and_stays_outside(run, make_export, tmp_path):
    export = make_export(rows(2, 2))
    trace = tmp_path / "private trace.csv"
    run(export, trace=trace)
    assert stat.S_IMODE(trace.stat().st_mode) == 0o600 and len(table(trace)) == 4
    for option in ("trace", "key_file"):
        with pytest.raises(InputError, match="lies in the cohort, which is to be passed on"):
            run(export, "second", **{option: tmp_path / "second" / "file"})
    assert not (tmp_path / "second").exists()


def test_masks_of_findings_are_joined(run, make_export, chest):
    export = make_export([{"codes": "J90"}, {"codes": "J93"}, {}])
    folder = export / "truth" / "masks"
    folder.mkdir(parents=True)
    for name, where in (("pleural_effusion", 0), ("nodule", 16), ("pacemaker", 24)):
        mask = np.zeros((32, 40), np.uint8)
        mask[where : where + 8] = 255
        cv2.imwrite(str(folder / f"study0_IM0000__{name}.png"), mask)
    report, out = run(export)
    assert report["masks"] == 1 and len(list((out / "masks").iterdir())) == 1
    loaded = cohort.load(out)
    covered = loaded.masks(32)
    index = next(i for i, name in enumerate(loaded.manifest["mask"]) if name)
    assert covered[index][4:9].min() == 1 and covered[index][17:22].min() == 1
    assert (
        covered[index][11:15].max() == 0 and covered[index][24:].max() == 0
    )  # the pacemaker is no lesion


def test_duplicates_that_contradict_each_other_all_go(run, make_export, chest):
    report, out = run(
        make_export([*rows(2, 2), {"pixels": chest(50)}, {"pixels": chest(50), "codes": "J90"}])
    )
    assert report["images"] == 4
    assert {row["detail"] for row in table(out / "excluded.csv")} == {
        "the same pixels with different diagnoses, as file 000005"
    }


def test_normals_are_sampled(run, make_export):
    report, out = run(make_export(rows(9, 3)), normals=4)
    assert (report["normal"], report["abnormal"]) == (4, 3)
    assert [row["rule"] for row in table(out / "excluded.csv")] == ["subsample"] * 5
    assert len(list((out / "images").iterdir())) == 7


def test_one_class_is_a_warning(run, make_export):
    report, _ = run(make_export(rows(3, 0)))
    assert report["warnings"][0].startswith("all images are of one class, normal: ")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (
            lambda export: [p.unlink() for p in export.rglob("*") if p.is_file()],
            "neither studies.csv",
        ),
        (lambda export: (export / "studies.csv").unlink(), "neither studies.csv"),
        (
            lambda export: (export / "studies.csv").write_text("a,b\n"),
            "no column accession_number, diagnosis_codes",
        ),
        (lambda export: [p.unlink() for p in export.rglob("IM*")], "has no files"),
        (
            lambda export: [p.write_text("hello") for p in export.rglob("IM*")],
            "none of the 4 files is DICOM",
        ),
        (
            lambda export: (export / "studies.csv").write_text(
                "accession_number,diagnosis_codes\n"
            ),
            "no image is left",
        ),
    ],
)
def test_bad_exports_are_one_line_and_leave_nothing(run, make_export, tmp_path, break_it, said):
    export = make_export(rows(2, 2))
    break_it(export)
    with pytest.raises(InputError) as error:
        run(export)
    assert (
        said in str(error.value)
        and str(export) in str(error.value)
        and "\n" not in str(error.value)
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "private") == ["export"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 48}, "Received: size=48"),
        ({"size": 1024}, "4 by too_small"),
        ({"source": "padchest"}, "Received: source=padchest"),
        ({"labels": "reports"}, "Received: labels=reports"),
        ({"uncertain": "maybe"}, "Received: uncertain=maybe"),
        ({"split": (0.5, 0.5)}, "split: must be three shares"),
        ({"runner": "beam"}, "Received: runner=beam"),
        ({"fit": "squeeze"}, "Received: fit=squeeze"),
        ({"normals": 0}, "Received: normals=0"),
        ({"processes": -1}, "Received: processes=-1"),
    ],
)
def test_bad_options(run, make_export, options, said):
    with pytest.raises(InputError, match=said):
        run(make_export(rows(2, 2)), **options)


def test_empty_or_absent_export_and_existing_cohort(run, make_export, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="is empty"):
        run(tmp_path / "empty")
    with pytest.raises(InputError, match="no such folder"):
        run(tmp_path / "absent")
    run(make_export(rows(2, 2)))
    with pytest.raises(InputError, match="exists and is not empty"):
        run(tmp_path / "export", size=16)  # other options
    with pytest.raises(InputError, match="exists and is not empty"):
        run(make_export(rows(2, 2), "another"))


def test_a_failed_write_leaves_nothing(tmp_path, make_export):
    """A real write error, by the limit on file size that the kernel enforces."""
    export = make_export(rows(2, 2))
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200));from tests.curation.curating import "
        f"curate;curate({str(export)!r}, {str(tmp_path / 'out')!r}, "
        f"key_file={str(tmp_path / 'k')!r}, processes=0, show_progress=False, audit=False)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and f"File too large: {str(tmp_path / 'out')!r}" in done.stderr
    assert not list(tmp_path.glob("*out*")) and not list(tmp_path.glob(".*out*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trace": "export"}, "export: exists; .* trace"),
        ({"trace": "mine.csv"}, "mine.csv: exists, .* trace"),
        ({"trace": "mine.csv/trace.csv"}, "mine.csv is not a folder; .* trace"),
        ({"trace": "private/key"}, "trace: is the key file"),
        ({"key_file": "export"}, "export: is a folder; give the name of a file"),
        ({"split": (0.5, float("nan"), 0.5)}, "split: must be"),
        ({"split": (float("nan"), 0.5, 0.5)}, "split: must be"),
        ({"processes": 100_000}, "Received: processes=100000"),
    ],
)
def test_wrong_options_are_refused_before_the_work(run, make_export, tmp_path, options, said):
    export = make_export(rows(2, 2))
    (tmp_path / "mine.csv").write_text("mine")
    paths = {name: tmp_path / value for name, value in options.items() if isinstance(value, str)}
    with pytest.raises(InputError, match=said) as raised:
        run(export, **(options | paths))
    assert "\n" not in str(raised.value) and (tmp_path / "mine.csv").read_text() == "mine"
    assert not (tmp_path / "cohort").exists() and not list(tmp_path.glob(".*"))


def test_names_that_are_no_utf8_are_traced(run, make_export, tmp_path):
    export = make_export(rows(2, 2))
    os.rename(os.fsencode(export / "study0"), os.fsencode(export) + b"/\xe9tude")
    run(export, trace=tmp_path / "trace.csv")
    assert b"\xe9tude/IM0000" in (tmp_path / "trace.csv").read_bytes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace(",", "#").encode(), "no column accession_number"),
        (
            lambda text: text.replace("ACC", "X").encode(),
            "none of its 4 accession numbers is that of a file",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_named(run, make_export, change, said):
    export = make_export(rows(2, 2))
    (export / "studies.csv").write_bytes(change((export / "studies.csv").read_text()))
    with pytest.raises(InputError, match=said):
        run(export)


def test_a_file_for_a_folder_is_called_so(run, tmp_path):
    (tmp_path / "afile").write_text("x")
    with pytest.raises(InputError, match="afile: is a file, not a folder"):
        run(tmp_path / "afile")
