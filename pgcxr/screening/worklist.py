"""worklist.html: the images in the order in which they should be looked at."""

from collections import Counter
from pathlib import Path

from pgcxr.plots.page import Page
from pgcxr.screening import pictures
from pgcxr.screening.results import FLAGGED, IMAGES, REFUSED, SCORED, Record


def beside(copies: int) -> str:
    """What is said after a count of files that have copies: each content counts once."""
    if not copies:
        return ""
    said = "1 byte-identical copy" if copies == 1 else f"{copies:,} byte-identical copies"
    return f" (and {said})"


def write(path: Path, records: list[Record], about: dict, most: int, copies: int) -> None:
    """Writes the page.

    Args:
        records: ordered.
        about: what it says of the model: name, specificity, specificity_limit, healthy, threshold.
        most: images whose pictures are shown.
        copies: files whose content another file has.
    """
    scored = [record for record in records if record.status != REFUSED]
    refused = records[len(scored) :]
    page = Page("Worklist")
    _opening(page, records, about, copies)
    page.section("In the order of their p-values")
    if scored:
        page.text(
            "The image is named by the first 16 digits of the sha256 of its file; the private "
            "table of the option trace tells which file that is. A p-value is the share of "
            "held-out normal images that look as unusual or more so."
        )
        header = ["", "image", "verdict", "p", "score", "reasons and notes"]
        rows = [_line(rank, record) for rank, record in enumerate(scored, 1)]
        page.table(header, rows, stacked=True)
    else:
        page.text("No image was scored.")
    _pictures(page, path.parent, scored, most)
    page.section("Refused")
    if refused:
        page.text("These were not scored. They need another way of being read.")
        page.table(
            ["image", "reason"], [[record.image, "; ".join(record.reasons)] for record in refused]
        )
    else:
        page.text("No image was refused.")
    page.write(path)


def _opening(page: Page, records: list[Record], about: dict, copies: int) -> None:
    counts = Counter(record.status for record in records)
    scored = counts[SCORED] + counts[FLAGGED]
    called = sum(bool(record.anomalous) for record in records)
    page.verdict(
        None,
        "For research; not a medical device. Not for diagnosis, triage or any decision about a "
        "patient.",
    )
    page.text(
        f"Of {len(records):,} files{beside(copies)} {scored:,} were scored, "
        f"{counts[FLAGGED]:,} of these flagged with a doubt, and {counts[REFUSED]:,} refused. "
        f"{called:,} are called anomalous (model: {about['name']}): their score is above "
        f"{about['threshold']:.3g}, the threshold for a specificity of "
        f"{about['specificity']:.0%} on normal images (at least {about['specificity_limit']:.1%} "
        f"with 95 % confidence, from {about['healthy']:,} held-out normal images). So among normal "
        f"images about {1 - about['specificity']:.0%} are called anomalous, too; and an image that "
        "is not may show a disease."
    )


def _line(rank: int, record: Record) -> list:
    said = [*(record.reasons if record.status == FLAGGED else ()), *record.notes]
    p = f"{record.p_value:.2g}"
    return [str(rank), record.image, record.verdict, p, record.score, "; ".join(said)]


def _pictures(page: Page, folder: Path, scored: list[Record], most: int) -> None:
    shown = scored[:most]
    if not shown:
        return
    page.section("Pictures")
    page.text(
        "In this order: the image; the normal image that is nearest to it; their difference, "
        "red where the image is brighter and blue where it is darker; where the networks see an "
        "anomaly, yellow being certain. Colors mean the same in all images."
    )
    if len(shown) < len(scored):
        page.text(
            f"The first {len(shown):,} of {len(scored):,} images are shown; the pictures of all "
            f"are in {IMAGES}/."
        )
    for rank, record in enumerate(shown, 1):
        said = f" {'; '.join(record.reasons)}." if record.status == FLAGGED else ""
        caption = f"{rank}. {record.image}: {record.verdict}, p = {record.p_value:.2g}.{said}"
        alt = f"Image {record.image}, its reconstruction, their difference and the anomaly map"
        strip = folder / IMAGES / record.image / pictures.STRIP
        page.strip(strip, pictures.HALF_OF_STRIP, caption, alt)
