"""Reader studies in a study: their steps, their chapters, and a word where there are none."""

import pytest

from evaluate.readers.experiment import run
from evaluate.readers.kinds import ANOMALY, SEVERITY, TURING
from evaluate.readers.options import AnalysisOptions
from evaluate.study import reader_studies
from evaluate.study.options import StudyOptions
from evaluate.study.plan import plan
from pgcxr.errors import InputError
from pgcxr.plots.page import Page
from tests.evaluate.test_readers_analysis import read, turing_answer
from tests.evaluate.toy_readers import toy_study


def test_a_reader_study_is_a_step_that_is_made_again_with_new_answers(tmp_path):
    folders = [str(tmp_path / name) for name in ("one", "{two}")]
    for folder in folders:
        toy_study(tmp_path / folder, TURING, 6)
        read(folder, turing_answer(0.5), "a")
    options = StudyOptions(readers=tuple(folders), changes=("readers_turing.margin=0.2",))
    planned = plan(options)
    first, second = planned.steps[-2:]
    assert (first.name, second.name) == ("readers_turing", "readers_turing_2")
    assert first.arguments[:2] == ("analyze", folders[0]) and first.arguments[-1] == "0.2"
    assert second.arguments[1].format(out="x") == folders[1]
    assert planned.settings()["readers_turing"]["options"].margin == 0.2
    read(folders[1], turing_answer(0.5), "b")
    again = plan(options).steps[-2:]
    assert again[0].key({}) == first.key({}) and again[1].key({}) != second.key({})
    assert "one" not in str(options.described()), "a folder may name a hospital"


def test_what_is_no_reader_study_or_has_no_answers_is_told_before_the_first_step(tmp_path):
    with pytest.raises(InputError, match="a study made by"):
        plan(StudyOptions(readers=(str(tmp_path / "none"),)))
    toy_study(tmp_path / "s", TURING, 6, training=2)
    with pytest.raises(InputError, match="no answers yet that count"):
        plan(StudyOptions(readers=(str(tmp_path / "s"),)))
    read(tmp_path / "s", turing_answer(0.5), "a", until=2)
    with pytest.raises(InputError, match="no answers yet that count"):
        plan(StudyOptions(readers=(str(tmp_path / "s"),)))


def test_chapters_stand_beside_the_thesis_and_say_how_to_make_one(tmp_path):
    def graded(rng, case, phase):
        return {"grade": int(case.truth["step"])}

    def called(rng, case, phase):
        return {"detected": "no", "confidence": 3}

    for kind, answer in ((SEVERITY, graded), (ANOMALY, called)):
        toy_study(tmp_path / kind, kind, 8)
        read(tmp_path / kind, answer, "a")
        run(tmp_path / kind, tmp_path / f"readers_{kind}", AnalysisOptions(resamples=100))
    page = Page("x")
    reader_studies.chapters(page, tmp_path, ["gan", "readers_severity", "readers_anomaly"])
    html = page.html()
    assert "<td>normal</td><td>severe</td><td>moderate</td>" in html, "ours, then the thesis's"
    assert ">nodule</th><td>8 of 8</td>" in html
    none = Page("x")
    reader_studies.chapters(none, tmp_path, ["gan"])
    assert "evaluate.readers make turing" in none.html() and "None yet" in none.html()
