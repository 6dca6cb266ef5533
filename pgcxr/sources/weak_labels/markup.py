r"""A report as plain text: what a database, an interface or an office program put around it undone.

A line's end that stands as ``<br>``, ``\.br\`` (HL7 v2, 2.7), ``\par`` (RTF), ``_x000D_`` (Excel's
XML) or ``\n`` ends a statement as any other does, and ``&nbsp;`` is a blank. What only looks like
it ("<1 cm", "a < b", C:\new) stays.
"""

import codecs
import html
import re
import unicodedata

# Nothing of a text without one of these is markup.
ANY = re.compile(
    "[<&\\\\~%=\u00b6\x0b\x0c\x1c-\x1e\x85\u00a0\u00ad\u200b-\u200d\u2028\u2029\u2060\ufeff]|_x|   "
)
# No report is longer; what is markup is not looked for beyond.
LONGEST = 400_000
# Escapes are escaped again by the next system: "&amp;nbsp;".
TIMES = 3
HIDDEN = re.compile(
    r"<!--(?:(?!<!--).)*?-->|<(head|style|script)\b[^<>]*>(?:(?!<\1\b).)*?</\1\s*>",
    re.DOTALL | re.IGNORECASE,
)
OUTSIDE = re.compile(r"<\?xml[^<>]*\?>|<!doctype[^<>]*>|<!\[CDATA\[|\]\]>", re.IGNORECASE)
BLOCKS = re.compile(
    r"</?(?:br|p|div|tr|li|ul|ol|dl|dt|dd|h[1-6]|hr|table|tbody|thead|tfoot|html|body|pre|section|"
    r"article|header|footer|blockquote|center|address|caption|paragraph|item|list|text|para|line|"
    r"cr|lf|crlf|cr/lf|newline|linebreak)(?:\s[^<>]{0,2000})?\s*/?>",
    re.IGNORECASE,
)
CELLS = re.compile(r"</?(?:td|th|col|colgroup)(?:\s[^<>]{0,2000})?\s*/?>", re.IGNORECASE)
INLINE = re.compile(
    r"</?(?:a|b|i|u|s|em|strong|span|font|small|big|sub|sup|tt|code|strike|del|ins|mark|label|abbr|"
    r"img|meta|link|title|content|nobr|wbr|style|script|head|o:p|st1:\w+|w:\w+|v:\w+)"
    r"(?:\s[^<>]{0,2000})?\s*/?>",
    re.IGNORECASE,
)
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});|&nbsp\b", re.I)
EXCEL = re.compile(r"_x([0-9A-Fa-f]{4})_")
HL7_BREAK = re.compile(r"\\\.(?:br|sp|ce)\s?[+-]?\d*\\", re.IGNORECASE)
HL7_HEX = re.compile(r"\\X((?:[0-9A-Fa-f]{2})+)\\")
HL7_CODE = re.compile(r"\\([FSTREP])\\")
HL7_FORMAT = re.compile(
    r"\\(?:\.(?:fi|nf|(?:in|ti|sk)\s?[+-]?\d*)|[HN]|[CMZ][0-9A-Fa-f]{0,8})\\", re.IGNORECASE
)
HL7_MARKS = {"F": "|", "S": "^", "T": "&", "R": "\n", "E": "\\", "P": "#"}
# Between repetitions of HL7, but neither "~5 mm" nor between short words ("RUL~RML").
TILDE = re.compile(
    r"(?<=[.!?:;)])\s*~+\s*(?!\d)|~~+|(?<=\w)\s*~\s*(?=[^\W\d_]{5})(?![\uac00-\ud7af])"
    r"|(?<=[^\W\d_]{5})\s*~\s*(?=[^\W\d_])(?![\uac00-\ud7af])"
    r"|(?<=[\uc74c\uc784\ud568\ub428\ub2e4\uc694\uacac])\s*~\s*(?=[^\W\d_])|^\s*~(?!\s?\d)|~\s*$",
    re.MULTILINE,
)
RTF = re.compile(r"\{\\rtf|\\(?:pard?|line)(?![a-z])")
RTF_TOKEN = re.compile(
    r"\\(?:(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})?[ ]?|'(?P<hex>[0-9a-fA-F]{2})"
    r"|(?P<sign>[^a-zA-Z]))|(?P<brace>[{}])|(?P<text>[^\\{}]+)|\\"
)
RTF_TEXT = {
    **dict.fromkeys(("par", "line", "sect", "page", "row", "column", "softline", "lbr"), "\n"),
    **dict.fromkeys(("tab", "cell", "nestcell"), "\t"),
    **{"emdash": "-", "endash": "-", "lquote": "'", "rquote": "'", "bullet": "\u2022"},
    **{"ldblquote": '"', "rdblquote": '"'},
    **dict.fromkeys(("emspace", "enspace", "qmspace"), " "),
}
RTF_SIGNS = {"~": " ", "-": "", "_": "-", "\n": "\n", "\r": "\n"}
RTF_HIDDEN = frozenset(
    (
        *("fonttbl", "colortbl", "stylesheet", "info", "pict", "generator", "objdata", "fldinst"),
        *("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"),
        *("listtable", "listoverridetable", "rsidtbl", "filetbl", "themedata", "datastore"),
        *("latentstyles", "xmlnstbl", "revtbl"),
    )
)
KOREAN_FONT, CODE_PAGE = "\\fcharset129", re.compile(r"\\ansicpg(\d{3,5})")
# Escapes of programming languages, and of mail and addresses.
BREAKS = re.compile(
    r"(?:%0[aAdD])+|(?:=0[AD])+(?![0-9A-Za-z])|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029\u00b6]"
)
NUMBERED = re.compile(r"\\{1,2}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|0(1[25]))")
# Not where the letter begins a word: "mass\nodule" has a stroke.
LITERAL = re.compile(
    r"\\{1,2}(?!(?:nodul|normal|no\b|not\b|none\b|nor\b|neg|new\b|trace|thick|tumou?r|tb\b|tube\b|"
    r"trach|right\b|ribs?\b|rul\b|rll\b|rml\b|retic|rt\b|rotat))([nrt])"
)
PATH = re.compile(r"(?:\b[A-Za-z]:\\|(?<!\S)\\\\(?=\w+\\))\S*")
GAP = re.compile(r"(?<=\S) {3,}(?=\S)")
INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")


