"""Equal steps of severity are equal steps of the guides' mean logit."""

import numpy as np
import pytest

from pgcxr.editing.axes_folder import AxesFolder
from pgcxr.editing.moving import Move
from pgcxr.editing.severity import Severity
from pgcxr.errors import ArgumentError
from pgcxr.latent.axes import normalize
from pgcxr.sampling.generation import latents
from tests.editing.conftest import END, logits_of
from tests.toy_axes import LATENTS

ANGLES = np.linspace(0, 1, 6)


def test_equal_steps_are_equal_steps_of_the_mean_logit():
    bent = np.array([-4.0, -3.9, -3.0, 0.0, 3.0, 5.0])[:, None] + np.array([-1.0, 1.0])
    severity = Severity.calibrated("nodule", ANGLES, bent, 0.8)
    wanted = severity.logit(np.linspace(0, 1, 5))
    assert np.allclose(np.diff(wanted), 7 / 4) and wanted[0] == -4
    assert np.allclose(
        np.interp(severity.angle(np.linspace(0, 1, 5)), ANGLES, bent.mean(1)), wanted
    )
    assert severity.angle(1) == pytest.approx(0.8) and not severity.stops_short
    assert np.all(np.diff(severity.angle(np.linspace(0, 1, 50))) > 0)


def test_where_the_logit_falls_again_severity_ends_at_the_highest_and_says_so():
    falls = np.array([-4.0, -5.0, 0.0, 2.0, 1.0, 9.0])[:, None]
    severity = Severity.calibrated("nodule", ANGLES, falls, 0.8)
    assert severity.stops_short and severity.angle(1) == pytest.approx(0.6)
    assert severity.rise == pytest.approx(6), "what lies behind the end does not count"


@pytest.mark.parametrize("logits", [[3.0, 2.0, 2.5, 1.0, 0.0, 9.0], [1.0] * 6])
def test_what_does_not_rise_is_refused(logits):
    with pytest.raises(ArgumentError, match="does not rise"):
        Severity.calibrated("nodule", ANGLES, np.array(logits)[:, None], 0.8)


def test_the_walks_of_a_folder_of_axes_calibrate(runs):
    """On other starts than those: the toy's logits are known in closed form."""
    move = Move.of(AxesFolder.load(runs / "axes"), {"nodule": 1.0, "pneumothorax": 0.5})
    own = move.severity[0]
    assert own.starts == 200 and own.end == pytest.approx(END, abs=1e-6)
    starts = latents(5, 4000, LATENTS)
    means = [logits_of(move_one(move, starts, s))[:, 0].mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    steps = np.diff(means)
    assert steps.min() > 0.85 * steps.max(), "equal angles give 0.4"
    assert np.allclose(move.angles(1.0)[1], float(move.severity[1].angle(0.5)))


def move_one(move: Move, starts: np.ndarray, severity: float) -> np.ndarray:
    """Along the first axis alone."""
    alone = Move(move.names[:1], move.vectors[:1], move.most[:1], move.severity[:1], (True,))
    moved = alone.latents(starts, severity)
    assert np.allclose(np.linalg.norm(normalize(moved), axis=1), np.sqrt(LATENTS))
    return moved
