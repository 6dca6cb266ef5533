"""SVG and HTML without the words of their own markup: "butt" as the end of a line is not Mr Butt.

Only where such a word has its meaning is it left out: the name of an element or attribute, a
property of CSS and its value, a namespace, an id that matplotlib gives. Every other value of an
attribute stays, as do text and comments.
"""

import re

STARTS = (b"<?xml", b"<!doctype", b"<svg", b"<html")
TAG = re.compile(r"<[/!?]?[A-Za-z][^<>]*>")
# Of an element, or of an attribute that has a value.
NAME = re.compile(r"(?<=[<\s/?!])[A-Za-z][\w:.-]*(?=\s*=\s*[\"'])|(?<=<)[/?!]?[A-Za-z][\w:.-]*")
DECLARATION = re.compile(r"(?<![\w-])([A-Za-z][\w-]{0,40})(\s*:\s*|\s*=\s*[\"'])([^;{}\"]*)")
NAMESPACE = re.compile(
    r"https?://(?:www\.w3\.org|purl\.org|creativecommons\.org)/[\w./#-]*"
    r"|\"-//W3C//[^\"]*\"|\bPUBLIC\b|\bsvg11\.dtd\b"
)
ID = re.compile(
    r"(?<![\w-])(?:id|href|xlink:href)=\"#?(?:figure|axes|patch|line2d|text|[xy]tick|legend|"
    r"matplotlib\.axis|\w+Collection|QuadMesh|FillBetween\w*|annotation|image|DejaVu\w*-[0-9a-f]+|[mpCh]?[0-9a-f]{6,}|C\d+)[\w]*\""
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES = _words(
    """
    a animate article aside b big blockquote body br button canvas caption circle clippath code
    col colgroup dd defs desc details div dl doctype dt ellipse em encoding fieldset figcaption
    figure filter font footer form g h1 h2 h3 h4 h5 h6 head header hr html i iframe image img
    input label legend li line lineargradient link main marker mask meta metadata nav ol
    optgroup option p path pattern polygon polyline pre radialgradient rect script section
    select small source span stop strong style sub summary sup svg symbol table tbody td text
    textarea textpath tfoot th thead title tr tspan u ul use video xml cc:work rdf:rdf dc:type
    dc:format dc:date dc:creator dc:title cc:agent alt aria-hidden aria-label charset class
    clip-path clippathunits clip-rule color content cx cy d data datetime dir disabled dx dy
    fill fill-opacity fill-rule font-family font-size font-style font-weight for gradientunits
    headers height href http-equiv id lang loading markerheight markerwidth media method name
    offset onclick opacity orient overflow points preserveaspectratio property r rel role
    rowspan colspan rx ry scope src standalone start stop-color stroke stroke-dasharray
    stroke-dashoffset stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity
    stroke-width tabindex target text-anchor transform type units value version viewbox width x
    x1 x2 xlink:href xml:space xmlns xmlns:cc xmlns:dc xmlns:rdf xmlns:xlink y y1 y2
    rdf:resource rdf:about
    """
)
PROPERTIES = _words(
    """
    background background-color border border-bottom border-collapse border-left border-radius
    border-right border-top box-shadow box-sizing clip-path clip-rule color cursor display fill
    fill-opacity fill-rule flex flex-wrap float font font-family font-size font-style
    font-variant font-weight gap grid height hyphens image-rendering initial-scale
    justify-content letter-spacing line-height list-style margin margin-bottom margin-left
    margin-right margin-top max-height max-width min-height min-width opacity overflow
    overflow-x padding page-break-inside position stroke stroke-dasharray stroke-dashoffset
    stroke-linecap stroke-linejoin stroke-miterlimit stroke-opacity stroke-width text-align
    text-anchor text-decoration text-transform top transform type vertical-align visibility
    white-space width
    """
)
# With the families that matplotlib lists unless it is told one.
VALUES = _words(
    """
    absolute alphabetic auto avoid baseline bevel black block bold bolder border box both bottom
    butt capitalize center central collapse column cover crisp css dashed default dotted evenodd
    fixed flex geometricprecision grid grey gray hidden inherit initial inline inside italic
    justify left lighter linear lowercase matrix medium middle miter monospace none nonzero
    normal nowrap oblique optimizelegibility outside pixelated plain pointer pre px red relative
    right rotate round row rgb rgba sans scale scroll serif small solid space square start
    sticky style system table text top translate transparent ui underline uppercase url visible
    white wrap dejavu bitstream vera computer modern lucida grande verdana geneva lucid arial
    helvetica avant garde roboto segoe liberation times new roman courier menlo consolas monaco
    noto emoji georgia palatino charter
    """
)
WORD = re.compile(r"[A-Za-z]+")


def is_markup(start: bytes) -> bool:
    """Whether a file that begins like this is SVG or HTML."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(STARTS)


def reduced(text: str) -> str:
    """The texts between the tags, in lines of their own, and then what the tags say besides their
    own words."""
    text, comments = _apart(text, "<!--", "-->")
    text, styles = _apart(text, "<style", "</style")
    styles = [_without(style, NAMES | PROPERTIES | VALUES) for style in styles]
    tags = TAG.findall(text)
    return "\n".join(
        [TAG.sub("\n", text), *comments, *styles, *filter(None, map(_attributes, tags))]
    )


def _apart(text: str, begin: str, end: str) -> tuple[str, list[str]]:
    """What lies outside of pairs of `begin` and `end`, and what inside; a `begin` without `end` is
    text."""
    outside, inside, at = [], [], 0
    while (start := text.find(begin, at)) >= 0 and (stop := text.find(end, start)) >= 0:
        outside.append(text[at:start])
        inside.append(text[start + len(begin) : stop])
        at = stop + len(end)
    return "\n".join([*outside, text[at:]]), inside


def _attributes(tag: str) -> str:
    """What a tag says besides its own words; "" where that is nothing."""
    tag = ID.sub(" ", NAMESPACE.sub(" ", tag))
    tag = DECLARATION.sub(_declared, tag)
    tag = NAME.sub(lambda found: " " if found[0].lstrip("/?!").lower() in NAMES else found[0], tag)
    return tag if any(mark.isalnum() for mark in tag) else ""


def _declared(found: re.Match) -> str:
    """A property of CSS, or an attribute of the same name, without what it may be by itself."""
    if found[1].lower() not in PROPERTIES:
        return found[0]
    return f"{found[1] if found[1].lower() in NAMES else ' '}{found[2]}{_without(found[3], VALUES)}"


def _without(text: str, words: frozenset[str]) -> str:
    return WORD.sub(lambda found: " " if found[0].lower() in words else found[0], text)
