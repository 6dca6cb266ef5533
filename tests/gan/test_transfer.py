"""Networks that begin with another's weights: what they compute at first, what stays frozen, what
config.json says."""

import numpy as np
import pytest

from pgcxr.cohort.pipeline import ImageDataset
from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import devices, run_dir, trainer, transfer
from pgcxr.io import artifacts
from pgcxr.networks import Discriminator, Generator, criticize, synthesize
from tests.gan import tiny_run
from tests.gan.gans import small_gan

pytestmark = pytest.mark.usefixtures("traced_once")

RNG = np.random.default_rng(1)
# Long, so that a label's 1 beside them is nothing to PixelNorm.
LATENTS = 1e4 * RNG.standard_normal((4, 8)).astype(np.float32)
SIZES = {"resolution": 8, "fmap_base": 32, "fmap_max": 8}


def source(**sizes) -> transfer.Source:
    """Networks with biases that are no zeros."""
    sizes = SIZES | sizes
    networks = [Generator(**sizes), Generator(**sizes), Discriminator(**sizes)]
    for network in networks:
        network.set_weights([RNG.standard_normal(w.shape) for w in network.get_weights()])
        network.lod.assign(0.0)
    return transfer.Source("other", *networks, lineage=[{"name": "other", "sha256": "0"}])


def taken(ancestor: transfer.Source, **sizes):
    """(a GAN of other sizes after `take_over`, what was said)."""
    gan, said = small_gan(**SIZES | sizes), []
    transfer.take_over(gan, ancestor, said.append)
    return gan, said


def same(ours, theirs) -> None:
    np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=2e-4, atol=2e-4)


def check(gan, ancestor, lod=0.0, channels=1, labels=0) -> None:
    """Both GANs make the same images and give the same scores, as far as the smaller one goes."""
    images = RNG.uniform(-1, 1, (4, 8, 8, 1)).astype(np.float32)
    shown = images.repeat(2 ** int(lod), 1).repeat(2 ** int(lod), 2)
    told = np.eye(labels, dtype=np.float32)[[0] * 4] if labels else None
    pairs = ((gan.generator, ancestor.generator), (gan.generator_ema, ancestor.average))
    for ours, theirs in pairs:
        made = np.asarray(synthesize(theirs, LATENTS)).mean(axis=-1, keepdims=True)
        step = 2 ** int(lod)
        same(np.asarray(synthesize(ours, LATENTS, told, lod))[:, ::step, ::step], made)
    scores = criticize(ancestor.discriminator, images.repeat(channels, -1))[0]
    same(criticize(gan.discriminator, shown, lod)[0], scores)


def test_of_the_same_size_everything_is_taken_over():
    ancestor = source()
    gan, said = taken(ancestor)
    check(gan, ancestor)
    assert said == [
        "init other: G takes over all",
        "init other: D takes over all",
    ]


def test_a_larger_one_begins_as_the_smaller_one_ended():
    ancestor = source()
    gan, said = taken(ancestor, resolution=16)
    check(gan, ancestor, lod=1.0)
    assert said[0] == "init other: G takes over all but 16x16 (up, conv, to_rgb)"


def test_color_becomes_gray():
    ancestor = source(channels=3)
    gan, said = taken(ancestor)
    check(gan, ancestor, channels=3)
    assert said[2] == "init other: its 3 channels are averaged"


def test_labels_say_nothing_at_first():
    ancestor = source()
    gan, said = taken(ancestor, label_size=2)
    check(gan, ancestor, labels=2)
    assert "other labels" in said[2]
    # ... and can be learned: what a label is multiplied with is not cut off.
    assert gan.generator.dense.kernel.shape[0] == 10


def test_fused_and_unfused_upscaling_make_the_same_images():
    ancestor = source(fused_scale=False)
    gan, _ = taken(ancestor)
    same(synthesize(gan.generator, LATENTS), synthesize(ancestor.generator, LATENTS))


def test_where_nothing_fits_it_says_what_would():
    with pytest.raises(InputError, match="no layer of its generator .*fmap_max=4.* fits"):
        taken(source(fmap_max=4, fmap_base=4))


def test_without_a_discriminator_it_says_so():
    ancestor = source()
    gan, said = taken(transfer.Source("other", ancestor.average, ancestor.generator, None))
    same(synthesize(gan.generator, LATENTS), synthesize(ancestor.generator, LATENTS))
    assert said[1] == (
        "init other: D takes over nothing, as it holds no discriminator: D begins anew "
        "(d_warmup_kimg: alone)"
    )


def train(out, ancestor=None, look=lambda nimg: None, **changes):
    """As `python -m train.gan --init` does."""
    config = tiny_run.config(**changes)
    run = run_dir.RunDir(out)
    with run.locked():
        lineage = transfer.lineage_of(run, config, ancestor)
        run.claim(config, {"init": lineage} if lineage else None)
        trainer.train(
            *(ImageDataset(tiny_run.IMAGES, 8), run, config, devices.strategy(1)),
            *(lambda nimg, lod: look(nimg), print, ancestor),
        )


