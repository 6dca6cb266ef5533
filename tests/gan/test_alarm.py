"""The divergence alarm: each sign on a history made for it, none on ordinary ones, and a training
that does diverge."""

import json

import numpy as np
import pytest

from pgcxr.gan import alarm
from pgcxr.gan.alarm import Alarm, Diverged
from tests.gan.tiny_run import final, train

pytestmark = pytest.mark.usefixtures("traced_once")

CALM = {"d_loss": -3.0, "g_loss": 1.0, "d_real_score": 4.0, "d_fake_score": -2.0}
CALM |= {"d_gradient_norm": 20.0, "g_gradient_norm": 0.5}


def _first(logs, steps=400, watch=None):
    """(step, sign) at which the alarm goes off on logs(step), or None."""
    watch = watch or Alarm(50.0)
    for step in range(steps):
        if sign := watch.step(CALM | logs(step)):
            return step, sign
    return None


def test_ordinary_histories_are_no_sign():
    rng = np.random.default_rng(0)
    assert _first(lambda step: {}) is None
    assert (
        _first(lambda step: {"d_gradient_norm": float(20 * np.exp(rng.normal(0, 2)))}, 3000) is None
    )
    assert _first(lambda step: {"d_real_score": float(rng.normal(0, 300))}) is None
    # Single bad steps, as loss scaling in float16 makes them.
    assert _first(lambda step: {"d_gradient_norm": np.inf} if step % 3 else {}, 1000) is None
    # A norm that is large in comparison with a tiny one, but not large.
    assert _first(lambda step: {"g_gradient_norm": 1e-6 if step < 100 else 1.0}) is None


@pytest.mark.parametrize("name", alarm.LOSSES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_stays_non_finite(name, value):
    step, sign = _first(lambda step: {name: value} if step >= 100 else {})
    assert step == 100 + alarm.PATIENCE - 1 and sign.name == "non-finite" and name in str(sign)


def test_a_loss_scale_may_come_down_first():
    gone = 64  # steps in which the scale halves from 2^64 to 1
    assert (
        _first(
            lambda step: {"d_gradient_norm": np.inf} if step < gone else {}, watch=Alarm(50.0, 64.0)
        )
        is None
    )
    step, _ = _first(lambda step: {"d_gradient_norm": np.inf}, watch=Alarm(50.0, 64.0))
    assert step == gone + alarm.PATIENCE - 1


@pytest.mark.parametrize("name", alarm.SCORES)
def test_critic_drift(name):
    step, sign = _first(lambda step: {name: -10.0 * 1.1**step})
    assert sign.name == "critic drift" and abs(sign.value) > alarm.SCORE and name in str(sign)
    assert step < 120


def test_gradient_explosion():
    step, sign = _first(lambda step: {"g_gradient_norm": 0.5 if step < 200 else 1e5})
    assert (
        sign.name == "gradient explosion"
        and 200 + alarm.WINDOW // 2 - 1 <= step < 200 + alarm.WINDOW
    )
    assert sign.limit == pytest.approx(0.5 * alarm.EXPLOSION)


def test_collapse():
    rng = np.random.default_rng(0)
    various, one = rng.integers(0, 256, (16, 8, 8, 1)), np.full((16, 8, 8, 1), 90)
    watch = Alarm(alarm.diversity(various))
    assert alarm.diversity(one) == 0
    signs = [watch.tick(each) for each in (various, one, one, various, one, one, one)]
    assert [bool(sign) for sign in signs] == [False] * 6 + [True] and signs[-1].name == "collapse"


def test_what_may_be_diverging_is_doubtful():
    watch = Alarm(50.0)
    watch.step(CALM)
    assert not watch.doubtful
    watch.step(CALM | {"d_loss": np.nan})
    assert watch.doubtful
    assert not Alarm(50.0).doubtful


def test_a_training_that_diverges_stops_with_a_good_state_and_goes_on(tmp_path, monkeypatch):
    for name, value in {"PATIENCE": 4, "WINDOW": 4}.items():
        monkeypatch.setattr(alarm, name, value)
    train(tmp_path / "run", total_kimg=0.064)
    good = final(tmp_path / "run")
    (tmp_path / "run" / "config.json").write_text(
        (tmp_path / "run" / "config.json")
        .read_text()
        .replace('"total_kimg": 0.064', '"total_kimg": 0.128')
    )
    # A critic whose scores are far off, as after a loss of the drift term.
    monkeypatch.setattr(alarm, "SCORE", 1e-9)
    with pytest.raises(
        Diverged, match=r"diverged after 0\.1 kimg .*critic drift.*lower lrate_base"
    ):
        train(tmp_path / "run", total_kimg=0.128)
    (file,) = (tmp_path / "run").glob("alarm-kimg*.json")
    body = json.loads(file.read_text())
    assert (
        body["name"] == "critic drift"
        and body["last_state"] == "nimg0000000064.npz"
        and body["kimg"] > 0.064
    )
    assert (tmp_path / "run" / "training.gif").is_file()
    for name, array in final(tmp_path / "run").items():
        np.testing.assert_array_equal(array, good[name], err_msg=name)
    monkeypatch.setattr(alarm, "SCORE", 1e4)
    said = []
    report = train(tmp_path / "run", total_kimg=0.128, lrate_base=0.0005, drift=0.01, said=said)
    assert report["kimg"] == 0.128 and "going on after 0.1 kimg" in said


def test_without_an_alarm_other_settings_are_refused_and_nothing_stops(tmp_path, monkeypatch):
    monkeypatch.setattr(alarm, "WINDOW", 4)
    monkeypatch.setattr(alarm, "SCORE", 1e-9)
    report = train(tmp_path / "run", total_kimg=0.064, alarm=False)
    assert report["kimg"] == 0.064
    with pytest.raises(Exception, match="lrate_base"):
        train(tmp_path / "run", total_kimg=0.128, lrate_base=0.0005)
