"""What a training needs, against real networks, and what is said where it does not fit."""

import os

import pytest

from pgcxr.gan import footprint, schedule
from pgcxr.gan.config import GanConfig
from pgcxr.networks import Discriminator, Generator, flops

SIZES = {"channels": 1, "latent_size": 24, "fmap_base": 64, "fmap_max": 12, "fused_scale": True}
SIZES |= {"mbstd_group_size": 4, "precision": "float32"}


@pytest.mark.parametrize(
    "change", [{}, {"latent_size": None}, {"fmap_max": 64}, {"mbstd_group_size": 1}]
)
@pytest.mark.parametrize("labels", [0, 3])
def test_parameters_are_those_of_the_networks(change, labels):
    sizes = SIZES | change | {"label_size": labels}
    networks = {key: sizes[key] for key in ("channels", "fmap_base", "fmap_max", "label_size")}
    for level in (2, 5):
        g = Generator(resolution=2**level, latent_size=sizes["latent_size"], **networks)
        d = Discriminator(
            resolution=2**level, mbstd_group_size=sizes["mbstd_group_size"], **networks
        )
        learned = tuple(
            sum(v.numpy().size for v in network.trainable_variables) for network in (g, d)
        )
        assert flops.parameters(sizes, level) == learned


def _levels(way=footprint.DIRECT, replicas=1, **change):
    settings = schedule.Settings(
        32,
        9.0,
        lod_training_kimg=1,
        lod_transition_kimg=1,
        minibatch_base=8,
        minibatch_dict={4: 16},
        replicas=replicas,
    )
    return footprint.levels(GanConfig(resolution=32, **SIZES | change), settings, 0, way)


def test_levels_are_those_of_the_schedule():
    found = _levels()
    assert [each["resolution"] for each in found] == [4, 8, 16, 32]
    assert [each["minibatch"] for each in found] == [16, 8, 8, 8]
    assert [round(each["kimg"]) for each in found] == [1, 2, 2, 4]
    memory = [each["memory_bytes"] for each in found]
    assert memory == sorted(memory) and memory[0] > footprint.BASE
    # A device of two holds half a minibatch; half as wide numbers take half as much; minimal
    # filtering takes more.
    rest = memory[-1] - _levels(replicas=2)[-1]["memory_bytes"]
    assert rest > 0 and memory[-1] - _levels(precision="float16")[-1][
        "memory_bytes"
    ] == pytest.approx(rest, rel=1e-6)
    assert _levels(footprint.MINIMAL)[-1]["memory_bytes"] > memory[-1]


def test_doubts_name_what_does_not_fit(tmp_path, monkeypatch):
    found = _levels()
    assert footprint.doubts(found, None, tmp_path / "new" / "run") == []
    assert footprint.doubts(found, found[-1]["memory_bytes"], tmp_path) == []
    (line,) = footprint.doubts(found, found[1]["memory_bytes"], tmp_path)
    assert line.startswith("16 px with a minibatch of 8 needs about") and "\n" not in line
    full = os.statvfs_result((4096, 4096, 10**6, 1, 1, 10, 10, 10, 0, 255))
    monkeypatch.setattr(footprint.os, "statvfs", lambda path: full)
    (line,) = footprint.doubts(found, None, tmp_path)
    assert line.startswith(f"{tmp_path}: saved states need about") and "4096" not in line


def test_memory_is_what_this_machine_has():
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < footprint.memory() <= total


def test_memory_of_the_smallest_gpu(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text('#!/bin/sh\n[ "$1" = --query-gpu=memory.total ] && printf "24220\\n16384\\n"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert footprint._gpu_memory() == 16384 << 20
    tool.write_text("#!/bin/sh\necho no devices were found\n")
    assert footprint._gpu_memory() is None


def test_how_levels_fit():
    found = _levels(footprint.GPU)
    second = found[1]
    footprint.compare(found, second["memory_bytes"])
    assert [each["fits"] for each in found] == ["close", "close", "no", "no"]
    assert second["most_per_replica"] == 8 == second["minibatch_per_replica"]
    # One byte less takes one image less.
    footprint.compare(found, second["memory_bytes"] - 1)
    assert second["fits"] == "no" and second["most_per_replica"] == 7
    footprint.compare(found, 1 << 40)
    assert {each["fits"] for each in found} == {"yes"}
    footprint.compare(found, 1000)
    assert [each["most_per_replica"] for each in found] == [0] * 4
    footprint.compare(found, None)
    assert {each["fits"] for each in found} == {None}


# (px, images on a device, MiB of the whole process): benchmarks/README.md, two CPU cores.
MEASURED = ((4, 16, 1361), (8, 16, 1944), (16, 16, 2694), (32, 16, 4423), (64, 16, 7209))
MEASURED += ((128, 8, 7506),)


@pytest.mark.parametrize(("size", "images", "mib"), MEASURED)
def test_memory_is_near_what_was_measured(size, images, mib):
    config = GanConfig(resolution=size, lod_initial_resolution=size, minibatch_dict={size: images})
    (found,) = footprint.levels(config, config.schedule(1), 0, footprint.MINIMAL)
    assert mib <= found["memory_bytes"] / 2**20 <= 1.25 * mib


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_presets_of_the_original_fit_where_they_were_made_for(precision):
    """Cards of 16 GB: the most that its presets put on one."""
    most = {"float32": {256: 16, 512: 8, 1024: 4}, "float16": {512: 16, 1024: 8}}[precision]
    config = GanConfig(minibatch_dict=most, replicas=1, precision=precision)
    found = footprint.levels(config, config.schedule(1), 0, footprint.GPU)
    assert 13e9 < max(each["memory_bytes"] for each in found) < 16e9
