"""What the readers found, and the chapter on it."""

import math

from evaluate import thesis
from evaluate.protocol import Result
from evaluate.readers.kinds import ANOMALY, PREFERENCE, SEVERITY, TURING
from evaluate.thesis import p_value
from pgcxr.plots.page import Page

GENERAL = {
    "readers and cases": "other readers and other cases",
    "cases": "other cases, with these readers",
    "readers": "other readers, with these cases",
}
NAMES = {
    TURING: "real or synthetic",
    SEVERITY: "severity along an axis",
    ANOMALY: "anomalies without and with the map",
    PREFERENCE: "side by side",
}


class ReadersResult(Result):
    """The answers of a reader study, analyzed, and their chapter."""

    command = "evaluate.readers"

    def chapter(self, page: Page) -> None:
        """Who read what, then what came out."""
        report = self.figures
        page.section(f"Reader study, {NAMES[report['kind']]}: {report['title']}")
        page.text(
            f"{len(report['readers'])} readers, {report['cases']} cases. Each read in an order of "
            "her own, blinded to the right answers. Cases that were read twice count once, with "
            "their first answer; training cases count not at all."
        )
        page.table(
            ["Reader", "Answered", "Of", "Changed later", "Median seconds"],
            [
                (name, each["answered"], each["of"], each["changed"], each["median_seconds"])
                for name, each in report["readers"].items()
            ],
        )
        for line in report["warnings"]:
            page.verdict(None, f"{line}.")
        _CHAPTERS[report["kind"]](self, page)
        _agreement(page, report)


def _turing(result: ReadersResult, page: Page) -> None:
    report = result.figures
    page.table(
        [
            "Reader",
            "Right",
            "Accuracy",
            "95 % interval",
            "p, equal to chance",
            "AUROC",
            "95 % interval",
        ],
        [
            (
                name,
                f"{each['accuracy']['k']} of {each['accuracy']['n']}",
                *(each["accuracy"]["value"], each["accuracy"]["ci95"]),
                p_value(each["chance"]["p"]),
                *(each.get("auroc", {}).get("value"), each.get("auroc", {}).get("ci95")),
            )
            for name, each in report["each"].items()
        ],
        "Exact intervals. The p-value is of two one-sided tests: small where the accuracy lies "
        f"within {result.made_by['config']['margin']:g} of 0.5, as if by chance.",
    )
    if "accuracy" in report:
        mean = report["accuracy"]
        page.verdict(
            None,
            f"Mean accuracy {mean['mean']:.3f} (95 % interval {_span(mean['ci95'])}), for "
            f"{GENERAL[mean['generalizes_to']]}. {_chance(mean['chance'])}",
        )
    page.text(
        "The thesis has no number to set beside this: what it calls a visual Turing test is a "
        "radiologist's grading of severity, and nobody was asked which images are real."
    )
    _figure(result, page, "roc.png", "Telling synthetic from real images, by confidence.")


def _severity(result: ReadersResult, page: Page) -> None:
    report = result.figures
    page.table(
        ["Axis", "Spearman", "95 % interval", "Median grade: start", "end", "Thesis: end"],
        [
            (
                name.replace("_", " "),
                *(each["spearman"]["value"], each["spearman"]["ci95"]),
                *(_grade(each["median_grade_start"]), _grade(each["median_grade_end"])),
                thesis.SEVERITY_END.get(name),
            )
            for name, each in report["axes"].items()
        ],
        "Rank correlation between the angle along the axis and the grade (0 normal, 1 mild, 2 "
        "moderate, 3 severe): mean over readers, interval clustered by reader and by start. In the "
        "thesis one radiologist graded the images of three axes, from normal to the grade shown; a "
        "dash: it found no such axis.",
    )
    _figure(
        result,
        page,
        "grades.png",
        "Mean grade along each axis, with 95 % intervals that draw whole cases.",
    )


def _anomaly(result: ReadersResult, page: Page) -> None:
    report = result.figures
    rows = []
    for name, of in report["each"].items():
        for phase, each in of.items():
            rows.append(
                (
                    f"{name}, {phase} the map",
                    *(each["sensitivity"]["value"], each["sensitivity"]["ci95"]),
                    *(each["specificity"]["value"], each["specificity"]["ci95"]),
                    each.get("auroc", {}).get("value"),
                )
            )
    page.table(
        ["Reader", "Sensitivity", "95 % interval", "Specificity", "95 % interval", "AUROC"],
        rows,
        "Exact intervals.",
    )
    for name, title in (("auroc", "ROC curve"), ("afroc", "weighted AFROC curve (place counts)")):
        if name in report:
            _compared(page, report[name], title)
    page.table(
        [
            *("Class", "Thesis", "Cases", "Detected without", "Detected with", "Share with"),
            "95 % interval",
        ],
        [
            (
                *(name.replace("_", " "), _printed(name)),
                each["n"],
                *(_count(each.get("without")), _count(each.get("with"))),
                *(each.get("with", {}).get("share"), each.get("with", {}).get("ci95")),
            )
            for name, each in report["classes"].items()
        ],
        "Table 6; of all readings, intervals draw whole cases. Of the normal class, what was "
        "called abnormal. Thesis: subjects that one radiologist called detected when he saw the "
        "map, of all; he was shown no normal image.",
    )
    pictures = [
        (result.folder / f"{file}.png", caption)
        for file, caption in (
            ("roc_without", "Each reader without the map."),
            ("roc_with", "Each reader with the map."),
        )
        if (result.folder / f"{file}.png").is_file()
    ]
    if pictures:
        page.figures(pictures)
    _figure(
        result,
        page,
        "areas.png",
        "Area under the ROC curve of each reader, with DeLong's 95 % interval.",
    )
    if report.get("power", {}).get("table"):
        page.table(
            ["Readers", "Cases", "Power"],
            [(each["readers"], each["cases"], each["power"]) for each in report["power"]["table"]],
            "Chance that a next study with the same share of abnormal cases finds a difference of "
            f"{report['power']['difference']:g} in area (Hillis, Obuchowski & Berbaum 2011), if "
            "this one is typical.",
        )


