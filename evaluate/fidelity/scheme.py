"""Thesis Figure 3: who learns from what and reads what, with the numbers of images of this run."""

from pathlib import Path

from pgcxr.plots.figure import COLORS, new_figure, save, styled

COLUMNS = ("Learns from", "Classifier", "Reads", "AUROC (95 % CI)")
LEFT = (0.0, 2.45, 4.1, 6.4)
WIDTH = (2.15, 1.35, 2.0, 1.25)
ROW, GAP = 0.95, 0.3


@styled
def scheme_plot(report: dict, path: Path) -> Path:
    """Draws the report of `evaluate.fidelity`: one row for each step, and the control arm."""
    rows = _rows(report)
    down = len(rows) * (ROW + GAP)
    figure, axes = new_figure(7.9, down + 0.5)
    axes.set(xlim=(-0.05, LEFT[-1] + WIDTH[-1]), ylim=(-down, 0.5))
    axes.set_axis_off()
    for left, width, head in zip(LEFT, WIDTH, COLUMNS, strict=True):
        axes.text(left + width / 2, 0.35, head, ha="center", va="center", fontweight="bold")
    for index, (step, color, cells) in enumerate(rows):
        top = -index * (ROW + GAP)
        middle = top - ROW / 2
        for left, width, text in zip(LEFT[:3], WIDTH[:3], cells[:3], strict=True):
            axes.add_patch(_box(left, top - ROW, width, ROW, color))
            axes.text(left + width / 2, middle, text, ha="center", va="center", fontsize=8)
        axes.text(LEFT[3] + WIDTH[3] / 2, middle, cells[3], ha="center", va="center")
        for left, width, to in zip(LEFT[:3], WIDTH[:3], LEFT[1:], strict=True):
            axes.annotate(
                "",
                (to, middle),
                (left + width, middle),
                arrowprops={"arrowstyle": "->", "linewidth": 0.8},
            )
        axes.text(LEFT[0], top + 0.04, step, fontsize=7, color=color, va="bottom")
    return save(figure, path, tight=True)


def _rows(report: dict) -> list:
    """[(step, color, (learns from, classifier, reads, result))]."""
    real, synthetic, control = (report["images"][name] for name in ("real", "synthetic", "control"))
    generated, dropped = report["pseudo_labels"]["generated"], report["pseudo_labels"]["rejected"]
    wrong = report["pseudo_labels_control"]["splits"]["train"]["wrong_share"]
    tests = (
        f"Real test set\n{_count(real['test'])}",
        f"Synthetic test set\n{_count(synthetic['test'])}",
    )
    of_gan = (
        f"{generated:,} images of the PGGAN,\n{dropped:,} dropped: unsure\n"
        f"to train on: {_count(synthetic['train'])}"
    )
    of_real = (
        f"Real images, pseudo-labeled,\n{100 * wrong:.1f} % of the labels wrong\n"
        f"to train on: {_count(control['train'])}"
    )
    rows = [
        (
            "Step 1",
            0,
            f"Real images\nto train on: {_count(real['train'])}",
            "real",
            tests[0],
            "real_on_real",
        ),
        (
            "Step 2: pseudo-labels by (real)",
            1,
            of_gan,
            "synthetic",
            tests[1],
            "synthetic_on_synthetic",
        ),
        ("Step 3", 1, "as in step 2", "synthetic", tests[0], "synthetic_on_real"),
        (
            "Control: not in the thesis",
            2,
            of_real,
            "pseudo-labeled\nreal",
            tests[0],
            "pseudolabelled_real_on_real",
        ),
    ]
    drawn = []
    for step, color, data, name, reads, arm in rows:
        low, high = report[arm]["auroc_ci95"]
        result = f"{report[arm]['auroc']:.3f}\n({low:.3f} to {high:.3f})"
        drawn.append((step, COLORS[color], (data, f"Classifier\n({name})", reads, result)))
    return drawn


def _count(counts: dict) -> str:
    return f"{sum(counts.values()):,}\n{counts['normal']:,} normal, {counts['abnormal']:,} abnormal"


def _box(left: float, bottom: float, width: float, height: float, color: str):
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch(
        (left + 0.05, bottom),
        width - 0.1,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor="white",
        edgecolor=color,
    )
