"""The report labeler on real reports: precision and recall against headings that people gave, and
reports per second.

    python -m benchmarks.report_labels indiana_reports.csv

The table is that of the Indiana University collection (Demner-Fushman et al., JAMIA 2016; Open-i),
as it is passed on in CSV: columns MeSH, findings, impression. Its MeSH headings were assigned by
hand. The phrases of english.toml were adjusted on every second report; the figures are of the
others. The headings know no doubt: a doubted finding counts as found in `recall_with_uncertain`
alone. Then the same reports in other forms (a sentence on a line without its full stop, wrapped,
...): how many are read otherwise, and how many that were not normal are called normal.
"""

import argparse
import json
import re
import textwrap
import time
from collections import Counter
from pathlib import Path

from pgcxr.cohort.findings import FINDINGS, NORMAL
from pgcxr.sources import tables
from pgcxr.sources.weak_labels import language
from pgcxr.sources.weak_labels.opinion import POSITIVE, UNCERTAIN
from pgcxr.sources.weak_labels.reports import Labeler

# "Opacity/lung/upper lobe/right/round" is how the headings say nodular opacity.
HEADINGS = {
    "nodule": r"(Nodule|Mass)(/|$)|(Opacity|Density)/.*round",
    "consolidation": r"(Consolidation|Infiltrate|Airspace Disease|Pneumonia)(/|$)",
    "interstitial_opacity": r"(Pulmonary Fibrosis|Pulmonary Edema|Lung Diseases, Interstitial)(/|$)"
    r"|(Markings|Opacity)/.*(interstitial|reticular)",
    "pleural_effusion": r"(Pleural Effusion|Hydropneumothorax)(/|$)",
    "pneumothorax": r"(Pneumothorax|Hydropneumothorax)(/|$)",
}


def _sentences(text: str) -> list[str]:
    found = re.split(r"(?<=[^\d\s])\.\s+(?=[A-Z0-9])", text)
    return [sentence.strip().rstrip(".") for sentence in found if sentence.strip(" .")]


FORMS = {
    "lines": lambda text: "\n".join(_sentences(text)),
    "lines in lower case": lambda text: "\n".join(_sentences(text)).lower(),
    "lines in capitals": lambda text: "\n".join(_sentences(text)).upper(),
    "a list": lambda text: "\n".join(f"- {sentence}" for sentence in _sentences(text)),
    "wrapped": lambda text: textwrap.fill(text, 60),
    "wrapped in capitals": lambda text: textwrap.fill(text.upper(), 70),
    "no blanks after full stops": lambda text: re.sub(r"\.\s+", ".", text),
}


def main() -> None:
    """Prints one JSON line for each finding, one for the label, one for the speed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    rows = [
        row
        for row in tables.columns(parser.parse_args().table, ("MeSH", "findings", "impression"))
        if any(row[1:])
    ]
    held_out = rows[1::2]
    labeler = Labeler(language.load())
    started = time.perf_counter()
    read = [
        labeler.opinion(f"FINDINGS: {findings}\n\nIMPRESSION: {impression}")
        for _, findings, impression in held_out
    ]
    seconds = time.perf_counter() - started
    headings = [[heading.strip() for heading in row[0].split(";")] for row in held_out]
    for finding in FINDINGS:
        true = [
            any(re.match(HEADINGS[finding], heading) for heading in found) for found in headings
        ]
        counts = Counter(
            (truth, opinion.status(finding)) for truth, opinion in zip(true, read, strict=True)
        )
        said, found = counts[True, POSITIVE] + counts[False, POSITIVE], counts[True, POSITIVE]
        line = {
            "finding": finding,
            "reports": len(true),
            "with_heading": sum(true),
            "precision": found / max(said, 1),
        }
        line["recall"] = found / max(sum(true), 1)
        line["recall_with_uncertain"] = (found + counts[True, UNCERTAIN]) / max(sum(true), 1)
        print(json.dumps(line))
    normal = Counter(
        (found == [NORMAL], opinion.label or "silent")
        for found, opinion in zip(headings, read, strict=True)
    )
    print(
        json.dumps(
            {"heading_normal": sum(n for (truth, _), n in normal.items() if truth)}
            | {
                f"labelled_{label}": normal[True, label]
                for label in ("normal", "abnormal", "uncertain", "silent")
            }
        )
    )
    print(json.dumps({"reports_per_second": len(read) / seconds}))
    texts = [f"{findings} {impression}" for _, findings, impression in held_out]
    whole = [labeler.opinion(text) for text in texts]
    for name, form in FORMS.items():
        pairs = [(one, labeler.opinion(form(text))) for one, text in zip(whole, texts, strict=True)]
        otherwise = sum(
            one.label != other.label or one.statuses != other.statuses for one, other in pairs
        )
        lost = sum(one.label != NORMAL and other.label == NORMAL for one, other in pairs)
        print(json.dumps({"form": name, "read_otherwise": otherwise, "called_normal": lost}))


if __name__ == "__main__":
    main()
