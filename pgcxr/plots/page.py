"""One self-contained HTML page: text, tables and embedded figures; no script, no network, no font
of its own.

Everything given is escaped, and the same content gives the same bytes. A page opens from a USB
stick, prints on A4, and reads on a phone. Numbers look alike in all of it: `typeset` and `cell`.

    page = Page("Fidelity")
    page.text("What was done.")
    page.section("Results").comparison_table([("AUROC", 0.983, 0.97, "real on real")])
    page.figure("roc.png", "ROC curves").write("report.html")
"""

import base64
import math
import numbers
import os
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

import jinja2
import numpy as np
from markupsafe import Markup

from pgcxr.errors import InputError
from pgcxr.io.artifacts import write_text

MEDIA = {
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
MISSING = "\N{EN DASH}"
# More columns than that are set in smaller type, and tables of no more rows are not torn.
WIDE, SHORT = 6, 8
# Figures of more CSS pixels are given a page of paper.
TALL = 900
# A negative number that is nearer to 0 is an error of rounding.
ROUNDING = 1e-15
VERDICTS = {True: ("ok", "Reached"), False: ("no", "Not reached"), None: ("open", "Note")}


@dataclass
class _Section:
    title: str
    parts: list[Markup] = field(default_factory=list)


class Page:
    """Collects parts in order and writes them as one HTML file. Every method returns the page.

    What comes before the first `section` opens the page, above the contents.
    """

    def __init__(self, title: str):
        self.title = title
        self.opening: list[Markup] = []
        self.sections: list[_Section] = []

    def section(self, title: str) -> "Page":
        """Starts a section; the contents at the top link to it."""
        self.sections.append(_Section(typeset(title)))
        return self

    def heading(self, title: str) -> "Page":
        """A heading inside the section."""
        return self._add(Markup("<h3>{}</h3>").format(typeset(title)))

    def text(self, *paragraphs: str) -> "Page":
        """Paragraphs; a blank line inside one starts another."""
        for paragraph in "\n\n".join(paragraphs).split("\n\n"):
            if paragraph.strip():
                self._add(Markup("<p>{}</p>").format(typeset(paragraph.strip())))
        return self

    def table(
        self, header: list[str], rows: list, caption: str = "", stacked: bool = False
    ) -> "Page":
        """A table; the first cell of a row heads the row. Numbers are set as by `cell` and aligned
        to the right.

        A `stacked` one, whose rows are read one by one, needs no scrolling where the page is
        narrow: each cell is a line there.
        """
        rows = [list(row) for row in rows]
        for row in rows:
            if len(row) != len(header):
                raise ValueError(
                    f"a row of {len(row)} cells under a header of {len(header)}: {row}"
                )
        right = [bool(rows) and all(_is_number(row[i]) for row in rows) for i in range(len(header))]
        kinds = ["wide"] * (len(header) > WIDE) + ["short"] * (len(rows) <= SHORT)
        kinds += ["stacked"] * stacked
        labels = header if stacked else [""] * len(header)
        html = Markup('<div class="scroll"><table class="{}">').format(" ".join(kinds))
        if caption:
            html += Markup("<caption>{}</caption>").format(typeset(caption))
        html += (
            Markup("<thead><tr>")
            + _cells("th", header, right, ' scope="col"')
            + Markup("</tr></thead><tbody>")
        )
        for row in rows:
            html += Markup("<tr>") + _cells("th", row[:1], right[:1], ' scope="row"')
            html += _cells("td", row[1:], right[1:], labels=labels[1:]) + Markup("</tr>")
        return self._add(html + Markup("</tbody></table></div>"))

    def definitions(self, pairs: list[tuple[str, str]]) -> "Page":
        """Words and what they mean."""
        return self._add(
            Markup("<dl>{}</dl>").format(
                Markup("").join(
                    Markup("<dt>{}</dt><dd>{}</dd>").format(typeset(word), typeset(meaning))
                    for word, meaning in pairs
                )
            )
        )

    def commands(self, lines: list[str]) -> "Page":
        """Lines to be typed, as they are."""
        return self._add(Markup("<pre>{}</pre>").format("\n".join(lines)))

    def comparison_table(self, rows: list[tuple], caption: str = "") -> "Page":
        """Rows (measure, the thesis's value, ours, note), beside each other."""
        return self.table(["Measure", "Thesis", "This run", "Note"], rows, caption)

    def figure(self, path: str | os.PathLike, caption: str, alt: str | None = None) -> "Page":
        """Embeds an image file (PNG, SVG, GIF, JPEG); `alt` stands for it where it cannot be seen,
        else the caption."""
        return self._add(_figure(path, caption, alt))

    def strip(
        self, path: str | os.PathLike, shape: tuple[int, int], caption: str, alt: str
    ) -> "Page":
        """A JPEG file of pictures side by side in one row; in two, halves of the width and height
        `shape`, where the page is narrow."""
        encoded = Markup(base64.b64encode(Path(path).read_bytes()).decode("ascii"))
        html = (
            '<figure><div class="strip" role="img" aria-label="{}" style="--half: {} / {};'
            '--strip: url(data:image/jpeg;base64,{})"><i></i><i></i></div>'
            "<figcaption>{}</figcaption></figure>"
        )
        return self._add(Markup(html).format(alt, *shape, encoded, typeset(caption)))

    def drawing(self, svg: Markup, caption: str) -> "Page":
        """A figure that is drawn in the page itself, as `pgcxr.plots.diagram` does."""
        return self._add(
            Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(svg, typeset(caption))
        )

    def figures(self, images: list[tuple], across: int = 4) -> "Page":
        """Figures (path, caption[, alt]) side by side, `across` of them at most, below each other
        where the page is narrow."""
        return self._add(
            Markup('<div class="{}" style="--across: {}">{}</div>').format(
                # On paper, one row stays below its heading.
                "row one" if len(images) <= across else "row",
                min(len(images), across),
                Markup("").join(_figure(*each) for each in images),
            )
        )

    def verdict(self, ok: bool | None, text: str, word: str = "") -> "Page":
        """Whether an aim was reached (True, False), in words (`word`) and not by color alone; None
        is a remark."""
        kind, usual = VERDICTS[None if ok is None else bool(ok)]
        return self._add(
            Markup('<p class="verdict {}"><strong>{}</strong> {}</p>').format(
                kind, word or usual, typeset(text)
            )
        )

    def html(self) -> str:
        """The whole page."""
        source = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
        template = jinja2.Environment(autoescape=True, keep_trailing_newline=True).from_string(
            source
        )
        return template.render(page=self)

    def write(self, path: str | os.PathLike) -> Path:
        """Writes the page atomically."""
        write_text(path, self.html())
        return Path(path)

    def _add(self, part: Markup) -> "Page":
        (self.sections[-1].parts if self.sections else self.opening).append(part)
        return self


def typeset(text: str) -> str:
    """Text with its numbers in one format: a minus before a negative number, a space that does not
    break before a percent sign, and ≥ for >=.

    Example:

        >>> typeset("-0.05 to 12%").replace("\N{NO-BREAK SPACE}", "_")
        '−0.05 to 12_%'
    """
    text = text.replace(">=", "\N{GREATER-THAN OR EQUAL TO}").replace(
        "<=", "\N{LESS-THAN OR EQUAL TO}"
    )
    return _PERCENT.sub("\\1\N{NO-BREAK SPACE}%", _MINUS.sub("\N{MINUS SIGN}", text))


# A hyphen that begins a number: not one within a word, a range or a date.
_MINUS = re.compile(r"(?<![\w.,)\]-])-(?=\.?\d)")
_PERCENT = re.compile("(\\d)[ \N{NO-BREAK SPACE}]?%")


def cell(value) -> str:
    """How a table shows a value: counts with thousands separators, other numbers with three to four
    figures, two values as "low to high", and a dash for None and NaN."""
    if value is None:
        return MISSING
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return _sign(f"{value:,}")
    if isinstance(value, numbers.Real):
        return _real(float(value))
    if isinstance(value, (list, tuple)) and _is_number(value):
        return f"{cell(value[0])} to {cell(value[1])}"
    return typeset(str(value))


def _real(value: float) -> str:
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return _sign("\N{INFINITY}" if value > 0 else "-\N{INFINITY}")
    size = abs(value)
    if size >= 1000:
        return _sign(f"{value:,.0f}")
    if size >= 10:
        return _sign(f"{value:.1f}")
    if -ROUNDING < value <= 0:  # above 0 it may be a p-value
        return "0.000"
    if size >= 0.001:
        return _sign(f"{value:.3f}")
    return _sign(f"{value:.1e}")


def _sign(text: str) -> str:
    return "\N{MINUS SIGN}" + text[1:] if text.startswith("-") else text


def _is_number(value) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == 2 and all(isinstance(one, numbers.Real) for one in value)
    return value is None or (isinstance(value, numbers.Real) and not isinstance(value, bool))


def _cells(
    tag: str, values: list, right: list[bool], attributes: str = "", labels: Sequence[str] = ()
) -> Markup:
    return Markup("").join(
        Markup("<{tag}{scope}{label}{side}>{value}</{tag}>").format(
            tag=Markup(tag),
            scope=Markup(attributes),
            label=Markup(' data-label="{}"').format(label) if label else "",
            side=Markup(' class="n"' if at_right else ""),
            value=cell(value),
        )
        for value, at_right, label in zip_longest(values, right, labels)
    )


def _figure(path: str | os.PathLike, caption: str, alt: str | None = None) -> Markup:
    path, caption = Path(path), typeset(caption)
    media = MEDIA.get(path.suffix.lower())
    if media is None:
        raise ValueError(f"{path.name}: figures are {', '.join(MEDIA)}")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such figure; run the step that draws it again") from None
    encoded = Markup(base64.b64encode(data).decode("ascii"))
    size: str | Markup = ""
    if media == "image/png":
        width, height = _printed_size(data)
        kind = Markup(' class="tall"') if height > TALL else ""
        size = Markup(' width="{}" height="{}"{}').format(width, height, kind)
    image = Markup('<img src="data:{};base64,{}" alt="{}"{}>').format(
        media, encoded, alt or caption, size
    )
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(image, caption)


def _printed_size(png: bytes) -> tuple[int, int]:
    """Width and height in CSS pixels (96 an inch), by the resolution the PNG states (pHYs), else
    its own pixels."""
    width, height = struct.unpack(">II", png[16:24])
    at = png.find(b"pHYs", 0, 512)
    if at < 0:
        return width, height
    per_meter = struct.unpack(">I", png[at + 4 : at + 8])[0]
    scale = 96 / 0.0254 / per_meter if per_meter else 1.0
    return round(width * scale), round(height * scale)
