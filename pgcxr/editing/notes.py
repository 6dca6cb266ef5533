"""What the user should know of edited images, in words."""

import numpy as np

from pgcxr.editing.moving import THERE
from pgcxr.editing.sheets import words
from pgcxr.metrics import saliency

# A correlation below it: the nearest image does not stand for the radiograph.
ALIKE = 0.8


def notes(body: dict) -> list[str]:
    """What the user should know of a finished report, each a sentence."""
    found = []
    for name in body["axes"]:
        found += [f"{words(name)}: {note}" for note in _of_disease(name, body)]
    for name, told in body["side_effects"].items():
        rises = ", ".join(f"{who} {start:.2f} -> {end:.2f}" for who, (start, end) in told.items())
        found.append(f"{words(name)} rises, too ({rises})")
    for name, row in (body["inversion"] or {}).items():
        found.append(
            f"{name}: its nearest synthetic image, which is edited, is off by "
            f"{row['gray_levels']:.1f} of 255 gray levels on the mean (correlation "
            f"{row['correlation']:.2f})"
        )
        if row["correlation"] < ALIKE:
            found.append(f"{name}: the generator can't show it: what is edited is another image")
        shown, nearest = row["likelihoods"]["radiograph"], row["likelihoods"]["nearest"]
        for reader, likelihood in shown.items():
            if (likelihood >= THERE) != (nearest[reader] >= THERE):
                found.append(
                    f"{name}: not the same finding in the two ({reader.replace('_', ' ')}: "
                    f"{likelihood:.2f} in the radiograph, {nearest[reader]:.2f} in the nearest)"
                )
    if not body["mp4"]:
        found.append("no animation.mp4: this OpenCV has no encoder (VP9)")
    return found


def _of_disease(name: str, body: dict) -> list[str]:
    row, effect, starts, found = body["axes"][name], body["effects"][name], body["starts"], []
    if not row["found"]:
        why = "; ".join(row["why_not"])
        found.append(f"its axis was not found ({why}): what it shows is no evidence")
    if row["calibration"]["stops_short"]:
        end = np.degrees(row["calibration"]["highest_angle"])
        found.append(
            "the guides' logit is highest before the walk ends; severity 1 is there "
            f"({end:.0f} degrees)"
        )
    if effect["there_at_start"]:
        names = ", ".join(starts[place] for place in effect["there_at_start"])
        found.append(f"there before any edit, by the guides: {names}")
    if short := [one for one, ok in zip(starts, effect["reached"], strict=True) if not ok]:
        found.append(
            f"{len(short)} of {len(starts)} images don't get half as far as their severity says, "
            f"by the guides: {', '.join(short)}"
        )
    for judge, told in effect["judges"].items():
        found.append(
            f"{judge}, which took no part, sees it in {told['there_at_start']} of {len(starts)} "
            f"images before and {told['there_at_end']} after"
        )
    if not effect["judges"]:
        found.append("no judge here can see it")
    if name in body["gradcam"]:
        found.append(f"at the end Grad-CAM of guide 1 {saliency.in_words(body['gradcam'][name])}")
    return found
