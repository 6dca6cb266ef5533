"""The report page: self-contained, escaped, well formed, deterministic."""

import base64
from html.parser import HTMLParser

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.plots import curves, grids
from pgcxr.plots.page import Page, cell

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Tags with their attributes, text by tag, and whether every tag is closed in order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip():
            self.texts.append((self.open[-1], data.strip()))

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    def text_of(self, tag):
        return [text for name, text in self.texts if name == tag]


def whole_page(folder):
    plot = curves.line_plot([0, 1], {"a": [0, 1]}, folder / "line.png", ("x", "y"))
    drawing = curves.line_plot([0, 1], {"a": [0, 1]}, folder / "line.svg", ("x", "y"))
    grid = grids.image_grid(np.zeros((2, 10, 20), np.uint8), 2, folder / "grid.png")
    page = Page('The <study> & its "numbers"').text("One.\n\nTwo <script>alert('x')</script>.")
    page.verdict(True, "Real <b>").verdict(False, "3 of 5").verdict(None, "narrower")
    page.section("A & B").table(
        ["name", "n", "p", "interval"], [["<i>a</i>", 1234, 0.04561, [0.1, 0.25]]], "Table <1>"
    )
    page.comparison_table([("AUROC", 0.983, None, "none")]).figure(
        plot, 'Figure "1" > 0', alt="a rising line"
    )
    page.section("C").heading("D").figures(
        [(drawing, "left"), (grid, "right", "two black squares")]
    )
    return page


def test_everything_is_escaped_and_well_formed(tmp_path):
    html = whole_page(tmp_path).html()
    reader = Reader(html)
    assert {tag for tag, _ in reader.tags} & {
        "script",
        "b",
        "i",
        "study",
        "iframe",
        "link",
    } == set()
    assert "Two <script>alert('x')</script>." in reader.text_of("p")
    assert reader.text_of("title") == ['The <study> & its "numbers"'] == reader.text_of("h1")
    assert "<i>a</i>" in reader.text_of("th")


def test_the_page_needs_nothing_but_itself(tmp_path):
    html = whole_page(tmp_path).html()
    reader = Reader(html)
    for word in ("http://", "https://", "@import", "url(", "javascript:", str(tmp_path)):
        assert word not in html
    images = reader.all("img")
    assert [image["alt"] for image in images] == ["a rising line", "left", "two black squares"]
    for image, name in zip(images, ("line.png", "line.svg", "grid.png"), strict=True):
        head, data = image["src"].split(",")
        assert head == f"data:image/{'svg+xml' if name.endswith('svg') else 'png'};base64"
        assert base64.b64decode(data) == (tmp_path / name).read_bytes()


def test_plots_are_shown_at_their_printed_size_and_grids_pixel_by_pixel(tmp_path):
    line, drawing, grid = Reader(whole_page(tmp_path).html()).all("img")
    assert (line["width"], line["height"]) == (str(round(5.6 * 96)), str(round(3.6 * 96)))
    assert "width" not in drawing
    assert (grid["width"], grid["height"]) == (str(2 * 20 + grids.GAP), "10")


def test_contents_link_to_the_sections(tmp_path):
    reader = Reader(whole_page(tmp_path).html())
    assert [a["href"] for a in reader.all("a")] == ["#s1", "#s2"]
    assert [section["id"] for section in reader.all("section")] == ["s1", "s2"]
    assert reader.text_of("h2") == ["A & B", "C"] == reader.text_of("a")
    assert Reader(Page("short").section("only").html()).all("nav") == []


def test_verdicts_say_it_in_words(tmp_path):
    reader = Reader(whole_page(tmp_path).html())
    assert reader.text_of("strong") == ["Reached", "Not reached", "Note"]


