"""Plots: what they draw, that they are the same bytes each time, and that nothing half-written is
left."""

import cv2
import numpy as np
import pytest
from PIL import Image

from pgcxr.cohort.findings import TABLE_6
from pgcxr.metrics.confusion import confusion, wilson
from pgcxr.plots import confusion as confusion_plots
from pgcxr.plots import curves, figure, grids, overlay, reliability, roc
from pgcxr.plots.figure import CLASSES, COLORS, line_style, new_figure, save


@pytest.fixture
def readings():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], 50)
    return labels, np.round(labels + random.normal(size=100), 1)


@pytest.fixture
def drawn(monkeypatch):
    """The figures that the plots under test hand to `save`."""
    figures = []

    def spy(figure, path):
        figures.append(figure)
        return save(figure, path)

    for module in (roc, curves, confusion_plots, grids, reliability):
        monkeypatch.setattr(module, "save", spy)
    return figures


def draw_all(folder, readings, kind):
    labels, scores = readings
    return [
        roc.roc_plot(
            {"a": readings, "b": (labels, -scores)}, folder / f"roc.{kind}", "ROC", {"a": 0.5}
        ),
        curves.line_plot(
            [0, 1, 2], {"a": [0.1, 0.5, 0.9]}, folder / f"line.{kind}", ("x", "y"), ylim=(0, 1)
        ),
        curves.histogram_plot({"n": scores}, folder / f"histogram.{kind}", "score", threshold=0.5),
        confusion_plots.confusion_plot(dict(tn=5, fp=1, fn=2, tp=7), folder / f"confusion.{kind}"),
        confusion_plots.matrix_plot(
            [[1, np.nan], [-0.2, 1]], ["a", "b"], folder / f"matrix.{kind}"
        ),
        reliability.reliability_plot(
            {"a": (labels, 1 / (1 + np.exp(-scores)))}, folder / f"reliability.{kind}"
        ),
        grids.labeled_grid(
            [("row", np.zeros((2, 8, 8), np.uint8))], folder / f"grid.{kind}", ["1", "2"]
        ),
    ]


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_the_same_bytes_each_time(tmp_path, readings, kind):
    first, second = (draw_all(tmp_path / name, readings, kind) for name in ("1", "2"))
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == sorted(
        path.name for path in first
    )
    if kind == "png":
        assert all(cv2.imread(str(path)).std() > 10 for path in first)


def test_a_picture_is_for_print(tmp_path, drafts, monkeypatch):
    monkeypatch.setattr(figure, "DPI", drafts)
    drawing, _ = new_figure(2, 1)
    with Image.open(save(drawing, tmp_path / "plot.png")) as picture:
        assert picture.size == (600, 300) and round(picture.info["dpi"][0]) == 300


def test_a_failed_plot_leaves_nothing(tmp_path):
    figure, axes = new_figure()
    axes.set_title(r"$\frac{unbalanced$")
    with pytest.raises(ValueError):
        save(figure, tmp_path / "plot.png")
    with pytest.raises(ValueError, match=".png or .svg"):
        save(figure, tmp_path / "plot.gif")
    assert list(tmp_path.iterdir()) == []


def test_the_roc_plot_draws_the_curve_its_area_and_the_working_point(tmp_path, readings, drawn):
    labels, scores = readings
    roc.roc_plot({"reader": readings}, tmp_path / "roc.png", thresholds={"reader": 0.5})
    axes = drawn[0].axes[0]
    chance, curve, point = axes.lines
    assert list(curve.get_xdata()[[0, -1]]) == [0, 1] and list(curve.get_ydata()[[0, -1]]) == [0, 1]
    expected = confusion(labels, scores, 0.5)
    assert point.get_xdata()[0] == pytest.approx(1 - expected["specificity"])
    assert point.get_ydata()[0] == pytest.approx(expected["sensitivity"])
    assert "AUROC 0." in axes.get_legend().get_texts()[0].get_text()


