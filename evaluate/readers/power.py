"""How many readers and cases a planned study needs: what `evaluate.readers power` computes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd

from evaluate.protocol import Result
from evaluate.readers.kinds import ANOMALY, KINDS, PREFERENCE, TURING
from evaluate.readers.options import PowerOptions
from pgcxr.errors import ArgumentError, InputError
from pgcxr.io import artifacts, places
from pgcxr.metrics import mrmc, planning
from pgcxr.plots import curves
from pgcxr.plots.page import Page

SIZES = (25, 50, 100, 200, 400, 800)  # cases in the table
PLANNED = (TURING, ANOMALY, PREFERENCE)


class PowerResult(Result):
    """The power of planned studies, and its page."""

    command = "evaluate.readers power"

    def chapter(self, page: Page) -> None:
        """What was assumed, the table, and the curves."""
        report = self.figures
        page.section(f"Planning a reader study: {report['kind']}")
        page.text(f"{report['aim']} {report['assumed']}")
        page.table(
            header(report),
            [
                (each["readers"], each["cases"] or f"over {planning.MOST:,}", *each["power"])
                for each in report["table"]
            ],
            "Cases: the fewest with which the study shows it that often. To the right: how often "
            "it does with other numbers of cases.",
        )
        page.figure(
            self.folder / "power.png",
            "Power against the number of cases; the level line is what is wanted.",
        )


def header(report: dict) -> list[str]:
    """Of the table, on the page and on the screen."""
    sizes = [f"Power, {size} cases" for size in report["sizes"]]
    return ["Readers", f"Cases for a power of {report['wanted']:.0%}", *sizes]


def plan(kind: str, pilot: Path | None, options: PowerOptions, out: Path | None) -> PowerResult:
    """The power of studies of a kind; written to the new folder `out`, where there is one.

    Args:
        kind: turing, anomaly or preference.
        pilot: folder that `analyze` wrote of an earlier study of that kind; None: as options say.

    Raises:
        ArgumentError: no such kind, or nothing says what an area varies with.
        InputError: the pilot is of another kind, or too small to say anything.
    """
    if kind not in PLANNED:
        what = "has no test to plan: its result is an interval; " if kind in KINDS else ""
        raise ArgumentError("kind", f"{what}plan one of {', '.join(PLANNED)}", received=kind)
    if out is not None:
        places.refuse_existing(out)
    found = None if pilot is None else _pilot(kind, pilot)
    aim, assumed, power_of = (_area if kind == ANOMALY else _share)(kind, found, options)
    least = 2 if kind == ANOMALY and options.general != mrmc.CASES else 1
    table = [
        {
            "readers": readers,
            "cases": planning.cases_needed(partial(power_of, readers), options.power),
            "power": [power_of(readers, size) for size in SIZES],
        }
        for readers in options.readers
        if readers >= least
    ]
    if not table:
        raise ArgumentError("readers", f"must be {least} or more to say anything of other readers")
    report = {"kind": kind, "aim": aim, "assumed": assumed, "wanted": options.power}
    report |= {"sizes": SIZES, "table": table, "pilot": pilot is not None}
    result = PowerResult(out or Path(), report).made_with(options, 0)
    if out is not None:
        _write(result, out)
    return result


def _pilot(kind: str, folder: Path) -> dict:
    said = "what `python -m evaluate.readers analyze` wrote of a study"
    report = artifacts.read_json(places.existing_folder(folder, said) / "report.json")
    if report.get("kind") != kind or "each" not in report:
        raise InputError(
            f"{folder}: is not what `python -m evaluate.readers analyze` wrote of a study of kind "
            f"{kind}"
        )
    name = {TURING: "accuracy", ANOMALY: "auroc", PREFERENCE: "preference"}[kind]
    parts = report.get(name, {}).get("components")
    if parts is None or len(report["joint_readers"]) < 2:
        raise InputError(
            f"{folder}: says nothing of what readers differ by: two who have read the same cases "
            "are needed; plan from stated numbers, or analyze again with this version"
        )
    return {**parts, "cases": report["joint_cases"], "joint": len(report["joint_readers"])}


def _of_pilot(pilot: dict) -> str:
    return f"Variances are those of the pilot, {pilot['joint']} readers of {pilot['cases']} cases."


def _area(
    kind: str, pilot: dict | None, options: PowerOptions
) -> tuple[str, str, Callable[[int, int], float]]:
    if pilot is not None:
        names = ("reader", "modality_reader", "cov1", "cov2", "cov3", "error", "readers", "cases")
        parts = mrmc.Components(**{name: pilot[name] for name in names})
        assumed = _of_pilot(pilot)
    elif options.components is not None and options.of_cases is not None:
        # The readers' own variance and their number play no part in the power.
        parts = mrmc.Components(0.0, *options.components, readers=0, cases=options.of_cases)
        assumed = f"Variances as stated, of a study of {options.of_cases} cases."
    else:
        raise ArgumentError(
            "pilot",
            "is needed where no components are stated: what areas vary with differs from task to "
            "task; a few readers of some fifty cases make a pilot",
        )
    aim = (
        f"A true difference of {options.difference:g} in area under the ROC curve between reading "
        f"without and with the map is to be found at a level of {options.alpha:g}, for other "
        f"{options.general} (Obuchowski-Rockette; Hillis, Obuchowski & Berbaum 2011)."
    )
    assumed += " The share of abnormal cases is to be the same."

    def power_of(readers: int, cases: int) -> float:
        return mrmc.power(parts, options.difference, readers, cases, options.general, options.alpha)

    return aim, assumed, power_of


def _share(
    kind: str, pilot: dict | None, options: PowerOptions
) -> tuple[str, str, Callable[[int, int], float]]:
    shift = options.accuracy - 0.5 if kind == TURING else options.difference
    if pilot is not None:
        parts = planning.Shares(*(pilot[name] for name in ("reader", "case", "answer")))
        assumed = _of_pilot(pilot)
    else:
        parts = planning.Shares.stated(0.5 + shift, options.reader_sd, options.case_share)
        assumed = (
            f"Assumed, for want of a pilot: readers' true shares with a standard deviation of "
            f"{options.reader_sd:g}, and a correlation of {options.case_share:g} between two "
            "readers' answers to one case."
        )
    if kind == TURING:
        aim = (
            f"Readers whose true accuracy is {options.accuracy:g} are to be shown within "
            f"{options.margin:g} of chance (two one-sided tests at {options.alpha:g})"
        )

        def power_of(readers: int, cases: int) -> float:
            return planning.equivalence_power(
                parts, options.margin, readers, cases, shift, options.alpha
            )
    else:
        aim = (
            f"A first generator whose images are preferred in a share of {0.5 + shift:g} is to be "
            f"found preferred at a level of {options.alpha:g}"
        )

        def power_of(readers: int, cases: int) -> float:
            return planning.difference_power(parts, shift, readers, cases, options.alpha)

    aim += "; with one reader for that reader alone, with more for other readers and cases."
    return aim, assumed, power_of


def _write(result: PowerResult, out: Path) -> None:
    report = result.figures
    with artifacts.new_folder(out) as folder:
        result.write(folder)
        artifacts.write_text(folder / "power.csv", _frame(report).to_csv(index=False))
        curves.line_plot(
            report["sizes"],
            {f"{each['readers']} readers": each["power"] for each in report["table"]}
            | {"wanted": [report["wanted"]] * len(report["sizes"])},
            folder / "power.png",
            ("Cases", "Power"),
            ylim=(0, 1),
        )
        page = Page("A reader study to come")
        PowerResult(folder, report, {}, result.made_by).chapter(page)
        page.write(folder / "report.html")


def _frame(report: dict) -> pd.DataFrame:
    rows = [
        (each["readers"], each["cases"], *(round(one, 4) for one in each["power"]))
        for each in report["table"]
    ]
    return pd.DataFrame(rows, columns=header(report)).astype({header(report)[1]: "Int64"})


def lines(report: dict) -> list[str]:
    """What is said on the screen."""
    width = max(len(f"power, {size} cases") for size in report["sizes"])
    head = ["readers", f"cases for {report['wanted']:.0%}"]
    head += [f"power, {size} cases" for size in report["sizes"]]
    rows = [
        [each["readers"], each["cases"] or f"over {planning.MOST}"]
        + [f"{one:.3f}" for one in each["power"]]
        for each in report["table"]
    ]
    table = ["".join(f"{cell!s:>{width + 2}}" for cell in row) for row in [head, *rows]]
    return [report["aim"], report["assumed"], *table]
