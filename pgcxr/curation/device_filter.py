"""Devices that no code and no report mentions, seen on the images by a small CNN (thesis 1.1).

The network is a RUN of train.classifier on labels "device"; it judges the images that were decoded,
in this process, and what it finds is excluded by the rule of devices.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np

from pgcxr.cohort import image_files
from pgcxr.curation.rules import Rules
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places, user_files

MODEL, WEIGHTS = "classifier.keras", "model.weights.h5"
# Bytes of the weights, and of all that describes them: ten times those of a ResNet-50.
LARGEST, LARGEST_CONFIG = 1 << 30, 4 << 20
LABELS = "device"
# Images that are read at once.
CHUNK = 512
REASON = ("device", "seen by the device classifier")


class DeviceFilter:
    """The classifier in `run`, whose file is looked at here, and loaded by `load`. `sha256` is that
    of the file.

    Raises:
        InputError: it is no RUN of such a classifier, or its file holds, or claims to hold, more
            than one does.
    """

    def __init__(self, run: Path):
        config = (
            places.existing_folder(run, "a RUN of train.classifier on labels device")
            / "config.json"
        )
        settings = artifacts.read_json(config) if config.is_file() else {}
        self.path, self.size = run / MODEL, settings.get("size")
        if settings.get("labels") != LABELS or type(self.size) is not int or self.size < 1:
            expected = "is no RUN of train.classifier on labels device"
            raise ArgumentError("device_model", expected, received=run)
        if not self.path.exists():
            raise ArgumentError("device_model", f"lacks {MODEL}; train it again", received=run)
        content = user_files.read_bytes(self.path, LARGEST)
        self.sha256 = hashlib.sha256(content).hexdigest()
        _check_archive(self.path, content)
        self._model = None

    def check_size(self, size: int) -> None:
        """Raises ArgumentError where images of `size` px are smaller than those that the classifier
        reads."""
        if size < self.size:
            raise ArgumentError(
                "device_model",
                f"reads images of {self.size} px, larger than the cohort's {size} px; curate "
                f"images of {self.size} px or more, or train one of size {size}",
            )

    def probabilities(self, paths: Sequence[Path]) -> np.ndarray:
        """float32 [N]: how sure it is of a device on each PNG."""
        parts = [np.zeros(0, np.float32)]
        for at in range(0, len(paths), CHUNK):
            images = image_files.load_images(paths[at : at + CHUNK], self.size)
            parts.append(self._predict(images))
        return np.concatenate(parts)

    def load(self) -> None:
        """Loads it; InputError where it does not make one probability of one gray image of its
        size."""
        if self._model is not None:
            return
        from pgcxr.networks import saved

        model = saved.load(self.path, "cannot be read; train it again")
        shapes = [
            [tuple(tensor.shape) for tensor in ends] for ends in (model.inputs, model.outputs)
        ]
        finite = all(np.isfinite(np.asarray(weight)).all() for weight in model.get_weights())
        if shapes != [[(None, self.size, self.size, 1)], [(None, 1)]]:
            raise InputError(
                f"{self.path}: does not make one number of one gray image of {self.size} px, which "
                "its config.json says; train it again"
            )
        if not finite:
            raise InputError(f"{self.path}: has weights that are no finite numbers; train it again")
        self._model = model

    def _predict(self, images: np.ndarray) -> np.ndarray:
        """uint8 [N, R, R, 1] -> float32 [N]."""
        self.load()
        # Scaled as by pgcxr.networks.pixels.from_uint8 but for the last bit, in which many gray
        # levels differ: dividing by 127.5 rounds otherwise than multiplying by 2 / 255.
        scaled = images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        probabilities = np.asarray(self._model.predict_on_batch(scaled))[:, 0]
        if not ((probabilities >= 0) & (probabilities <= 1)).all():  # NaN included
            raise InputError(
                f"{self.path}: gives numbers that are no probabilities; train it again"
            )
        return probabilities

    def seen(self, scans: Sequence, place: Callable, rule_set: Rules) -> dict[int, bool]:
        """{number: whether a device is seen} on each of the scans; `place(scan)` is the PNG."""
        sure = (
            self.probabilities([place(scan) for scan in scans])
            >= rule_set.tables["device"]["probability"]
        )
        return {scan.number: bool(sees) for scan, sees in zip(scans, sure, strict=True)}


def _check_archive(path: Path, content: bytes) -> None:
    """Raises InputError where a .keras file (a ZIP archive) unpacks to more than a classifier, by
    its own word or not.

    Every member is read through, so that sizes that lie and bytes that are damaged are found before
    Keras reads them.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            claimed = {member.filename: member.file_size for member in archive.infolist()}
            weights = claimed.pop(WEIGHTS, 0)
            if weights > LARGEST or sum(claimed.values()) > LARGEST_CONFIG:
                raise InputError(f"{path}: unpacks to more than a classifier holds; train it again")
            if archive.testzip() is not None:
                raise zipfile.BadZipFile
            with archive.open(WEIGHTS) as member, h5py.File(io.BytesIO(member.read()), "r") as file:
                sizes: list[int] = []
                file.visititems(lambda name, each: sizes.append(getattr(each, "nbytes", 0)))
    except InputError:
        raise
    except Exception:  # zipfile and h5py raise anything on damaged files
        raise InputError(f"{path}: cannot be read; train it again") from None
    if sum(sizes) > LARGEST:
        raise InputError(f"{path}: unpacks to more than a classifier holds; train it again")


def asked(run: str | Path | None, rule_set: Rules) -> DeviceFilter | None:
    """The filter in `run`; None where there is none."""
    if run is None:
        return None
    if not rule_set.enabled("device"):
        expected = (
            "the rule [device] is off (in the rules, or by support_devices); switch it on, or "
            "leave this out"
        )
        raise ArgumentError("device_model", expected, received=run)
    return DeviceFilter(Path(run))