@pytest.fixture(scope="module")
def ancestor():
    return source()


def test_a_frozen_level_stays_and_resume_needs_no_ancestor(tmp_path, ancestor):
    train(tmp_path / "whole", ancestor, freeze_d=1)

    def stop(nimg):
        if nimg >= 64:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "broken", ancestor, stop, freeze_d=1)
    train(tmp_path / "broken", freeze_d=1)
    states = [tiny_run.final(tmp_path / name) for name in ("whole", "broken")]
    assert tiny_run.same(*states)

    # The weights of D in the order in which it keeps them, by the layer that they belong to.
    network = ancestor.discriminator
    owners = {id(w): layer for layer in network.layers for w in layer.weights}
    top = {network.from_rgb[1], network.convs[0], network.downs[0]}
    for index, weights in enumerate(network.weights):
        after = states[0][f"discriminator/{index:03d}"]
        moved = not np.array_equal(after, np.asarray(weights))
        layer = owners.get(id(weights))
        # What is of 4 px alone (fromRGB) takes no part at 8 px, nor does lod.
        idle = layer is None or layer is network.from_rgb[0]
        assert moved == (layer not in top and not idle), weights.path
    config = artifacts.read_json(tmp_path / "whole/config.json")
    assert config["init"] == [{"name": "other", "sha256": "0", "levels": [8]}]


def test_g_waits_for_a_discriminator_that_begins_anew(tmp_path):
    ancestor = source()
    alone = transfer.Source("other", ancestor.average, ancestor.average, None, ancestor.lineage)
    train(tmp_path / "run", alone, d_warmup_kimg=0.128, alarm=False)  # all of it
    after = tiny_run.final(tmp_path / "run")
    for index, weights in enumerate(ancestor.average.get_weights()):
        for network in ("generator", "generator_ema"):
            # Gs is an average of equal weights, to the last digits.
            np.testing.assert_allclose(after[f"{network}/{index:03d}"], weights, rtol=1e-6)
    first = min((tmp_path / "run/state").glob("nimg*.npz"))
    with np.load(first) as before:
        moved = [key for key in after if not np.array_equal(after[key], before[key])]
    assert any(key.startswith("discriminator/") for key in moved)


def test_a_run_goes_on_with_what_it_began_with(tmp_path, ancestor):
    config = tiny_run.config()
    run = run_dir.RunDir(tmp_path)
    with pytest.raises(ArgumentError, match="freeze_d: needs weights to begin with"):
        transfer.lineage_of(run, tiny_run.config(freeze_d=1), None)
    with pytest.raises(ArgumentError, match="fit 1 levels of D above 4 px"):
        transfer.lineage_of(run, tiny_run.config(freeze_d=2), ancestor)
    run.claim(config, {"init": transfer.lineage_of(run, config, ancestor)})
    with pytest.raises(ArgumentError, match="began with other and has no state yet"):
        transfer.lineage_of(run, config, None)
    another = transfer.Source("another", None, None, None, [{"name": "another", "sha256": "1"}])
    with pytest.raises(ArgumentError, match="was begun with other; .*Received: init=another"):
        transfer.lineage_of(run, config, another)


def test_the_names_of_networks_that_come_with_pgcxr(tmp_path):
    begun = transfer.load("phantom-64", tmp_path)
    assert begun.lineage[0]["pretrained"] and begun.lineage[0]["name"] == "phantom-64"
    with pytest.raises(ArgumentError, match="did you mean phantom-64"):
        transfer.load("phantom-46", tmp_path)


def test_the_lineage_of_a_run_leads_to_every_cohort(tmp_path, ancestor):
    """Paths are given from each RUN; the new one's lead to the same folders."""
    first, second = tmp_path / "old/first", tmp_path / "old/deep/second"
    for run, cohort in ((first, "../cohort"), (second, "../../images")):
        run.mkdir(parents=True)
        ancestor.average.save(run / "generator-ema.keras")
        ancestor.discriminator.save(run / "discriminator.keras")
        config = {"cohort": cohort, "manifest_sha256": run.name, "split": "train"}
        if run is second:
            config["init"] = transfer.load(str(first), second).lineage
        artifacts.write_json(run / "config.json", config)
    begun = transfer.load(str(second), tmp_path / "new/run")
    assert [(entry["name"], entry["cohort"]) for entry in begun.lineage] == [
        ("second", "../../old/images"),
        ("first", "../../old/cohort"),
    ]
    same(
        criticize(begun.discriminator, np.ones((4, 8, 8, 1), np.float32))[0],
        criticize(ancestor.discriminator, np.ones((4, 8, 8, 1), np.float32))[0],
    )