def plain(text: str) -> str:
    r"""The text without markup.

    Example:

        >>> plain("No pneumothorax.<br/>Effusion&nbsp;&lt;1 cm."), plain(r"Clear.\.br\No effusion")
        ('No pneumothorax.\nEffusion <1 cm.', 'Clear.\nNo effusion')
    """
    if not ANY.search(text):
        return text
    kept, text = text[LONGEST:], text[:LONGEST]
    for _ in range(TIMES):
        before = text
        text = _from_rtf(text) if RTF.search(text) else text
        text = _from_hl7(text) if "\\" in text else text
        text = _from_html(EXCEL.sub(_character, text))
        if text == before:
            break
    if "\\" in text:
        text = _from_literals(text)
    text = INVISIBLE.sub("", TILDE.sub("\n", BREAKS.sub("\n", text)).replace("\u00a0", " "))
    if "   " in text:
        text = "\n".join(map(_from_columns, text.split("\n")))
    return text + kept


def _character(found: re.Match) -> str:
    number = int(found[1], 16)
    return "\n" if number in (10, 11, 12, 13) else chr(number)


def _from_html(text: str) -> str:
    if "&" in text:
        text = ENTITY.sub(_entity, text)
    if "<" in text:
        text = OUTSIDE.sub("", HIDDEN.sub(" ", text))
        text = INLINE.sub("", CELLS.sub("\t", BLOCKS.sub("\n", text)))
    return text


