"""Devices that no code and no report mentions, seen on the images by a small CNN (thesis 1.1).

The network is a RUN of `python -m train.classifier COHORT --labels device`; it judges the images that were decoded, in
this process, and what it finds is excluded by the rule of devices.
"""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from pgcxr import artefacts
from pgcxr.data import cohort
from pgcxr.data.rules import Rules
from pgcxr.errors import InputError

MODEL = "classifier.keras"
LABELS = "device"
# Images that are read at once.
CHUNK = 512
REASON = ("device", "seen by the device classifier")


class DeviceFilter:
    """The classifier in `run`; it is loaded when the first image is judged. `sha256` is that of its file."""

    def __init__(self, run: Path):
        config = artefacts.existing_folder(run, "a RUN of train.classifier --labels device") / "config.json"
        settings = artefacts.read_json(config) if config.is_file() else {}
        if settings.get("labels") != LABELS or not isinstance(settings.get("size"), int):
            raise InputError(f"--device-model {run}: is no RUN of `python -m train.classifier COHORT --labels device`")
        self.path, self.size = run / MODEL, settings["size"]
        if not self.path.is_file():
            raise InputError(f"--device-model {run}: lacks {MODEL}; train it again")
        self.sha256 = hashlib.sha256(self.path.read_bytes()).hexdigest()
        self._model = None

    def check_size(self, size: int) -> None:
        """Raises InputError where images of `size` px are smaller than those that the classifier reads."""
        if size < self.size:
            raise InputError(
                f"--device-model: reads images of {self.size} px, larger than the cohort's {size} px; "
                f"curate with --size {self.size} or more, or train one with --set size={size}"
            )

    def probabilities(self, paths: Sequence[Path]) -> np.ndarray:
        """float32 [N]: how sure it is of a device on each PNG."""
        found = []
        for at in range(0, len(paths), CHUNK):
            images = cohort.load_images(paths[at : at + CHUNK], self.size)
            found.append(self._predict(images))
        return np.concatenate([np.zeros(0, np.float32), *found])

    def _predict(self, images: np.ndarray) -> np.ndarray:
        """As pgcxr.images.from_uint8 scales them, uint8 [N, R, R, 1] -> float32 [N]."""
        if self._model is None:
            import keras

            try:
                self._model = keras.saving.load_model(self.path, compile=False, safe_mode=True)
            except Exception:  # Keras raises anything on damaged files
                raise InputError(f"{self.path}: cannot be read; train it again") from None
        scaled = images.astype(np.float32) / np.float32(127.5) - np.float32(1.0)
        return self._model.predict_on_batch(scaled)[:, 0]

    def worn(self, scans: Sequence, place: Callable, rule_set: Rules) -> dict[int, tuple[str, str]]:
        """{number: REASON} of the scans that may show no device, by their label, and do; `place(scan)` is the PNG."""
        judged = [scan for scan in scans if rule_set.asks_for_devices(scan)]
        sure = self.probabilities([place(scan) for scan in judged]) >= rule_set.tables["device"]["probability"]
        return {scan.number: REASON for scan, found in zip(judged, sure, strict=True) if found}


def asked(run: str | Path | None, rule_set: Rules) -> DeviceFilter | None:
    """The filter that --device-model names, or None."""
    if run is None:
        return None
    if not rule_set.enabled("device"):
        raise InputError(f"--device-model {run}: the rule [device] is off; switch it on, or leave this out")
    return DeviceFilter(Path(run))
