"""The map of an image as DICOM, in the geometry of the original: a Secondary Capture (the map over
the image) and a Segmentation (where the networks see an anomaly), by highdicom.

Both belong to the patient and the study of the original, as a PACS needs it: they name the patient
as the original does.
"""

import hashlib
import uuid
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pydicom
from pydicom.uid import UID, ExplicitVRLittleEndian

import pgcxr
from pgcxr.dicom import display_area
from pgcxr.dicom.reading import quiet, read, whole
from pgcxr.errors import ArgumentError, fault_of_installation
from pgcxr.images import CROP, fitted_side, inside_square
from pgcxr.plots import overlay

# A pixel of the Segmentation is more likely anomalous than not.
LIKELY = 0.5
NOTICE = "RESEARCH: NOT FOR DIAGNOSIS"
SERIES = {"capture": 9901, "segmentation": 9902}
MAKER, PRODUCT = "pgcxr", "pgcxr screen"
# Of a frontal chest whose header does not say it: rows run to the patient's left, columns to the
# feet (PS3.3 C.7.6.1.1.1).
FRONTAL = ("L", "F")
# What must be there, if empty (type 2 of PS3.3 C.7.1.1 and C.7.2.1), and what nothing can do
# without.
MAY_BE_EMPTY = (
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("AccessionNumber", "StudyID", "ReferringPhysicianName"),
)
NEEDED = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


@dataclass(frozen=True)
class Finding:
    """What is written of one image.

    Attributes:
        heat: the map of the padded (or cut) square, [s, s] in [0, 1].
        text: what was found, in a line that names nobody.
        fit: images.PAD or CROP, how the image became square.
        model: sha256 of the model.
        burned_in: whether there may be text in the pixels that identifies.
    """

    heat: np.ndarray
    text: str
    fit: str
    model: str
    burned_in: bool = False


def check_installation() -> None:
    """Raises ArgumentError where highdicom is not installed."""
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "highdicom":
            expected = "highdicom is not installed; it comes with pip install 'pgcxr[screening]'"
            raise ArgumentError("dicom", expected) from None
        raise fault_of_installation(error) or error from None


def write(path: Path, shown: np.ndarray, finding: Finding, name: str, folder: Path) -> list[Path]:
    """Writes `folder`/NAME-capture.dcm and, where a place is likely anomalous,
    NAME-segmentation.dcm; nothing where the original lacks the UIDs to refer to it by.

    Args:
        path: the original.
        shown: its image without text, uint8 [H, W] in square pixels, of any resolution.
        name: of the image.
    """
    from pgcxr.io import artifacts

    with quiet():
        source = read(path, stop_before_pixels=True)
        if not all(source.get(keyword) for keyword in NEEDED):
            return []
        for keyword in MAY_BE_EMPTY:
            if keyword not in source:
                setattr(source, keyword, "")
        rows, columns = whole(source, "Rows"), whole(source, "Columns")
        square = _square_shape(source, rows, columns)
        heat = _resized(unfit(finding.heat, square, finding.fit), rows, columns)
        objects = {"capture": _capture(source, _resized(shown, rows, columns), heat, finding)}
        if (heat >= LIKELY).any():
            objects["segmentation"] = _segmentation(source, heat >= LIKELY, finding)
        written = []
        for kind, dataset in objects.items():
            final = folder / f"{name}-{kind}.dcm"
            with artifacts.atomic_path(final, private=True) as beside:
                dataset.save_as(beside, enforce_file_format=True)
            written.append(final)
    return written


