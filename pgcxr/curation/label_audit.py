"""Weak labels, audited: how far the two witnesses agree, and a sample of images for a radiologist
to check.

Writes label_agreement.csv, label_sample.csv and label_sample.html. No text of a report goes out: a
report is shown by the phrases of the lexicon that decided.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
import numpy as np

from pgcxr.cohort.findings import FINDINGS
from pgcxr.curation.choosing import Image
from pgcxr.curation.tables import write_csv
from pgcxr.io import artifacts
from pgcxr.sources import Scan
from pgcxr.sources.weak_labels import agreement, decision
from pgcxr.sources.weak_labels.labeling import Labeling
from pgcxr.sources.weak_labels.opinion import NOT_MENTIONED, POSITIVE, Opinion
from pgcxr.sources.weak_labels.reports import NO_PHRASE

# A share of the reports in which no phrase needs to be known.
FEW = 0.05
SAME, OTHER_FINDINGS = "same label and findings", "same label, other findings"


def write(
    folder: Path,
    scans: Sequence[Scan],
    images: Sequence[Image],
    labeling: Labeling,
    *,
    seed: int,
    sample: int,
) -> dict:
    """Writes the audit into the cohort and returns what report.json says of the labels.

    Args:
        scans: all of the export; agreement is taken over all studies that have two witnesses.
        images: the cohort's, of which the sample is drawn.
        sample: how many images to draw, one of a study at most.
    """
    confidence = Counter(
        str(image.scan.confidence) for image in images if image.scan.confidence is not None
    )
    witnesses = Counter("+".join(image.scan.witnesses) for image in images if image.scan.witnesses)
    described = {
        **labeling.described(),
        "reports": _reports(scans),
        "confidence": dict(sorted(confidence.items())),
        "witnesses": witnesses,
    }
    pairs = {scan.study: scan.opinions for scan in reversed(scans) if len(scan.opinions) == 2}
    if not any(first.label and second.label for first, second in pairs.values()):
        return described
    counts = agreement.compare(pairs.values())
    names = tuple(opinion.witness for opinion in next(iter(pairs.values())))
    write_csv(folder / "label_agreement.csv", agreement.COLUMNS, agreement.rows(counts, names))
    drawn = _draw(images, seed, sample)
    if drawn:
        rows = [_row(image, *place) for image, place in drawn]
        write_csv(folder / "label_sample.csv", tuple(rows[0]), rows)
        artifacts.write_text(folder / "label_sample.html", _page(rows, drawn, names))
    return {
        **described,
        "compared": list(names),
        "agreement": agreement.summary(counts),
        "sample": len(drawn),
    }


def warnings(labels: dict) -> list[str]:
    """What has to be said of the reports, from what `write` gives: those that were not understood.

    One or two without a known phrase are no wonder ("rotated"); reports in another language are.
    """
    reports = labels["reports"]
    unread = Counter(reports["not_understood"])
    count = sum(unread.values())
    few = count == unread[NO_PHRASE] and count < FEW * reports["studies"]
    if not count or few:
        return []
    which = ", ".join(f"{name}: {n}" for name, n in unread.most_common())
    policy = labels.get("policy", decision.CODES)
    then = (
        "the codes of those studies decide alone"
        if policy == decision.CODES
        else f'those studies are excluded ("report: not understood"), as labels is {policy}'
    )
    return [
        f"{count} of {reports['studies']} reports were not understood ({which}): they decided "
        f"nothing, and no rule saw their words; {then}. "
        "docs/curation.md, Labels, says how to give the phrases of another language"
    ]


def _reports(scans: Sequence[Scan]) -> dict:
    """How many studies have a report, and why how many of those were not understood."""
    studies = {scan.study or -scan.number: scan for scan in scans if scan.report.strip()}
    unread = Counter(
        opinion.unread for scan in studies.values() for opinion in scan.opinions if opinion.unread
    )
    return {"studies": len(studies), "not_understood": dict(sorted(unread.items()))}


def stratum(first: Opinion, second: Opinion) -> str:
    """What a study counts as in the sample: who says what of the label, and whether the findings
    are the same."""
    if first.label == second.label:
        same = first.having(POSITIVE) == second.having(POSITIVE)
        return f"both {first.label or 'silent'}: {SAME if same else OTHER_FINDINGS}"
    return f"{first.witness} {first.label or 'silent'}, {second.witness} {second.label or 'silent'}"


def _draw(cohort: Sequence[Image], seed: int, sample: int) -> list[tuple]:
    """[(image, (stratum, images in it, images drawn of it))]: the strata get equal shares as far as
    they reach."""
    members: dict[str, list] = defaultdict(list)
    studies = set()
    for image in sorted(cohort, key=lambda image: image.image_id):
        if len(image.scan.opinions) == 2 and image.scan.study not in studies:
            studies.add(image.scan.study)
            members[stratum(*image.scan.opinions)].append(image)
    drawn, left = [], sample
    # The smallest strata first: what they cannot fill goes to the larger ones.
    for done, name in enumerate(sorted(members, key=lambda name: (len(members[name]), name))):
        images = members[name]
        take = min(len(images), left // (len(members) - done))
        left -= take
        # 3: a stream of its own beside the shuffles of curation.
        chosen = np.random.default_rng([seed, 3, done]).permutation(len(images))[:take]
        drawn += [(images[index], (name, len(images), take)) for index in chosen]
    # Mixed, so that the place in the list says nothing of the label.
    return [drawn[index] for index in np.random.default_rng([seed, 4]).permutation(len(drawn))]


def _row(image, name: str, size: int, taken: int) -> dict:
    first, second = image.scan.opinions
    row = {
        "image_id": image.image_id,
        "stratum": name,
        "images_in_stratum": size,
        "drawn_of_it": taken,
    }
    row |= {
        "label": image.scan.label,
        f"{first.witness}_label": first.label,
        f"{second.witness}_label": second.label,
    }
    row["label_words"] = _words(first, second, "label")
    for finding in FINDINGS:
        row[f"{first.witness}_{finding}"] = _said(first, finding)
        row[f"{second.witness}_{finding}"] = _said(second, finding)
        row[f"{finding}_words"] = _words(first, second, finding)
    return {**row, "checked_label": "", "checked_findings": "", "comment": ""}


def _said(opinion: Opinion, finding: str) -> str:
    status = opinion.status(finding)
    return "" if status == NOT_MENTIONED else status


def _words(first: Opinion, second: Opinion, name: str) -> str:
    return second.words.get(name, "") or first.words.get(name, "")


def _page(rows: list[dict], drawn: list[tuple], names: tuple[str, ...]) -> str:
    text = resources.files(__package__).joinpath("label_sample.html").read_text(encoding="utf-8")
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text)
    strata = {row["stratum"]: (row["drawn_of_it"], row["images_in_stratum"]) for row in rows}
    pictures = [f"images/{image.image_id}.png" for image, _ in drawn]
    return page.render(
        rows=list(zip(rows, pictures, strict=True)), names=names, findings=FINDINGS, strata=strata
    )
