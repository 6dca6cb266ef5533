"""What a folder of a model must be, and what is said where it is not."""

import json
import shutil

import numpy as np
import pytest

from pgcxr.anomaly.calibration import p_values
from pgcxr.errors import InputError
from pgcxr.screening import model
from pgcxr.screening.domain import QUANTILE, Domain
from pgcxr.screening.preparation import Preparation
from tests.screening.conftest import SIZE, picture, read


def test_new_normals_are_as_the_held_out_ones(loaded):
    images = np.stack([read(picture(seed)) for seed in range(1000, 1060)])
    said = loaded.ask({SIZE: images})
    assert np.array_equal(said.p, p_values(loaded.healthy, said.scores))
    assert 0.3 < said.p.mean() < 0.7 and len(loaded.healthy) == 60
    assert (said.scores > loaded.threshold()).mean() < 0.3
    assert said.maps.shape == (60, SIZE // 2, SIZE // 2) and 0 <= said.maps.min() <= 1
    assert (said.distances <= 1).mean() > 0.85
    assert said.nearest.shape == said.differences.shape == (60, SIZE, SIZE)
    one = loaded.ask({SIZE: images[:1]})  # does not depend on the others
    np.testing.assert_allclose(one.scores, said.scores[:1], rtol=1e-4, atol=1e-4)


def test_one_held_out_normal_in_two_hundred_is_farther_than_one(loaded):
    subspace = loaded.fusion.subspace
    rng = np.random.default_rng(0)
    normals = rng.normal(0, 0.2, (600, SIZE, SIZE)).astype(np.float32)
    domain = Domain.learned(normals[:200], normals[200:], subspace)
    distances = domain.distances(normals[200:], subspace)
    assert (distances <= 1).mean() == pytest.approx(QUANTILE, abs=0.003)
    other = domain.distances(normals[:5] + np.linspace(-1, 1, SIZE)[:, None], subspace)
    assert other.min() > 2


def test_preparation_is_as_the_cohort_says():
    rules = {"age": {"enabled": True, "minimum": 5}, "unheard": {"enabled": True}}
    report = {
        "fit": "crop",
        "normalise": "window",
        "bits": 16,
        "black_out": {"regions": ["0,0,1,0.1"], "text": True},
        "made_by": {"config": {"rules": rules}},
    }
    found = Preparation.of_cohort(report, 128, (64, 32, 64))
    assert (found.fit, found.normalize, found.bits, found.text) == ("crop", "window", 16, True)
    assert found.rules["age"]["minimum"] == 5 and found.rules["age"]["maximum"] == 120
    assert "unheard" not in found.rules and found.sides == (32, 64)
    assert str(found.decoding().black_out.regions[0]) == "0,0,1,0.1"
    assert Preparation.read(json.loads(json.dumps(found.to_dict())), "x") == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f, a: a.update(format=3),
            "is of format 3, and this version of pgcxr reads 1 and 2",
        ),
        (lambda f, a: a.pop("format"), "is of format None"),
        (lambda f, a: a.update(networks=[]), "names no networks"),
        (lambda f, a: a["preparation"].pop("rules"), None),
        (lambda f, a: a["preparation"].update(normalize="percentile:x"), "how images are prepared"),
        (lambda f, a: a["preparation"].update(sides=[]), "how images are prepared"),
        (lambda f, a: a.update(side=32), "screening.npz: is damaged"),
        (lambda f, a: a.update(specificity="high"), "screening.npz: is damaged"),
        (lambda f, a: (f / "anomaly.keras").unlink(), "anomaly.keras is missing"),
        (lambda f, a: (f / "screening.npz").write_bytes(b"PK"), "is damaged, or of another model"),
        (lambda f, a: a["sha256"].update({"../x": ""}), "is missing"),
    ],
)
def test_a_damaged_model_is_one_line(made, tmp_path, change, message):
    folder = tmp_path / "model"
    shutil.copytree(made, folder)
    about = json.loads((folder / model.SETTINGS).read_text())
    change(folder, about)
    (folder / model.SETTINGS).write_text(json.dumps(about))
    if message is None:  # rules that pgcxr ships stand in for what is not said
        assert model.load(folder).preparation.rules["view"]["allowed"] == ["PA"]
        return
    with pytest.raises(InputError, match=message) as caught:
        model.load(folder)
    assert "\n" not in str(caught.value)


def test_what_is_no_model_is_told_for_what_it_is(made, tmp_path):
    with pytest.raises(InputError, match="no such folder; name a screening model"):
        model.folder_of(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no screening.json"):
        model.folder_of(tmp_path)
    (tmp_path / "report.json").write_text('{"made_by": {"command": "train.gan"}}')
    with pytest.raises(InputError, match="is a RUN written by `python -m train.gan`, and holds no"):
        model.folder_of(tmp_path)
    shutil.copytree(made, tmp_path / "screening")
    assert model.folder_of(tmp_path) == tmp_path / "screening"


def test_the_one_that_comes_with_pgcxr_is_whole_and_says_that_it_has_seen_phantoms():
    shipped = model.load("phantom-64-normal")
    assert len(shipped.healthy) == 1284 and shipped.preparation.sides == (64,)
    assert shipped.generator.name == "generator-ema.keras"
    assert (shipped.healthy > shipped.threshold()).mean() <= 0.05
    assert "of real radiographs nothing that it says holds" in (
        shipped.folder / model.CARD
    ).read_text(encoding="utf-8")
    for name, row in shipped.about["figures"]["classes"].items():
        low, high = row["ci95"]
        assert low <= row["sensitivity"] <= high, name
