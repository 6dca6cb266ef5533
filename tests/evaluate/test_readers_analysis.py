"""Simulated readers of known skill in, that skill out; and what is exported of their answers."""

import csv
import io
import json
import math
import re
import sqlite3
import zipfile

import numpy as np
import pandas as pd
import pytest

from evaluate.readers import export as exports
from evaluate.readers import tables
from evaluate.readers.chapter import ReadersResult
from evaluate.readers.experiment import run
from evaluate.readers.kinds import ANOMALY, PREFERENCE, SEVERITY, TURING
from evaluate.readers.options import AnalysisOptions
from evaluate.readers.session import prepared
from evaluate.readers.store import Answer
from pgcxr.errors import InputError
from pgcxr.metrics.roc import auroc
from pgcxr.plots.page import Page
from tests.evaluate.toy_readers import SIZE, toy_study

QUICK = AnalysisOptions(resamples=100)


def read(folder, answer, readers=("a", "b", "c"), until=None):
    """Simulated readers answer: `answer(rng, case, phase)` is what one says."""
    study, store = prepared(folder)
    rows = []
    for number, reader in enumerate(readers):
        store.new_token(reader)
        rng = np.random.default_rng([5, ord(reader)])
        for position, case in enumerate(study.order(reader)[:until]):
            for place, phase in enumerate(study.kind.phase_names()):
                given = json.dumps(study.kind.check(answer(rng, case, phase)))
                id = f"{ord(reader):08x}{position:016x}{place:08x}"
                seconds = 2.0 + number
                rows.append((id, reader, position, phase, 0, case.name, given, "{}", seconds, ""))
    # All in one transaction, which thousands of answers in a test ask for.
    with sqlite3.connect(store.path) as database:
        database.executemany(f"INSERT INTO answers VALUES ({', '.join('?' * 10)})", rows)
    return study, store


def turing_answer(skill):
    """Right in a share `skill` of the cases, and then surer."""

    def answer(rng, case, phase):
        right = rng.random() < skill
        other = {"real": "synthetic", "synthetic": "real"}[case.truth["label"]]
        sure = int(rng.integers(3, 6) if right else rng.integers(1, 4))
        return {"label": case.truth["label"] if right else other, "confidence": sure}

    return answer


def confidence(rating: float) -> int:
    return int(np.clip(abs(rating) * 2 + 1, 1, 5))


def anomaly_answer(without: float, with_map: float):
    """Signal detection: a rating of mean 0 or of the skill's separation; the mark is on the lesion
    where the lesion made the rating."""

    def answer(rng, case, phase):
        skill = without if phase == "without" else with_map
        abnormal = case.truth["class"] != "normal"
        rating = rng.normal(skill if abnormal else 0) - skill / 2
        if rating <= 0:
            return {"detected": "no", "confidence": confidence(rating)}
        sure = confidence(rating)
        x, y = case_spots[case.name] if abnormal else (5, 5)
        mark = {"x": (x + 0.5) / SIZE, "y": (y + 0.5) / SIZE, "confidence": sure}
        return {"detected": "yes", "confidence": sure, "marks": [mark]}

    return answer


case_spots: dict = {}


def spots_of(study) -> None:
    """Where the lesions are, by the study's own truth."""
    for case in study.cases:
        if case.lesions:
            y, x = np.argwhere(tables._numbered(study.folder, case) > 0).mean(axis=0)
            case_spots[case.name] = (float(x), float(y))


def test_readers_at_chance_are_shown_to_be(tmp_path):
    toy_study(tmp_path / "s", TURING, 120, training=2, repeats=30)
    read(tmp_path / "s", turing_answer(0.5), "abcd")
    result = run(tmp_path / "s", tmp_path / "out", AnalysisOptions(margin=0.15))
    report = result.figures
    assert report["joint_cases"] == 120 and report["joint_readers"] == list("abcd")
    assert abs(report["accuracy"]["mean"] - 0.5) < 0.06
    assert report["accuracy"]["generalizes_to"] == "readers and cases"
    assert report["accuracy"]["chance"]["equivalent"]
    assert report["each"]["a"]["accuracy"]["n"] == 120
    assert abs(report["agreement"]["fleiss_kappa"]["value"]) < 0.15
    assert report["intra_reader"]["a"]["n"] == 30
    assert report["readers"]["b"] == {
        "answered": 152,
        "of": 152,
        "changed": 0,
        "median_seconds": 3.0,
    }