def test_the_confusion_plot_has_calls_in_rows_and_the_truth_in_columns(tmp_path, drawn):
    confusion_plots.confusion_plot(dict(tn=1312, fp=109, fn=92, tp=1540), tmp_path / "c.png")
    cells = {text.get_position(): text.get_text() for text in drawn[0].axes[0].texts}
    assert cells == {
        (0, 0): "1,312\n92.3 %",
        (1, 0): "92\n5.6 %",
        (0, 1): "109\n7.7 %",
        (1, 1): "1,540\n94.4 %",
    }


def test_the_reliability_plot_draws_shares_intervals_and_counts(tmp_path, drawn):
    labels, scores = np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    reliability.reliability_plot(
        {"one": (labels, scores), "two": (labels, scores / 2)}, tmp_path / "r.png", bins=2
    )
    upper, _, lower, other = drawn[0].axes
    diagonal, points = upper.lines[:2]
    assert list(diagonal.get_xdata()) == list(diagonal.get_ydata()) == [0, 1]
    assert list(points.get_xdata()) == pytest.approx([0.2, 0.8]) and list(
        points.get_ydata()
    ) == pytest.approx([1 / 3, 2 / 3])
    bars = [segment[:, 1] for segment in upper.collections[0].get_segments()]
    assert [pytest.approx(wilson(k, 3)) for k in (1, 2)] == [list(bar) for bar in bars]
    assert upper.texts[0].get_text() == "ECE 0.133"
    counts = [patch.get_data().values.tolist() for patch in lower.patches if not patch.get_fill()]
    assert counts == [[2, 0, 1, 0], [0, 1, 0, 2]]
    assert [patch.get_data().values.sum() for patch in other.patches if not patch.get_fill()] == [
        3,
        3,
    ]
    with pytest.raises(ValueError, match="outside"):
        reliability.reliability_plot({"one": (labels, 2 * scores)}, tmp_path / "bad.png")
    with pytest.raises(ValueError, match="no readings"):
        reliability.reliability_plot({}, tmp_path / "bad.png")
    assert not (tmp_path / "bad.png").exists()


def test_a_histogram_shows_shares_of_each_group(tmp_path, drawn):
    curves.histogram_plot(
        {"few": [0, 1], "many": [0, 0, 1, 1]}, tmp_path / "h.png", "score", bins=2
    )
    outlines = [patch for patch in drawn[0].axes[0].patches if not patch.get_fill()]
    assert [list(patch.get_data().values) for patch in outlines] == [[0.5, 0.5], [0.5, 0.5]]