def _preference(result: ReadersResult, page: Page) -> None:
    report = result.figures
    page.table(
        ["Reader", "First", "Second", "No difference", "Share first", "95 % interval", "p"],
        [
            (
                *(name, each["first"], each["second"], each["equal"]),
                *(each["share_first"], each["ci95"], p_value(each["p"])),
            )
            for name, each in report["each"].items()
        ],
        "How often the image of the first and of the second generator was called more real; exact "
        "interval and test of those that were told apart.",
    )
    if "preference" in report:
        mean = report["preference"]
        page.verdict(
            None,
            f"Mean preference for the first {mean['mean']:.3f}, no difference counting half (95 % "
            f"interval {_span(mean['ci95'])}), for {GENERAL[mean['generalizes_to']]}. "
            f"{_chance(mean['chance'])}",
        )


def _compared(page: Page, found: dict, title: str) -> None:
    """The Obuchowski-Rockette comparison of reading without and with the map."""
    rows = []
    for general, test in found["tests"].items():
        (difference,) = test["differences"]
        rows.append(
            (
                GENERAL[general],
                *(test["modalities"][0]["mean"], test["modalities"][0]["ci95"]),
                *(test["modalities"][1]["mean"], test["modalities"][1]["ci95"]),
                *(difference["difference"], difference["ci95"]),
                p_value(difference["p"]),
            )
        )
    page.table(
        [
            *("Area, for", "Without", "95 % interval", "With", "95 % interval"),
            *("With less without", "95 % interval", "p"),
        ],
        rows,
        f"Area under the {title}: Obuchowski-Rockette analysis with the jackknife and Hillis's "
        "degrees of freedom; what each line's interval and p hold for stands in front.",
    )


def _agreement(page: Page, report: dict) -> None:
    """Between readers, and of each with herself."""
    given = report["agreement"]
    if report["kind"] == ANOMALY:
        given = {f"{phase} the map": each for phase, each in given.items() if each}
    else:
        given = {"as answered": given} if given else {}
    if given:
        graded = any("icc" in each for each in given.values())
        head = ["Between readers", "Agreement", "Fleiss' kappa", "95 % interval"]
        head += ["Gwet's AC", "95 % interval"]
        rows = []
        for name, each in given.items():
            kappa, gwet = each["fleiss_kappa"], each["gwet"]
            row = [name, kappa["agreement"], kappa["value"], kappa["ci95"]]
            row += [gwet["value"], gwet["ci95"]]
            rows.append(row + ([each["icc"]["value"], each["icc"]["ci95"]] if graded else []))
        weights = next(iter(given.values()))["weights"]
        how = "" if weights == "identity" else f", weighted ({weights})"
        page.table(
            head + (["ICC(2,1)", "95 % interval"] if graded else []),
            rows,
            f"Of {', '.join(report['joint_readers'])}: 1 is full agreement, 0 that of chance{how}; "
            "intervals for other cases.",
        )
    if report["intra_reader"]:
        page.table(
            ["Same reader, again", "Cases", "Agreement", "Kappa"],
            [
                (name, each["n"], each["agreement"], each["kappa"])
                for name, each in report["intra_reader"].items()
            ],
        )


def _figure(result: ReadersResult, page: Page, name: str, caption: str) -> None:
    if (result.folder / name).is_file():
        page.figure(result.folder / name, caption)


def _count(found: dict | None) -> str:
    return f"{found['detected']} of {found['readings']}" if found else ""


def _grade(median: float) -> str:
    """A median of grades in words."""
    names = ("normal", "mild", "moderate", "severe")
    low, high = names[math.floor(median)], names[math.ceil(median)]
    return low if low == high else f"{low} to {high}"


def _printed(name: str) -> str | None:
    """The thesis's count of a class."""
    if name not in thesis.TABLE_6:
        return None
    count, detected = thesis.TABLE_6[name]
    return f"{detected} of {count}"


def _span(ends: list) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"


def _chance(test: dict) -> str:
    if test["equivalent"]:
        return f"It is within {test['margin']:g} of chance (TOST, p {p_value(test['p'])})."
    shown = "" if test["p"] is None else f", p {p_value(test['p'])}"
    return f"That it is within {test['margin']:g} of chance was not shown (TOST{shown})."


_CHAPTERS = {TURING: _turing, SEVERITY: _severity, ANOMALY: _anomaly, PREFERENCE: _preference}