def test_skilled_readers_come_out_as_skilled(tmp_path):
    toy_study(tmp_path / "s", TURING, 100, repeats=40)
    _, store = read(tmp_path / "s", turing_answer(0.85), "abc")
    result = run(tmp_path / "s", tmp_path / "out", QUICK)
    report = result.figures
    low, high = report["accuracy"]["ci95"]
    assert low < 0.85 < high and high - low < 0.2 and not report["accuracy"]["chance"]["equivalent"]
    # Expected of two readers who are right independently: 2 (0.85^2 + 0.15^2) - 1.
    kappa = report["agreement"]["fleiss_kappa"]
    assert kappa["ci95"][0] < 0.49 < kappa["ci95"][1]
    rows = pd.read_csv(tmp_path / "out" / "readings.csv")
    own = rows[(rows["reader"] == "a") & ~rows["repeat"]]
    assert report["each"]["a"]["auroc"]["value"] == pytest.approx(
        auroc(own["positive"].astype(int), own["rating"])
    )
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Mean accuracy" in html and not re.search(r'(src|href)="(?!data:|#)', html)
    page = Page("again")
    ReadersResult.load(tmp_path / "out").chapter(page)
    assert "Mean accuracy" in page.html()


def test_a_map_that_helps_is_found_and_one_that_does_not_is_not(tmp_path):
    study = toy_study(tmp_path / "s", ANOMALY, 60)
    spots_of(study)
    read(tmp_path / "s", anomaly_answer(0.8, 2.5), "abcd")
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    for name in ("auroc", "afroc"):
        test = report[name]["tests"]["readers and cases"]
        assert test["p"] < 0.01 and test["differences"][0]["difference"] > 0.1, name
    # Ratings of six levels on each side lose little: Phi(0.8 / sqrt 2), Phi(2.5 / sqrt 2).
    assert report["auroc"]["means"] == pytest.approx([0.714, 0.961], abs=0.06)
    assert report["afroc"]["normal"] == report["afroc"]["abnormal"] == 30
    table = report["classes"]["nodule"]
    assert table["n"] == 30 and table["with"]["readings"] == 120
    assert table["with"]["share"] > table["without"]["share"]
    power = {(each["readers"], each["cases"]): each["power"] for each in report["power"]["table"]}
    assert power[3, 50] < power[10, 50] < power[10, 400] <= 1
    toy_study(tmp_path / "t", ANOMALY, 40)
    read(tmp_path / "t", anomaly_answer(1.5, 1.5), "abc")
    same = run(tmp_path / "t", tmp_path / "same", QUICK).figures
    assert same["auroc"]["tests"]["readers and cases"]["p"] > 0.05


def test_marks_beside_the_lesion_do_not_count(tmp_path):
    study = toy_study(tmp_path / "s", ANOMALY, 20)
    case_spots.update({case.name: (2, 2) for case in study.cases})
    read(tmp_path / "s", anomaly_answer(9, 9), "ab")
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    assert report["auroc"]["means"] == pytest.approx([1, 1])
    # Neither lesions nor normal cases are marked: a tie.
    assert report["afroc"]["means"] == pytest.approx([0.5, 0.5])


def test_grades_that_follow_the_axis(tmp_path):
    def grade(rng, case, phase):
        return {
            "grade": int(
                np.clip(case.truth["step"] + rng.integers(-1, 2) * (rng.random() < 0.3), 0, 3)
            )
        }

    toy_study(tmp_path / "s", SEVERITY, 40, repeats=10)
    read(tmp_path / "s", grade)
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    (axis,) = report["axes"].values()
    low, high = axis["spearman"]["ci95"]
    assert 0.85 < low < axis["spearman"]["value"] < high <= 1
    assert axis["median_grade_start"] == 0 and axis["median_grade_end"] == 3
    assert (
        report["agreement"]["icc"]["value"] > 0.8 and report["agreement"]["weights"] == "quadratic"
    )
    assert report["intra_reader"]["a"]["kappa"] > 0.7

    def blind(rng, case, phase):
        return {"grade": int(rng.integers(0, 4))}

    toy_study(tmp_path / "t", SEVERITY, 40)
    read(tmp_path / "t", blind)
    (axis,) = run(tmp_path / "t", tmp_path / "blind", QUICK).figures["axes"].values()
    assert axis["spearman"]["ci95"][0] < 0 < axis["spearman"]["ci95"][1] + 0.2


def test_preferences(tmp_path):
    def choose(rng, case, phase):
        wanted = "first" if rng.random() < 0.8 else "second"
        side = "left" if case.truth["left"] == wanted else "right"
        return {"choice": "equal" if rng.random() < 0.1 else side}

    toy_study(tmp_path / "s", PREFERENCE, 60)
    read(tmp_path / "s", choose)
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    assert abs(report["preference"]["mean"] - 0.77) < 0.08 and report["preference"]["ci95"][0] > 0.6
    assert report["each"]["a"]["p"] < 0.01 and 15 < report["each"]["a"]["left"] < 45


def test_readers_who_have_not_finished(tmp_path):
    toy_study(tmp_path / "s", TURING, 20)
    _, store = read(tmp_path / "s", turing_answer(0.8), "ab")
    read(tmp_path / "s", turing_answer(0.8), ["z"], until=4)
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    assert report["joint_readers"] == ["a", "b"] and report["joint_cases"] == 20
    assert report["warnings"] == ["z answered 4 of 20, and is left out of figures of all readers"]
    assert report["each"]["z"]["accuracy"]["n"] == 4


def test_nobody_has_finished(tmp_path):
    toy_study(tmp_path / "s", TURING, 20)
    with pytest.raises(InputError, match="no answers yet"):
        run(tmp_path / "s", tmp_path / "out")
    read(tmp_path / "s", turing_answer(0.8), "ab", until=12)
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    assert 2 <= report["joint_cases"] < 12 and len(report["warnings"]) == 3


@pytest.mark.parametrize("kind", [TURING, SEVERITY, ANOMALY, PREFERENCE])
def test_one_reader_and_two_answers_are_enough_for_a_page(tmp_path, kind):
    study = toy_study(tmp_path / "s", kind, 4)
    said = {
        TURING: {"label": "real", "confidence": 1},
        SEVERITY: {"grade": 0},
        ANOMALY: {"detected": "no", "confidence": 1},
        PREFERENCE: {"choice": "equal"},
    }[kind]
    read(tmp_path / "s", lambda *_: said, "a", until=2)
    result = run(tmp_path / "s", tmp_path / "out", QUICK)
    assert "one reader" in " ".join(result.figures["warnings"])
    assert "nan" not in (tmp_path / "out" / "report.json").read_text().lower()
    assert exports.export(tmp_path / "s", tmp_path / "csv")[0] == "all.csv"
    assert len(study.cases) == 4


def test_export_to_csv_and_imrmc(tmp_path):
    toy_study(tmp_path / "s", TURING, 8, training=1, repeats=2)
    _, store = read(tmp_path / "s", turing_answer(0.7), "ab")
    last = store.answers("a")[3]
    store.commit(
        "a",
        Answer("f" * 32, 3, "read", 1, last.case_name, {"label": "real", "confidence": 5}, {}, 1.0),
    )
    names = exports.export(tmp_path / "s", tmp_path / "csv")
    assert names == ["all.csv", "answers.csv", "audit.csv", "report.json", "study.imrmc"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "csv" / "answers.csv").read_text())))
    assert len(rows) == 22 and rows[3]["confidence"] == "5" and rows[3]["label"] == "real"
    assert len((tmp_path / "csv" / "all.csv").read_text().splitlines()) == 24
    text = (tmp_path / "csv" / "study.imrmc").read_text()
    head, data = text.split("BEGIN DATA:\n")
    assert "N0: 4\nN1: 4\nNR: 2\nNM: 1" in head
    lines = [line.split(",") for line in data.splitlines()]
    truth = {case: int(value) for who, case, what, value in lines if what == "truth"}
    assert len(truth) == 8 and len(lines) == 8 + 16
    for who in "ab":
        scores = {case: float(value) for reader, case, _, value in lines if reader == who}
        report = run(tmp_path / "s", tmp_path / f"out{who}", QUICK).figures
        assert auroc(list(truth.values()), [scores[case] for case in truth]) == pytest.approx(
            report["each"][who]["auroc"]["value"]
        )


