"""A RUN, a guide, a judge, and the folder that evaluate.axes would write of them."""

import numpy as np
import pytest

from pgcxr.cohort.findings import FINDINGS
from pgcxr.editing.options import EditOptions
from pgcxr.io import artifacts
from pgcxr.latent import axes as latent_axes
from pgcxr.latent import walks
from pgcxr.sampling.generation import latents, weights_sha256
from tests.toy_axes import LATENTS, OFFSETS, SIZE, Known, directions, reading

# The generator shows the first four; no judge is said to see the second, and the axis of the third
# did not count as found.
UNSEEN, UNPROVEN = "consolidation", "interstitial_opacity"
LONGEST, END = 1.0, 0.75
QUICK = EditOptions(axis=("nodule",), seeds="1-2", steps=3, frames=1, gradcam=False)


def logits_of(z: np.ndarray) -> np.ndarray:
    """[N, 5] of `reading` for the images of latents."""
    strength = 1 / (1 + np.exp(-2 * latent_axes.normalize(z) @ directions().T - np.array(OFFSETS)))
    return 7.5 * (1.6 * strength - 0.8)


def speaker(sees: tuple[str, ...], kind: str = "classifier") -> dict:
    """A guide or judge as report.json has it."""

    def each(value) -> dict:
        return dict.fromkeys(FINDINGS, value)

    return {
        **{"kind": kind, "auroc": each(0.9), "gap": each(6.0), "slope": each(1.0)},
        **{"offset": each(0.0), "crosstalk": {name: each(0.02) for name in FINDINGS}},
        "judges": list(sees),
    }


def report() -> dict:
    """report.json of evaluate.axes, of what is read here."""
    rows = {name: {"found": name != UNPROVEN, "way": "ridge", "why_not": []} for name in FINDINGS}
    rows[UNPROVEN]["why_not"] = ["probe: 12% of the images move by half the real gap"]
    seen = tuple(name for name in FINDINGS if name != UNSEEN)
    return {
        "axes": rows,
        "guides": {"guide 1": speaker(FINDINGS)},
        "judges": {"classifier 1": speaker(seen), "probe": speaker(seen, "logistic regression")},
        "made_by": {"command": "evaluate.axes", "config": {"max_angle": LONGEST}},
    }


def write_axes(folder, body: dict) -> None:
    """axes.npz, walks.npz and report.json."""
    folder.mkdir()
    ends, found = np.full(5, END), np.array([row["found"] for row in body["axes"].values()])
    axes = latent_axes.Axes(directions().astype(float), FINDINGS, ends, found)
    latent_axes.save(folder / "axes.npz", axes)
    starts, angles, told = latents(77, 400, LATENTS), np.linspace(0, LONGEST, 9), {}
    for name, vector in zip(FINDINGS, directions(), strict=True):
        walked = logits_of(walks.walk(starts, vector.astype(float), angles))
        likelihoods = np.insert(1 / (1 + np.exp(-walked)), 0, 0.5, axis=-1)
        told[f"ridge/{name}/guides"] = likelihoods.astype(np.float32)
    artifacts.write_arrays(folder / "walks.npz", told)
    artifacts.write_json(folder / "report.json", body)


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editing")
    judge = reading()
    head = judge.get_layer("logits")
    head.set_weights([0.9 * weights for weights in head.get_weights()])
    generator = Known(resolution=SIZE, fmap_base=64, fmap_max=LATENTS, latent_size=LATENTS)
    saved = {}
    for name, model in (("gan", generator), ("guide", reading()), ("judge", judge)):
        (folder / name).mkdir()
        file = "generator-ema.keras" if name == "gan" else "classifier.keras"
        model.save(folder / name / file)
        artifacts.write_json(folder / name / "config.json", {"imported": "known"})
        saved[name] = {"run": f"../{name}", "weights_sha256": weights_sha256(model)}
    body = report()
    body["networks"] = {
        **{"generator": saved["gan"], "guides": [saved["guide"]], "judges": [saved["judge"]]}
    }
    write_axes(folder / "axes", body)
    write_axes(folder / "older", report())
    return folder
