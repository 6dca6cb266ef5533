"""The image, its findings and their masks."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from pgcxr.cohort.findings import OTHER_FINDINGS, TABLE_6
from pgcxr.phantom.devices import DEVICES
from pgcxr.phantom.lateral import VISIBLE
from pgcxr.phantom.patient import sample_patient
from pgcxr.phantom.render import VIEWS, render

SIZE = 160
# What a finding does to the brightness of its mask (bones white): adds tissue, or replaces it by
# air.
BRIGHTER = (
    "nodule",
    "calcification",
    "consolidation",
    "interstitial_opacity",
    "mediastinal_widening",
    "pleural_effusion",
)
DARKER = ("pneumomediastinum", "subcutaneous_emphysema", "pneumoperitoneum")
# These push the mediastinum aside as well; a mask shows the lesion alone.
SHIFTING = ("atelectasis", "pneumothorax", "pleural_effusion")


def adult(index: int):
    return sample_patient(np.random.default_rng([77, index]), age=45)


@pytest.fixture(scope="module")
def pairs():
    """{(finding, severity): (without, with, mask)} of one patient each, in gray levels of 12
    bit."""
    found = {}
    for index, finding in enumerate(TABLE_6):
        for severity in (0.3, 0.7):
            without = render(adult(index), SIZE, seed=index)
            diseased = render(adult(index), SIZE, findings={finding: severity}, seed=index)
            found[finding, severity] = (
                without.pixels.astype(float),
                diseased.pixels.astype(float),
                diseased.masks[finding],
            )
    return found


@pytest.mark.parametrize("view", VIEWS)
def test_pixels_are_twelve_bit_and_use_the_range(view):
    pixels = render(adult(0), 96, view=view, seed=3).pixels
    assert pixels.shape == (96, 96) and pixels.dtype == np.uint16
    assert pixels.max() < 4096 and np.ptp(pixels) > 2000


def test_same_arguments_same_image_and_other_seeds_other_exposures():
    first, again, other = (render(adult(1), 96, seed=seed).pixels for seed in (4, 4, 5))
    assert np.array_equal(first, again)
    assert np.abs(first.astype(int) - other).mean() > 20


def test_geometry_does_not_depend_on_the_number_of_pixels():
    large, small = (render(adult(2), size, findings={"nodule": 1.0}, seed=9) for size in (512, 128))
    reduced = cv2.resize(large.pixels.astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(reduced.ravel(), small.pixels.ravel())[0, 1] > 0.99
    mask = (
        cv2.resize(
            large.masks["nodule"].astype(np.float32), (128, 128), interpolation=cv2.INTER_AREA
        )
        > 0.5
    )
    both = np.logical_and(mask, small.masks["nodule"]).sum()
    assert both > 0.6 * max(mask.sum(), small.masks["nodule"].sum())


@pytest.mark.parametrize("finding", TABLE_6)
def test_mask_holds_the_change(pairs, finding):
    for severity in (0.3, 0.7):
        without, diseased, mask = pairs[finding, severity]
        assert mask.dtype == bool and mask.shape == (SIZE, SIZE)
        assert 2 <= mask.sum() < 0.55 * mask.size
        energy = (diseased - without) ** 2
        wide = binary_dilation(mask, iterations=3)
        assert energy[wide].sum() > (0.7 if finding in SHIFTING else 0.9) * energy.sum()


@pytest.mark.parametrize("finding", BRIGHTER + DARKER)
def test_sign_of_the_change(pairs, finding):
    for severity in (0.3, 0.7):
        without, diseased, mask = pairs[finding, severity]
        change = (diseased - without)[mask].mean()
        assert change > 25 if finding in BRIGHTER else change < -25


def test_pneumothorax_is_darker_at_the_side_and_has_no_vessels_there():
    patient = adult(3)
    without = render(patient, 256, seed=2).pixels.astype(float)
    diseased = render(patient, 256, findings={"pneumothorax": 0.6}, seed=2)
    change = np.where(diseased.masks["pneumothorax"], diseased.pixels - without, 0)
    air = cv2.erode((change < -60).astype(np.uint8), np.ones((9, 9))) > 0
    assert air.sum() > 200
    # Ribs remain, vessels go: less fine structure.
    fine = [
        cv2.Laplacian(cv2.GaussianBlur(image, (0, 0), 1), -1)
        for image in (without, diseased.pixels.astype(float))
    ]
    assert fine[1][air].std() < fine[0][air].std()


@pytest.mark.parametrize(
    "finding", ["nodule", "consolidation", "pleural_effusion", "mediastinal_widening"]
)
def test_more_severe_is_more_visible(finding):
    changes = []
    for severity in (0.25, 1.0):
        total = 0.0
        for index in range(3):
            without = render(adult(index), 96, seed=index).pixels.astype(float)
            total += np.abs(
                render(adult(index), 96, findings={finding: severity}, seed=index).pixels - without
            ).sum()
        changes.append(total)
    assert changes[1] > 1.5 * changes[0]


def test_far_from_a_nodule_nothing_changes():
    patient = adult(4)
    without, diseased = (
        render(patient, 128, findings=found, seed=1) for found in ({}, {"nodule": 0.8})
    )
    far = ~binary_dilation(diseased.masks["nodule"], iterations=24)
    # Scatter reaches far but is faint: well under 1 % of the range.
    assert np.abs(diseased.pixels.astype(int) - without.pixels)[far].max() < 30


@pytest.mark.parametrize("device", DEVICES)
def test_devices_are_brighter_than_what_lies_below(device):
    without = render(adult(5), 256, seed=1).pixels.astype(int)
    change = render(adult(5), 256, devices=(device,), seed=1).pixels - without
    assert (change > 120).sum() > 60 and change[change > 120].sum() > -change[change < -120].sum()


def test_a_lateral_film_shows_what_can_be_seen_from_the_side():
    found = render(adult(6), 96, view="LATERAL", findings=dict.fromkeys(TABLE_6, 0.9)).masks
    assert set(found) == set(VISIBLE)
    assert all(mask.any() for mask in found.values())


def test_two_findings_have_two_masks():
    found = render(adult(7), 96, findings={"pleural_effusion": 0.6, "nodule": 0.9}).masks
    assert set(found) == {"pleural_effusion", "nodule"} and all(
        mask.any() for mask in found.values()
    )


@pytest.mark.parametrize("bad", [{"hiccups": 0.5}, {"nodule": 0.0}, {"nodule": 1.5}])
def test_unknown_findings_and_severities_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        render(adult(0), 64, findings=bad)


def test_every_adult_can_have_every_other_finding():
    for index in range(40):
        finding = OTHER_FINDINGS[index % len(OTHER_FINDINGS)]
        mask = render(adult(100 + index), 64, findings={finding: 0.25}, seed=index).masks[finding]
        assert mask.any(), (finding, index)