def test_a_grid_holds_every_pixel_where_it_belongs(tmp_path):
    images = np.random.default_rng(1).integers(0, 255, (5, 4, 6)).astype(np.uint8)
    path = grids.image_grid(images, 3, tmp_path / "grid.png", scale=2)
    sheet = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert sheet.shape == (2 * 8 + grids.GAP, 3 * 12 + 2 * grids.GAP)
    for index, image in enumerate(images):
        top, left = (index // 3) * (8 + grids.GAP), (index % 3) * (12 + grids.GAP)
        assert np.array_equal(sheet[top : top + 8 : 2, left : left + 12 : 2], image)
    assert (sheet[8 + grids.GAP :, 2 * (12 + grids.GAP) :] == grids.PAPER).all()
    assert cv2.imread(str(grids.strip(images, tmp_path / "strip.png"))).shape[:2] == (
        4,
        5 * 6 + 4 * grids.GAP,
    )


def test_color_is_written_as_rgb(tmp_path):
    red = np.zeros((1, 2, 2, 3), np.uint8)
    red[..., 0] = 200
    path = grids.image_grid(red, 1, tmp_path / "red.png")
    assert cv2.imread(str(path))[0, 0].tolist() == [0, 0, 200]


def test_png_keeps_sixteen_bits_and_refuses_what_it_cannot_hold():
    random = np.random.default_rng(2)
    for shape in ((4, 6), (4, 6, 1), (4, 6, 3)):
        image = random.integers(0, 65536, shape).astype(np.uint16)
        read = cv2.imdecode(np.frombuffer(grids.encode_png(image), np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(read if read.ndim == 2 else read[..., ::-1], np.squeeze(image))
    for bad in (np.zeros((4, 4)), np.zeros((4, 4, 2), np.uint8)):
        with pytest.raises(ValueError, match="a PNG holds"):
            grids.encode_png(bad)


def test_images_are_shrunk_by_whole_factors():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 3
    assert grids.shrink(image, 8) is image
    for longest, factor in ((7, 2), (4, 2), (3, 3), (2, 4)):
        small = grids.shrink(image, longest)
        assert small.shape == (8 // factor, 8 // factor, 1) and max(small.shape) <= longest
    means = image.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.abs(grids.shrink(image, 4)[..., 0] - means).max() <= 0.5
    assert grids.shrink(np.zeros((9, 4, 3), np.uint8), 3).shape == (3, 1, 3)


def test_only_uint8_images_are_drawn(tmp_path):
    for bad in (np.zeros((2, 4, 4)), np.zeros((4, 4), np.uint8), np.zeros((0, 4, 4), np.uint8)):
        with pytest.raises(ValueError, match="images must be"):
            grids.image_grid(bad, 1, tmp_path / "bad.png")
    assert list(tmp_path.iterdir()) == []


def test_heat_colors_the_hot_and_leaves_the_cold():
    image = np.full((8, 8), 100, np.uint8)
    heat = np.zeros((8, 8))
    heat[2, 5] = 3.0
    shown = overlay.overlay(image, heat)
    assert shown.shape == (8, 8, 3) and shown.dtype == np.uint8
    hot = shown[2, 5].astype(int)
    assert hot[0] > hot[2] + 50
    shown[2, 5] = 100
    assert (shown == 100).all()
    # With common limits a weak map stays weak.
    assert np.abs(overlay.overlay(image, heat, limits=(0, 300)).astype(int) - 100).max() < 5
    assert (overlay.overlay(image, np.full((8, 8), np.nan)) == 100).all()


def test_a_map_of_lower_resolution_is_laid_where_it_belongs():
    heat = np.zeros((4, 4))
    heat[3, 0] = 1
    shown = overlay.overlay(np.zeros((64, 64, 1), np.uint8), heat)
    assert shown[40:, :24].max() > 100 and shown[:32].max() == 0 and shown[:, 32:].max() == 0


def test_brighter_than_the_reconstruction_is_red_and_darker_blue():
    image = np.full((8, 8), 128, np.uint8)
    difference = np.zeros((8, 8))
    difference[1, 1], difference[6, 6] = 0.5, -0.5
    shown = overlay.diff_overlay(image, difference, limit=0.5).astype(int)
    assert shown[1, 1, 0] > shown[1, 1, 2] + 80 and shown[6, 6, 2] > shown[6, 6, 0] + 80
    assert (shown[3, 3] == 128).all()
    half = overlay.diff_overlay(image, difference, limit=1.0).astype(int)
    assert 128 < half[1, 1, 0] < shown[1, 1, 0]
    assert (overlay.diff_overlay(image, np.zeros((8, 8))) == 128).all()


def test_an_outline_runs_inside_the_border_of_the_mask():
    image = np.zeros((32, 32), np.uint8)
    mask = np.zeros((32, 32))
    mask[8:20, 10:25] = 1
    colored = overlay.outline(image, mask).any(axis=-1)
    assert colored[8, 10] and colored[19, 24] and not colored[13, 17] and not colored[5, 5]
    assert image.max() == 0


def test_a_disease_has_one_color_wherever_it_is_drawn():
    first = line_style(3, "pleural effusion\n(not found)")
    assert first == line_style(0, "Pleural effusion") == line_style(7, "pleural_effusion")
    assert first["color"] == CLASSES["pleural_effusion"]
    assert line_style(1, "another")["color"] == COLORS[1]
    assert len(set(CLASSES.values())) == len(CLASSES) == len(TABLE_6) + 1
    assert set(CLASSES) == {"normal", *TABLE_6}


def test_many_curves_have_their_legend_below_them(readings, drawn, tmp_path):
    for count, name in ((4, "few"), (7, "many")):
        roc.roc_plot({f"curve {i}": readings for i in range(count)}, tmp_path / f"{name}.png")
    few, many = drawn
    assert few.axes[0].get_legend() is not None and not few.legends
    assert many.axes[0].get_legend() is None and len(many.legends[0].get_texts()) == 7