def _entity(found: re.Match) -> str:
    written = found[0].rstrip(";") + ";"
    mark = html.unescape(written)
    return (
        mark
        if mark != written
        else html.unescape(written.lower()).replace(written.lower(), written)
    )


def _from_hl7(text: str) -> str:
    text = HL7_HEX.sub(
        lambda found: _decoded(bytes.fromhex(found[1]), "cp1252"), HL7_BREAK.sub("\n", text)
    )
    return HL7_CODE.sub(lambda found: HL7_MARKS[found[1]], HL7_FORMAT.sub(" ", text))


def _decoded(octets: bytes, page: str) -> str:
    for encoding in ("utf-8", page):
        try:
            return octets.decode(encoding)
        except UnicodeDecodeError:
            continue
    return octets.decode("latin-1")


def _from_literals(text: str) -> str:
    paths: list[str] = []

    def aside(found: re.Match) -> str:
        paths.append(found[0])
        return f"\ue000{len(paths) - 1}\ue001"

    def numbered(found: re.Match) -> str:
        mark = chr(int(found[1] or found[2], 16) if not found[3] else int(found[3], 8))
        return mark if mark.isprintable() or mark in "\n\r\t" else "\n"

    text = NUMBERED.sub(numbered, PATH.sub(aside, text))
    text = LITERAL.sub(lambda found: "\t" if found[1] == "t" else "\n", text)
    return re.sub("\ue000(\\d+)\ue001", lambda found: paths[int(found[1])], text) if paths else text


def _from_columns(line: str) -> str:
    """Three blanks between two texts of several words end a line, as it is kept by systems without
    ends of lines; not between a name and its answer."""
    parts = GAP.split(line)
    if len(parts) == 1:
        return line
    whole = parts[0]
    for before, part in zip(parts, parts[1:], strict=False):
        several = len(before.split()) > 1 and len(part.split()) > 1
        whole += ("\n" if several and not before.endswith(":") else "   ") + part
    return whole


def _from_rtf(text: str) -> str:
    """The text of RTF (specification 1.9.1), also where its head is lost."""
    page = CODE_PAGE.search(text)
    encoding = f"cp{page[1]}" if page else "cp949" if KOREAN_FONT in text else "cp1252"
    try:
        codecs.lookup(encoding)
    except LookupError:
        encoding = "cp1252"
    written: list[str] = []
    octets = bytearray()
    # Of each open group: whether it is shown, and how many characters follow \uN in its place.
    groups, shown, instead, skip = [], True, 1, 0

    def write(piece: str) -> None:
        if octets:
            written.append(octets.decode(encoding, "replace"))
            octets.clear()
        written.append(piece)

    for token in RTF_TOKEN.finditer(text):
        word = token["word"]
        if token["hex"]:
            if skip:
                skip -= 1
            elif shown:
                octets.append(int(token["hex"], 16))
        elif token["brace"] == "{":
            groups.append((shown, instead))
            skip = 0
        elif token["brace"]:
            shown, instead = groups.pop() if groups else (True, 1)
            skip = 0
        elif token["text"]:
            piece, skip = token["text"][skip:], max(0, skip - len(token["text"]))
            if shown:
                write(piece)
        elif word:
            if word in RTF_HIDDEN and groups:
                shown = False
            elif word == "uc" and token["number"]:
                instead = int(token["number"])
            elif word == "u" and token["number"]:
                skip = instead
                if shown:
                    write(chr(int(token["number"]) % 65536))
            elif shown and word in RTF_TEXT:
                write(RTF_TEXT[word])
        elif token["sign"] == "*" and groups:
            shown = False
        elif token["sign"] and shown:
            write(RTF_SIGNS.get(token["sign"], token["sign"]))
    write("")
    return unicodedata.normalize("NFC", "".join(written))
