"""Whether the GAN has seen a patient of the test set."""

from pathlib import Path

from evaluate import common
from pgcxr.data.cohort import Cohort
from pgcxr.errors import InputError


def check(gan_run: Path, test: Cohort) -> dict:
    """{checked, gan_patients, test_patients, shared: 0}; InputError where the GAN was trained on a test patient.

    Patients are told by their hash, and images by the hash of their pixels, as two cohorts may be salted differently.
    `checked` is false for a GAN that was not trained here (an imported network).
    """
    config = common.load_run(gan_run) if (gan_run / "config.json").is_file() else {}
    if "cohort" not in config:
        return {"checked": False, "gan_patients": None, "test_patients": _unique(test, "patient_id"), "shared": None}
    seen = common.cohort_of(gan_run).select(split=config.get("split", "train"))
    if config.get("label", "all") != "all":
        seen = seen.select(label=config["label"])
    for column, what in (("patient_id", "patients"), ("sha256", "images")):
        if column in seen.manifest.columns and column in test.manifest.columns:
            shared = set(seen.manifest[column]) & set(test.manifest[column])
            if shared:
                raise InputError(
                    f"{gan_run}: was trained on {len(shared)} {what} of the real test set; "
                    "train the GAN and the classifier on one cohort, or on disjoint ones"
                )
    gan_patients = _unique(seen, "patient_id")
    return {"checked": True, "gan_patients": gan_patients, "test_patients": _unique(test, "patient_id"), "shared": 0}


def _unique(cohort: Cohort, column: str) -> int:
    return int(cohort.manifest[column].nunique())
