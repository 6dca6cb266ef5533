"""The flow chart of a cohort, drawn as thesis Figure 1, as SVG without dates or random
identifiers."""

import os
import textwrap

from pgcxr.io import artifacts

LABELS = ("normal", "abnormal")
# Inches.
WIDTH = 8.2
# What WORDS stands for.
ALLOWED = {"modality": ["CR", "DX"], "view": ["PA"]}
# Years; a maximum of this is none.
OLDEST = 120
WORDS = {
    "unreadable": "cannot be read",
    "no_pixels": "without an image",
    "burned_in_text": "with text near the borders",
    "multi_frame": "several frames",
    "colour": "in color",
    "too_large": "implausibly large",
    "timeout": "took too long to read",
    "blank": "blank",
    "modality": "not CR or DX",
    "body_part": "not of the chest",
    "study_date": "outside of the dates",
    "diagnosis": "no diagnosis",
    "label_conflict": "conflicting labels",
    "age": "under age or age unknown",
    "sex": "of another sex",
    "manufacturer": "another manufacturer",
    "view": "not posteroanterior",
    "device": "with devices",
    "quality": "poor quality",
    "burned_in_annotation": "with burned-in text",
    "for_processing": "raw detector values",
    "too_small": "too small",
    "inverted": "inverted",
    "rotated": "rotated or upside down",
    "mislabelled_view": "lateral, called frontal",
    "cropped": "cropped or badly framed",
    "duplicate": "duplicates",
    "near_duplicate": "near duplicates",
    "subsample": "not sampled",
}


# Which images with devices are excluded, as the option support_devices has it -> in words.
DEVICES = {
    "exclude-normal": "excluded from the normals only; abnormal images keep theirs",
    "exclude-abnormal": "excluded from the abnormals only; normal images keep theirs",
    "exclude": "excluded from both classes",
    "keep": "kept in both classes",
}


def draw(chart: dict, path: str | os.PathLike) -> None:
    """Draws `chart` (the content of flowchart.json) to an SVG file."""
    import matplotlib
    from matplotlib.figure import Figure

    from pgcxr.plots.figure import NO_METADATA

    with (
        # Texts that can be searched, in one font: matplotlib lists a dozen others, by names that
        # people have too.
        matplotlib.rc_context(
            {"svg.hashsalt": "pgcxr", "svg.fonttype": "none", "font.sans-serif": ["DejaVu Sans"]}
        ),
        artifacts.atomic_path(path) as beside,
    ):
        figure = Figure(figsize=(WIDTH, 1.0))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        pen = _Pen(axes)
        fork = _draw_trunk(pen, chart)
        low = _draw_branches(pen, chart, fork)
        height = 0.25 - _draw_note(axes, chart, low)
        figure.set_size_inches(WIDTH, height)
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(-height, 0)
        figure.savefig(beside, format="svg", metadata=NO_METADATA["svg"])


def _draw_trunk(pen: "_Pen", chart: dict) -> float:
    """What was collected, and what the rules took before the diagnoses; returns where it forks."""
    low = pen.box(WIDTH / 2, -0.25, ["Chest radiographs collected", f"n = {chart['collected']:,}"])
    start = low
    missing = _not_collected(chart)
    beside = pen.box(1.4, -0.25, missing, width=2.4, dashed=True) if missing else low
    excluded = _column([step for step in chart["steps"] if "normal" not in step], "excluded")
    if excluded:
        middle = low - 0.3 - pen.height(excluded) / 2
        low = pen.box(WIDTH - 1.75, low - 0.3, excluded, width=3.0, dashed=True)
        pen.arrow((WIDTH / 2, middle), (WIDTH - 3.25, middle))
    fork = min(low, beside) - 0.25
    pen.line((WIDTH / 2, start), (WIDTH / 2, fork))
    return fork


def _not_collected(chart: dict) -> list[str]:
    """What should have been collected; nothing where the chart doesn't say (earlier versions)."""
    if "rows_without_file" not in chart:
        return []
    lines = ["Rows of the table", f"without a file: {chart['rows_without_file']:,}"]
    return ["Not collected", *lines]


