"""Values with intervals: every bar is drawn where its limits are, and missing limits leave it
out."""

import numpy as np

from pgcxr.plots import intervals


def test_points_and_bars_are_where_the_values_are(tmp_path, monkeypatch):
    kept = []
    monkeypatch.setattr(intervals, "save", lambda figure, path: kept.append(figure) or path)
    series = {
        "GAN": ([3.0, 1.0], [2.0, np.nan], [5.0, np.nan]),
        "Real": ([0.5, 0.5], [0.4, 0.1], [0.6, 0.9]),
    }
    intervals.interval_plot(series, ["32 px", "16 px"], tmp_path / "a.png", "distance")
    axes = kept[0].axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["32 px", "16 px"]
    first, second = axes.containers
    segments = first.lines[2][0].get_segments()
    assert segments[0][:, 1].tolist() == [2.0, 5.0] and segments[1][:, 1].tolist() == [1.0, 1.0]
    assert first.lines[0].get_ydata().tolist() == [3.0, 1.0]
    # Beside each other.
    assert (second.lines[0].get_xdata() - first.lines[0].get_xdata() > 0.1).all()
    assert axes.get_ylim()[0] <= 0


def test_it_is_written(tmp_path):
    path = intervals.interval_plot({"a": ([1], [0], [2])}, ["x"], tmp_path / "a.png", "y")
    assert path.stat().st_size > 1000
