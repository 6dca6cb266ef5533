"""Settings and fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dicom_files import chest, make_dicom, make_export  # noqa: F401
from tests.graphs import unoptimized

# Before TensorFlow is imported anywhere.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# What XLA compiles here runs for milliseconds: a third of the time to compile it.
os.environ.setdefault(
    "XLA_FLAGS", "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
)

# The files that take longest, longest first: the workers of xdist begin with them, so that none of
# them is left alone with one at the end.
LONGEST = (
    "gan/test_multi_worker.py",
    "gan/test_compiled_convolution.py",
    "evaluate/test_fidelity.py",
    "gan/test_resume_kill.py",
    "evaluate/test_privacy.py",
    "curation/test_hostile.py",
    "gan/test_xla.py",
    "gan/test_logger.py",
    "train/test_gan.py",
    "train/test_gan_records.py",
    "curation/test_resume.py",
    "classifier/test_training.py",
    "gan/test_resume.py",
    "curation/test_beam.py",
    "curation/test_image_checks.py",
    "gan/test_progressive_gan.py",
    "gan/test_transfer.py",
    "evaluate/test_anomaly_experiment.py",
    "classifier/test_network.py",
    "curation/test_device_filter.py",
    "gan/test_alarm.py",
    "curation/test_curate.py",
    "train/test_gan_labels.py",
    "notebooks/test_notebooks.py",
)
SHARED = Path(__file__).resolve().parents[2] / "shared"


def pytest_collection_modifyitems(items: list) -> None:
    """The order of the files; that within them stays."""
    folder = Path(__file__).parent
    place = {folder / name: index for index, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in place), "LONGEST names files that are there"
    items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the checkout; tests that ask for it are extra and are skipped
    without it."""
    if not (SHARED / "reference").is_dir():
        pytest.skip("extra: needs the real data of ../shared")
    return SHARED


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The folder of committed numbers of the original code; its README says what is in them."""
    return Path(__file__).parent / "goldens"


@pytest.fixture
def original_networks(goldens) -> dict:
    """{"G", "D"} with the golden weights, new for each test."""
    import numpy as np

    from pgcxr.networks import original_weights

    sizes = {
        "resolution": 32,
        "num_channels": 1,
        "fmap_base": 256,
        "fmap_max": 64,
        "latent_size": 64,
    }
    weights = {}
    for name in ("generator", "discriminator"):
        golden = np.load(goldens / f"pggan_{name}.npz")
        weights[name] = {
            key[len("weights/") :]: golden[key] for key in golden if key.startswith("weights/")
        }
    return {
        "G": original_weights.build_generator(sizes, weights["generator"]),
        "D": original_weights.build_discriminator(sizes, weights["discriminator"]),
    }


@pytest.fixture(scope="session", autouse=True)
def drafts() -> Iterator[int]:
    """Figures have a sixteenth of their pixels: half of the time of an evaluation on tiny images
    went into these. Gives the dots per inch that users get."""
    from pgcxr.plots import figure

    with pytest.MonkeyPatch.context() as patched:
        real = figure.DPI
        patched.setattr(figure, "DPI", real // 4)
        yield real


@pytest.fixture(scope="module")
def traced_once() -> Iterator[None]:
    """Trainings of one config share their traces, see `tests/gan/traces.py`."""
    from tests.gan import traces

    with traces.shared():
        yield


@pytest.fixture(scope="session", autouse=True)
def two_devices():
    """Two logical CPU devices stand for two GPUs; they must be made before TensorFlow's first
    operation."""
    import gc

    import tensorflow as tf

    unoptimized()
    # What the imports made stays: the collector need not go through it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