def _draw_branches(pen: "_Pen", chart: dict, fork: float) -> float:
    """Normal to the left, abnormal to the right; returns their lower end."""
    steps = [step for step in chart["steps"] if "normal" in step]
    lines = {label: _column(steps, label) for label in LABELS}
    rows = max(len(column) for column in lines.values())
    for label, center in zip(LABELS, (WIDTH / 4, WIDTH * 3 / 4), strict=True):
        total = chart[label] + sum(step[label] for step in steps)
        pen.line((WIDTH / 2, fork), (center, fork))
        low = pen.after(fork, center, [f"{label.capitalize()} by diagnosis", f"n = {total:,}"])
        below = low - pen.GAP - pen.height([""] * rows) if rows else low
        if lines[label]:
            padded = lines[label] + [""] * (rows - len(lines[label]))
            pen.after(low, center, padded, width=3.2, dashed=True)
        elif rows:
            pen.line((center, low), (center, below))
        in_cohort = [f"{label.capitalize()} in the cohort", f"n = {chart[label]:,}"]
        low = pen.after(below, center, in_cohort, bold=True)
    return low


def _draw_note(axes, chart: dict, low: float) -> float:
    """Which rules were not applied, and what became of devices; returns the lower end of the
    chart."""
    absent = [
        step["rule"].replace("_", " ") for step in chart["steps"] if not step.get("applies", True)
    ]
    notes = ["Rules not applied (switched off, or the source does not say): " + ", ".join(absent)]
    notes = (notes if absent else []) + _of_devices(chart)
    if not notes:
        return low
    lines = [line for note in notes for line in textwrap.wrap(note, 110)]
    axes.text(0.3, low - 0.2, "\n".join(lines), fontsize=7, va="top")
    return low - 0.25 - 0.12 * len(lines)


def _of_devices(chart: dict) -> list[str]:
    """A line on devices, where the chart says what became of them (not in earlier versions)."""
    step = next((step for step in chart["steps"] if step["rule"] == "device"), {})
    how = step.get("support_devices")
    if how is None or not (step.get("applies", True) or how == "keep"):
        return []
    return [f"Images with support devices: {DEVICES[how]}."]


def _column(steps: list[dict], key: str) -> list[str]:
    """A heading, and one line for each rule that took something; nothing where none did."""
    lines = [f"{words(step)}: {step[key]:,}" for step in steps if step[key]]
    return ["Excluded", *lines] if lines else []


def words(step: dict) -> str:
    """What the rule took, with the ages and words that the rules allow where the chart says
    them."""
    allowed = step.get("allowed")
    if allowed and allowed != ALLOWED.get(step["rule"]):
        return f"not {' or '.join(allowed)}"
    if step["rule"] == "age" and "minimum" in step:
        limited = step.get("maximum", OLDEST) < OLDEST
        return (
            "under "
            f"{step['minimum']:g}{', over ' + format(step['maximum'], 'g') if limited else ''} or "
            "age unknown"
        )
    return WORDS[step["rule"]]


class _Pen:
    """Boxes and arrows on axes whose unit is an inch, downwards from y = 0."""

    LINE, MARGIN, GAP = 0.19, 0.1, 0.3

    def __init__(self, axes):
        self._axes = axes

    def height(self, lines: list[str]) -> float:
        return self.LINE * len(lines) + 2 * self.MARGIN

    def box(
        self, x: float, top: float, lines: list[str], width=2.6, bold=False, dashed=False
    ) -> float:
        """Draws a box of text around x, below `top`; returns its lower edge."""
        from matplotlib.patches import Rectangle

        low = top - self.height(lines)
        style = "--" if dashed else "-"
        edge = Rectangle(
            (x - width / 2, low),
            width,
            top - low,
            facecolor="white",
            edgecolor="black",
            lw=0.9,
            ls=style,
        )
        self._axes.add_patch(edge)
        for index, line in enumerate(lines):
            at = top - self.MARGIN - self.LINE * (index + 0.5)
            self._axes.text(
                x,
                at,
                line,
                ha="center",
                va="center",
                fontsize=9,
                weight="bold" if bold else "normal",
            )
        return low

    def after(self, above: float, x: float, lines: list[str], **options) -> float:
        """An arrow down from `above` and a box under it."""
        self.arrow((x, above), (x, above - self.GAP))
        return self.box(x, above - self.GAP, lines, **options)

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._axes.plot(
            *zip(start, end, strict=True), color="black", lw=0.9, solid_capstyle="projecting"
        )

    def arrow(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        style = {"arrowstyle": "-|>", "color": "black", "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
        self._axes.annotate("", end, start, arrowprops=style)
