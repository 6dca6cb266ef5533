"""What the gate on release found, and the chapter on it."""

from pathlib import Path

from evaluate.protocol import Result
from pgcxr.plots.page import Page

SPACES = {"features": "the classifier's features", "pixels": "pixels"}


class PrivacyResult(Result):
    """Whether the gate lets a generator pass, and its chapter."""

    command = "evaluate.privacy"

    def chapter(self, page: Page) -> None:
        _write(page, self.folder, self.figures)


def _write(page: Page, folder: Path, report: dict) -> None:
    """The gate on release."""
    page.section("Does the GAN repeat its training images? (not in the thesis)")
    page.text(
        f"The training image nearest to each of {report['n']:,} synthetic images is looked for in "
        f"the classifier's features and in pixels, among {report['training_images']:,}; and to "
        f"each real image of {report['held_out_patients']:,} held-out patients as well, which are "
        "no copies. An image is below the cut-off where it is nearer than other patients' images, "
        "or images of the same patient, usually are."
    )
    rows = []
    for space, title in SPACES.items():
        found = report["spaces"][space]
        copies, other, nearest = (
            found["near_copies"],
            found["near_copies"]["held_out"],
            found["nearer_than_all"],
        )
        rows.append(
            (
                title,
                f"{copies['count']} of {copies['n']:,}",
                f"{other['count']} of {other['n']:,}",
                f"{nearest['count']} of {nearest['n']:,}",
                found["c_t"]["z"],
                found["not_authentic"]["share"],
                found["not_authentic"]["held_out"]["share"],
            )
        )
    page.table(
        [
            *("Distance in", "Below the cut-off: synthetic", "Below the cut-off: held-out"),
            *(
                "Nearer than any held-out image",
                "C_T",
                "Not authentic: synthetic",
                "Not authentic: held-out",
            ),
        ],
        rows,
        "C_T far below 0 speaks for copies (Meehan 2020). Not authentic: nearer to a training "
        "image than that is to its own nearest one (Alaa 2022).",
    )
    if report["passed"]:
        page.verdict(
            True,
            "No test of the gate found copies. pgcxr generate --release takes this report.",
            "Passed",
        )
    else:
        page.verdict(False, f"The gate found copies: {'; '.join(report['reasons'])}.", "Not passed")
    if others := lineage_note(report.get("lineage", [])):
        page.text(others)
    page.figure(
        folder / "distances.png",
        "Distances to the nearest training image; the dotted line is the cut-off.",
    )
    page.text(
        "The nearest pairs side by side are in privacy/pairs.png. This page and that folder show "
        "images of patients where the export is a hospital's: they are not for release, whatever "
        "the gate says of the generator."
    )


def lineage_note(lineage: list[dict]) -> str:
    """What the gate says nothing of: images that the networks before this training have seen; ""
    where it began from scratch, or with networks of phantom images."""
    names = [entry["name"] for entry in lineage if not entry.get("pretrained")]
    if not names:
        return ""
    return (
        f"The GAN began with the weights of {' and '.join(names)}. This gate compares with the "
        "images of its own cohort alone and says nothing of those that the earlier ones were "
        "trained on: let each pass a gate of its own before anything is released."
    )