def test_export_to_rjafroc(tmp_path):
    """The sheets, read back as a spreadsheet program would, give the AFROC areas again."""
    study = toy_study(tmp_path / "s", ANOMALY, 24)
    spots_of(study)
    read(tmp_path / "s", anomaly_answer(1, 2), "ab")
    assert "rjafroc.xlsx" in exports.export(tmp_path / "s", tmp_path / "csv")
    with zipfile.ZipFile(tmp_path / "csv" / "rjafroc.xlsx") as archive:
        book = archive.read("xl/workbook.xml").decode()
        assert re.findall(r'sheet name="(\w+)"', book) == ["TRUTH", "TP", "FP"]
        sheets = []
        for number in (1, 2, 3):
            text = archive.read(f"xl/worksheets/sheet{number}.xml").decode()
            sheets.append(
                [
                    re.findall(r"<(?:v|t)>([^<]*)</", row)
                    for row in re.findall(r"<row>(.*?)</row>", text)
                ]
            )
    truth, hits, misses = sheets
    assert truth[0] == ["CaseID", "LesionID", "Weight", "ReaderID", "ModalityID", "Paradigm"]
    assert truth[1][3:] == ["0,1", "0,1", "FROC"] and truth[2][5] == "FCTRL" and len(truth) == 25
    lesions = {row[0]: int(row[1]) for row in truth[1:]}
    report = run(tmp_path / "s", tmp_path / "out", QUICK).figures
    for modality in (0, 1):
        for reader in (0, 1):
            own = [str(reader), str(modality)]
            hit = {row[2]: float(row[4]) for row in hits[1:] if row[:2] == own}
            miss = {row[2]: float(row[3]) for row in misses[1:] if row[:2] == own}
            won = []
            for normal in (case for case, count in lesions.items() if not count):
                for abnormal in (case for case, count in lesions.items() if count):
                    a, b = hit.get(abnormal, -math.inf), miss.get(normal, -math.inf)
                    won.append(1.0 if a > b else 0.5 if a == b else 0.0)
            found = report["afroc"]["figures_of_merit"][modality][reader]
            assert np.mean(won) == pytest.approx(found)
