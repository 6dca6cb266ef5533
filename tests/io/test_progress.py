"""One kind of progress bar: what stands beside it."""

import io

from rich.console import Console

from pgcxr.io.progress import COUNT, Bars


def shown(**options) -> tuple[Bars, io.StringIO]:
    text = io.StringIO()
    return Bars(console=Console(file=text, force_terminal=False, width=100), **options), text


def test_a_bar_for_each_name_with_a_percentage():
    bars, text = shown()
    with bars:
        bars.update("images", 0, None)  # nobody knows of how many
        bars.update("images", 1, 4)
        bars.update("steps", 2, 2)
    images, steps = text.getvalue().strip().splitlines()[-2:]
    assert "images" in images and "25%" in images and "steps" in steps and "100%" in steps


def test_a_count_and_fields():
    bars, text = shown(
        before="{task.fields[kimg]:.1f} kimg", amount=COUNT, after="{task.fields[x]}"
    )
    with bars:
        bars.update("gan", 0, 10, kimg=0.0, x="")
        bars.update("gan", 3, 10, kimg=0.3, x="level 2")
        bars.advance("gan", 2)
        assert bars.speed("gan") >= 0.0
        bars.print("a line")
    text = text.getvalue()
    last = text.strip().splitlines()[-1]
    assert "a line" in text and "0.3 kimg" in last and "5/10" in last and "level 2" in last


def test_nothing_is_shown_where_nobody_looks():
    bars, text = shown(show=False)
    with bars:
        bars.update("images", 1, 4)
    assert text.getvalue() == ""
