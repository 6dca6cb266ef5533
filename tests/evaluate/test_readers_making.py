"""Studies made from runs, a cohort and the folder of an evaluation."""

import json
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from evaluate import common
from evaluate.readers.kinds import ANOMALY, PREFERENCE, SEVERITY, TURING
from evaluate.readers.making import make
from evaluate.readers.options import StudyOptions
from evaluate.readers.sources import Sources
from evaluate.readers.study import load
from pgcxr import networks
from pgcxr.cohort import manifest
from pgcxr.cohort.findings import FINDINGS
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts
from pgcxr.latent import axes as latent_axes
from tests.evaluate.test_anomaly_experiment import SIZE, make_cohort
from tests.toy_cohort import ramps, write_cohort


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Two GANs, a cohort, axes, and maps as evaluate.anomaly writes them."""
    folder = tmp_path_factory.mktemp("readers")
    keras.utils.set_random_seed(5)
    for name in ("gan", "other"):
        generator = networks.Generator(resolution=SIZE, fmap_base=64, fmap_max=16)
        (folder / name).mkdir()
        generator.save(folder / name / "generator-ema.keras")
        config = {"label": "all", "cohort": "../cohort"}
        artifacts.write_json(folder / name / "config.json", config)
    make_cohort(folder / "cohort", generator)
    rng = np.random.default_rng(0)
    vectors = np.linalg.qr(rng.normal(size=(generator.latent_size, 5)))[0].T
    (folder / "axes").mkdir()
    latent_axes.save(
        folder / "axes" / latent_axes.FILE,
        latent_axes.Axes(vectors, FINDINGS, np.full(5, 1.0), np.array([True, False] * 2 + [False])),
    )
    test = manifest.load(folder / "cohort").select("test")
    (folder / "anomaly").mkdir()
    np.savez_compressed(
        folder / "anomaly" / "maps.npz",
        image_id=np.array(test.manifest["image_id"].tolist(), dtype=np.str_),
        difference=rng.normal(0, 0.1, (len(test), SIZE, SIZE)).astype(np.float16),
        anomaly=np.abs(rng.normal(0, 1, (len(test), SIZE, SIZE))).astype(np.float16),
    )
    return folder


def test_turing_has_as_many_real_as_synthetic_images(places, tmp_path):
    options = StudyOptions(cases=12, training=2, repeats=3)
    made = make(TURING, Sources(places / "gan"), tmp_path / "s", options, seed=4)
    assert load(tmp_path / "s") == made
    labels = [case.truth["label"] for case in made.cases]
    assert labels.count("real") == labels.count("synthetic") == 7
    assert [case.training for case in made.cases] == [True] * 2 + [False] * 12
    assert len(made.order("a")) == 17
    real = manifest.load(places / "cohort").select("test").images(SIZE)[..., 0]
    for case in made.cases:
        shown = cv2.imread(str(made.image(case, "image")), cv2.IMREAD_UNCHANGED)
        assert shown.shape == (SIZE, SIZE)
        assert (real == shown).all(axis=(1, 2)).any() == (case.truth["label"] == "real")


def test_of_a_network_that_comes_with_pgcxr_the_name_is_enough(tmp_path):
    own, cohort = Path("phantom-64"), write_cohort(tmp_path / "cohort", *ramps(20, 64, seed=0))
    few = StudyOptions(cases=4)
    made = make(TURING, Sources(own, cohort), tmp_path / "s", few)
    assert [made.image(case, "image").is_file() for case in made.cases] == [True] * 4
    with pytest.raises(ArgumentError, match="cohort: is needed: phantom-64 comes with pgcxr"):
        make(TURING, Sources(own), tmp_path / "none", few)
    with pytest.raises(InputError, match="^phantom-64: comes with pgcxr, and no cohort with it"):
        common.cohort_of(own)


def test_nothing_identifying_goes_along(places, tmp_path):
    make(
        ANOMALY,
        Sources(places / "anomaly", places / "cohort"),
        tmp_path / "s",
        StudyOptions(cases=8),
    )
    rows = manifest.load(places / "cohort").manifest
    texts = [
        path.read_bytes() + path.name.encode()
        for path in (tmp_path / "s").rglob("*")
        if path.is_file()
    ]
    for known in [*rows["image_id"], *rows["patient_id"], str(places)]:
        assert not any(known.encode() in text for text in texts), known


def test_severity_walks_the_axes_that_were_found(places, tmp_path):
    sources = Sources(places / "gan", axes=places / "axes")
    made = make(SEVERITY, sources, tmp_path / "s", StudyOptions(cases=12, steps=3))
    found = {case.truth["axis"] for case in made.cases}
    assert found == {FINDINGS[0], FINDINGS[2]} and len(made.cases) == 12
    for case in made.cases:
        assert case.prompt == case.truth["axis"].replace("_", " ")
    angles = sorted({case.truth["angle"] for case in made.cases})
    assert angles == pytest.approx([0, 28.6479, 57.2958], abs=1e-3)
    starts = [case.truth["start"] for case in made.cases]
    assert all(starts.count(start) == 3 for start in set(starts))
    one = StudyOptions(cases=4, steps=2, axis=FINDINGS[1])
    assert {case.truth["axis"] for case in make(SEVERITY, sources, tmp_path / "t", one).cases} == {
        FINDINGS[1]
    }


def test_anomaly_shows_query_reconstruction_and_map(places, tmp_path):
    made = make(
        ANOMALY,
        Sources(places / "anomaly", places / "cohort"),
        tmp_path / "s",
        StudyOptions(cases=16),
    )
    classes = [case.truth["class"] for case in made.cases]
    assert classes.count("normal") == 8
    for case in made.cases:
        shapes = [
            cv2.imread(str(made.image(case, pane)), cv2.IMREAD_UNCHANGED).shape
            for pane in ("query", "reconstruction", "map")
        ]
        assert shapes == [(SIZE, SIZE), (SIZE, SIZE), (SIZE, SIZE, 3)]
        assert bool(case.lesions) == (case.truth["class"] != "normal")


def test_preference_has_each_generator_on_each_side(places, tmp_path):
    sources = Sources(places / "gan", other=places / "other")
    made = make(PREFERENCE, sources, tmp_path / "s", StudyOptions(cases=6))
    assert [case.truth["left"] for case in made.cases].count("first") == 3


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("quiz", {}, "kind: must be one of turing"),
        (SEVERITY, {}, "axes: is needed"),
        (ANOMALY, {}, "cohort: is needed"),
        (PREFERENCE, {}, "other: is needed"),
        (TURING, {"axes": "axes"}, "axes: is of no use"),
        (ANOMALY, {"cohort": "cohort"}, "has no maps.npz"),
        (TURING, {"cases": 200}, "ask for fewer cases"),
        (TURING, {"first": "cohort"}, "COHORT"),
    ],
)
def test_what_does_not_do_gets_a_line(places, tmp_path, kind, given, said):
    options = StudyOptions(cases=given.pop("cases", 6))
    given = {name: places / place for name, place in {"first": "gan", **given}.items()}
    with pytest.raises((InputError, ArgumentError), match=said):
        make(kind, Sources(**given), tmp_path / "s", options)
    assert not (tmp_path / "s").exists()


def test_report_and_titles(places, tmp_path):
    options = StudyOptions(cases=4, title='Who "is" real?')
    make(TURING, Sources(places / "gan"), tmp_path / "s", options, seed=3)
    assert load(tmp_path / "s").title == 'Who "is" real?'
    report = json.loads((tmp_path / "s" / "report.json").read_text())
    assert report["made_by"]["seed"] == 3 and report["cases"] == 4