def test_table_cells_and_their_alignment(tmp_path):
    reader = Reader(whole_page(tmp_path).html())
    assert reader.text_of("td") == [
        "1,234",
        "0.046",
        "0.100 to 0.250",
        "0.983",
        "\N{EN DASH}",
        "none",
    ]
    assert [attributes.get("class") for attributes in reader.all("td")] == [
        "n",
        "n",
        "n",
        "n",
        "n",
        None,
    ]
    assert reader.text_of("caption") == ["Table <1>"]
    with pytest.raises(ValueError, match="3 cells under a header of 2"):
        Page("x").table(["a", "b"], [[1, 2, 3]])


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-1234567, "\N{MINUS SIGN}1,234,567"),
        (np.int64(12), "12"),
        (0.98304, "0.983"),
        (np.float32(0.5), "0.500"),
        (-15.51, "\N{MINUS SIGN}15.5"),
        (1234.5, "1,234"),
        (2.8e-54, "2.8e-54"),
        (0.0, "0.000"),
        (-2.2e-16, "0.000"),
        (float("nan"), "\N{EN DASH}"),
        (None, "\N{EN DASH}"),
        (float("-inf"), "\N{MINUS SIGN}\N{INFINITY}"),
        (True, "yes"),
        (np.bool_(False), "no"),
        ("text", "text"),
    ],
)
def test_how_values_are_shown(value, shown):
    assert cell(value) == shown


def test_the_same_bytes_each_time_and_nothing_half_written(tmp_path):
    for name in "12":
        whole_page(tmp_path).write(tmp_path / f"{name}.html")
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_missing_figure_is_named(tmp_path):
    with pytest.raises(InputError, match="no such figure"):
        Page("x").figure(tmp_path / "none.png", "caption")
    with pytest.raises(ValueError, match="figures are"):
        Page("x").figure(tmp_path / "none.tiff", "caption")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p <= -0.05 to (-.5), 12% and 3 %", "p ≤ −0.05 to (−.5), 12_% and 3_%"),
        ("2026-11-28 kimg-3 60-20 --n 5 a - 1", "2026-11-28 kimg-3 60-20 --n 5 a - 1"),
    ],
)
def test_numbers_look_alike_in_all_texts(text, shown):
    page = Page("x").section(text).text(text).definitions([(text, text)])
    page.table(["a"], [[text]], text).verdict(None, text).heading(text)
    html = page.html().replace("\N{NO-BREAK SPACE}", "_")
    assert html.count(shown) == 8 and text not in html.replace(shown, "")


def test_commands_stay_as_they_are_typed():
    assert "<pre>a --b -1\nc 5%</pre>" in Page("x").commands(["a --b -1", "c 5%"]).html()


def test_paper_is_thought_of(tmp_path):
    tall = grids.image_grid(np.zeros((12, 100, 20), np.uint8), 1, tmp_path / "tall.png")
    low = grids.image_grid(np.zeros((2, 10, 20), np.uint8), 2, tmp_path / "low.png")
    page = Page("x").figures([(low, "a")] * 5, across=3).figure(tall, "b")
    page.table(list("abcdefg"), [[1] * 7] * 9).table(["a"], [[1]])
    reader = Reader(page.html())
    assert [image.get("class") for image in reader.all("img")] == [None] * 5 + ["tall"]
    assert [table["class"] for table in reader.all("table")] == ["wide", "short"]
    assert {"class": "row", "style": "--across: 3"} in reader.all("div")
    one = Reader(Page("x").figures([(low, "a")] * 3, across=3).html()).all("div")
    assert {"class": "row one", "style": "--across: 3"} in one, "not torn from its heading"


def test_the_cells_of_a_stacked_table_say_of_which_column_they_are():
    rows = [[1, "a", 0.5], [2, "", 0.25]]
    stacked, plain = (
        Reader(Page("x").table(["", "na<me", "p"], rows, stacked=which).html())
        for which in (True, False)
    )
    assert [cell.get("data-label") for cell in stacked.all("td")] == ["na<me", "p"] * 2
    assert stacked.all("table")[0]["class"] == "short stacked" and stacked.texts == plain.texts
    assert not any("data-label" in cell for cell in plain.all("td"))
