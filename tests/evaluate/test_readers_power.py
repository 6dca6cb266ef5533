"""`evaluate.readers power`: from a pilot's folder or stated numbers to readers and cases."""

import json

import pytest
from typer.testing import CliRunner

from evaluate.readers.__main__ import app
from evaluate.readers.experiment import run
from evaluate.readers.kinds import TURING
from evaluate.readers.options import AnalysisOptions, PowerOptions
from evaluate.readers.power import lines, plan
from pgcxr.errors import ArgumentError, InputError
from pgcxr.metrics import planning
from tests.evaluate.test_readers_analysis import read, turing_answer
from tests.evaluate.toy_readers import toy_study

# Van Dyke's: VarTR, Cov1, Cov2, Cov3, Var of 114 cases.
VAN_DYKE = (0.00020040, 0.00034661, 0.00034407, 0.00023903, 0.00080229)


def test_stated_components_give_rjafrocs_numbers_on_the_screen_and_in_the_folder(tmp_path):
    words = ["power", "anomaly", "--components", ",".join(map(str, VAN_DYKE)), "--of-cases", "114"]
    words += ["--difference", "0.0438", "--readers", "3,6,10", "--out", str(tmp_path / "plan")]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == 0, found.output
    said = [line.split() for line in found.output.splitlines()]
    assert said[3][:3] == ["3", "over", "2000"]
    assert said[4][:2] == ["6", "251"] and said[5][:2] == ["10", "163"]
    report = json.loads((tmp_path / "plan/report.json").read_text())
    assert [each["cases"] for each in report["table"]] == [None, 251, 163]
    assert report["made_by"]["config"]["of_cases"] == 114
    assert (tmp_path / "plan/power.csv").read_text().splitlines()[2].startswith("6,251,")
    assert "over 2,000" in (tmp_path / "plan/report.html").read_text()


def test_a_pilot_says_what_the_next_study_needs(tmp_path):
    toy_study(tmp_path / "s", TURING, 60)
    read(tmp_path / "s", turing_answer(0.5), "abcd")
    pilot = run(tmp_path / "s", tmp_path / "pilot", AnalysisOptions(resamples=100)).figures
    parts = pilot["accuracy"]["components"]
    report = plan(TURING, tmp_path / "pilot", PowerOptions(readers=(8,)), None).figures
    power = planning.equivalence_power(planning.Shares(**parts), 0.1, 8, 100)
    assert report["table"][0]["power"][report["sizes"].index(100)] == pytest.approx(power)
    assert "4 readers of 60 cases" in lines(report)[1]
    with pytest.raises(InputError, match="is not what .* of kind preference"):
        plan("preference", tmp_path / "pilot", PowerOptions(), None)


def test_a_pilot_of_one_reader_says_nothing_of_readers(tmp_path):
    toy_study(tmp_path / "s", TURING, 10)
    read(tmp_path / "s", turing_answer(0.5), "a")
    run(tmp_path / "s", tmp_path / "pilot", AnalysisOptions(resamples=100))
    with pytest.raises(InputError, match="two who have read the same cases"):
        plan(TURING, tmp_path / "pilot", PowerOptions(), None)


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("severity", {}, "has no test to plan"),
        ("reading", {}, "plan one of"),
        ("anomaly", {}, "is needed where no components"),
        (
            "anomaly",
            {"components": VAN_DYKE, "of_cases": 114, "readers": (1,)},
            "must be 2 or more",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(kind, given, said):
    with pytest.raises(ArgumentError, match=said):
        plan(kind, None, PowerOptions(**given), None)


def test_options_that_do_not_go_together():
    with pytest.raises(ArgumentError, match="of_cases: is needed"):
        PowerOptions(components=VAN_DYKE)
    with pytest.raises(ArgumentError, match="nearer to 0.5 than the margin"):
        PowerOptions(accuracy=0.62)


def test_preference_of_one_reader_is_a_binomial_test():
    report = plan("preference", None, PowerOptions(readers=(1,), difference=0.2), None).figures
    at = report["sizes"].index(100)
    # Power of the exact two-sided test of 0.5 at 0.7, n = 100.
    assert report["table"][0]["power"][at] == pytest.approx(0.9790, abs=5e-4)
