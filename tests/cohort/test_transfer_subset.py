"""Cohorts of fewer training images, for `benchmarks.transfer`."""

from benchmarks.transfer import subset
from pgcxr.cohort import manifest
from tests.toy_cohort import ramps, write_cohort


def test_fewer_images_are_a_part_of_more_and_no_held_out_one_is_lost(tmp_path):
    whole = write_cohort(tmp_path / "whole", *ramps(60, 8, seed=1))
    few, more = (manifest.load(subset(whole, tmp_path / str(n), n, seed=3)) for n in (5, 20))
    rows = manifest.load(whole).manifest
    held_out = set(rows[rows["split"] != "train"]["image_id"])
    for cohort, count in ((few, 5), (more, 20)):
        assert len(cohort.select("train")) == count
        assert (
            set(cohort.manifest["image_id"]) - set(cohort.select("train").manifest["image_id"])
            == held_out
        )
    assert set(few.manifest["image_id"]) < set(more.manifest["image_id"])
    assert few.images(8).shape[0] == len(few)
    other = manifest.load(subset(whole, tmp_path / "other", 5, seed=4))
    assert set(other.manifest["image_id"]) != set(few.manifest["image_id"])