def unfit(square: np.ndarray, shape: tuple[int, int], fit: str) -> np.ndarray:
    """The values [s, s] of a square image as those of the image of `shape` that it was made of;
    what was cut off is 0.

    Example:

        >>> unfit(np.ones((4, 4)), (8, 4), "crop")[:, 0].tolist()
        [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    side = fitted_side(*shape, fit)
    whole_square = _resized(square, side, side)
    if fit != CROP:
        return whole_square[inside_square(shape, side)]
    out = np.zeros(shape, whole_square.dtype)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    out[top : top + side, left : left + side] = whole_square
    return out


def _square_shape(source: pydicom.Dataset, rows: int, columns: int) -> tuple[int, int]:
    """The shape of the image in square pixels, as `display_area.square_pixels` gives it."""
    ratio = display_area.aspect(source)
    return round(rows * max(ratio, 1)), round(columns * max(1 / ratio, 1))


def _resized(values: np.ndarray, rows: int, columns: int) -> np.ndarray:
    if values.shape == (rows, columns):
        return values
    if values.dtype != np.uint8:
        values = values.astype(np.float32)
    smaller = rows < values.shape[0]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return cv2.resize(values, (columns, rows), interpolation=how)


def _capture(
    source: pydicom.Dataset, shown: np.ndarray, heat: np.ndarray, finding: Finding
) -> pydicom.Dataset:
    from highdicom.sc import SCImage

    picture = np.ascontiguousarray(overlay.overlay(shown, heat, limits=(0.0, 1.0)))
    scale = max(picture.shape[1] / 1000, 0.4)
    place = (round(12 * scale), picture.shape[0] - round(12 * scale))
    weight = max(round(2 * scale), 1)
    # White on black, to be read over the abdomen, too.
    for color, stroke in (((0, 0, 0), 4 * weight), ((255, 255, 255), weight)):
        cv2.putText(picture, NOTICE, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8 * scale, color, stroke)
    oriented = [str(side) for side in source.get("PatientOrientation") or ()]
    made = SCImage.from_ref_dataset(
        source,
        picture,
        "RGB",
        8,
        "PATIENT",
        series_instance_uid=_uid(source, finding, "capture series"),
        series_number=SERIES["capture"],
        sop_instance_uid=_uid(source, finding, "capture"),
        instance_number=1,
        manufacturer=MAKER,
        patient_orientation=tuple(oriented) if len(oriented) == 2 else FRONTAL,
        transfer_syntax_uid=ExplicitVRLittleEndian,
    )
    made.SeriesDescription = "Anomaly map, research"
    made.DerivationDescription = finding.text
    made.ImageComments = NOTICE
    # Of what identifies: the notice does not.
    made.BurnedInAnnotation = "YES" if finding.burned_in else "NO"
    return made


def _segmentation(source: pydicom.Dataset, mask: np.ndarray, finding: Finding) -> pydicom.Dataset:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom.sr.codedict import codes

    algorithm = AlgorithmIdentificationSequence(
        name=PRODUCT,
        version=pgcxr.__version__,
        family=codes.DCM.ArtificialIntelligence,
    )
    segment = SegmentDescription(
        segment_number=1,
        segment_label="Anomaly",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Lesion,
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm,
        tracking_uid=_uid(source, finding, "tracking"),
        tracking_id="anomaly",
    )
    made = Segmentation(
        [source],
        mask[None].astype(np.uint8),
        "BINARY",
        [segment],
        series_instance_uid=_uid(source, finding, "segmentation series"),
        series_number=SERIES["segmentation"],
        sop_instance_uid=_uid(source, finding, "segmentation"),
        instance_number=1,
        manufacturer=MAKER,
        manufacturer_model_name=PRODUCT,
        software_versions=pgcxr.__version__,
        device_serial_number="0",
        content_description=NOTICE,
        content_label="ANOMALY",
    )
    made.SeriesDescription = "Anomaly segmentation, research"
    return made


def _uid(source: pydicom.Dataset, finding: Finding, what: str) -> UID:
    """The same for the same original and model, so that a PACS keeps one of each."""
    seed = "/".join((str(source.get("SOPInstanceUID", "")), finding.model, what))
    digest = hashlib.sha256(seed.encode()).digest()[:16]
    return UID(f"2.25.{uuid.UUID(bytes=digest).int}")
