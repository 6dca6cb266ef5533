"""Bytes as texts, in every encoding that they may be in.

A name in EUC-KR without a character set is a name, on both sides: in the export that is audited and
in what was made of it. Most of the older encodings accept most bytes, and a few bytes do not say
which one they are in. So bytes that are not UTF-8 are read in each that gives letters, and all of
these readings are looked for, or looked through: the right one is among them.
"""

import codecs
import functools
import os
import re
import unicodedata

# UTF-32's mark begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Of texts that say nothing; in another one's bytes, Latin letters are hardly ever Latin letters,
# and letters of one script hardly ever beside blanks and marks.
UNMARKED = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
LAST_LATIN = "\u024f"
# Bytes that are looked at.
START = 256

# Those of DICOM (PS3.3 C.12.1.1.2), of Windows, and what else stood in for UTF-8; each as the
# larger set that Windows made of it.
MULTIBYTE = ("cp949", "gb18030", "cp932", "euc_jis_2004", "big5hkscs", "johab")
SINGLE_BYTE = (
    *("cp1252", "cp1250", "cp1251", "koi8-u", "iso8859-5", "cp866", "iso8859-2", "cp1253"),
    *("iso8859-7", "cp1254", "cp1255", "cp1256", "cp874", "cp437", "mac-roman", "mac-cyrillic"),
)
# Escapes by which ISO 2022 switches between sets: what they switch to is read as it stands, but for
# the seven-bit sets of Japan.
ESCAPE = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")
SEVEN_BIT = re.compile(rb"\x1b\$[@B(]|\x1b\([IJ]")
SEVEN_BIT_READINGS = ("iso2022_jp_2", "iso2022_jp_ext")
SHIFTED = b"\x1b$)C"
# Of the characters beyond ASCII, this share are letters where the encoding is the right one.
LETTERS = 0.8
# A text may be cut, or damaged, at this many places and one more for each so many bytes.
DAMAGES, BYTES_PER_DAMAGE = 2, 64
SURROGATES = re.compile("[\udc80-\udcff]")


def wide(start: bytes) -> str | None:
    """The encoding of a text of two or four bytes to a character, by its mark or by its first START
    bytes."""
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    start = start[: min(len(start) // 4 * 4, START)]
    latin = next((name for name in UNMARKED if len(start) > 4 and _is_latin(start, name)), None)
    if latin or b"\0" not in start:
        return latin
    return next((name for name in UNMARKED[2:] if _is_one_script(start, name)), None)


def _is_latin(start: bytes, encoding: str) -> bool:
    try:
        text = start.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(mark <= LAST_LATIN and (mark.isprintable() or mark in "\t\r\n") for mark in text)


def _is_one_script(start: bytes, encoding: str) -> bool:
    """Whether bytes read as letters of few scripts, between marks and blanks of ASCII."""
    text = start.decode(encoding, errors="ignore")
    letters = [mark for mark in text if not mark.isascii()]
    if not letters or not all(mark.isprintable() or mark in "\t\r\n" for mark in text):
        return False
    scripts = {unicodedata.name(mark, "?").split(" ")[0] for mark in letters if mark.isalpha()}
    return 0 < len(scripts) <= 3 and _lettered(text)


def decode(content: bytes) -> str:
    """UTF-8, with or without its mark; of lines that are not, every reading in lines of their
    own."""
    shifted = b"\x1b" in content
    if not shifted:
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            pass
    texts, other = [], []
    for line in content.splitlines(keepends=True):
        try:
            texts.append(line.decode("utf-8-sig"))
            if b"\x1b" not in line:
                continue
        except UnicodeDecodeError:
            pass
        other.append(line)
    # A line's end between the readings of one value, which has none of its own.
    end = "" if content.endswith((b"\n", b"\r")) else "\n"
    return end.join(["".join(texts)] * bool(texts) + readings(b"".join(other)))


def readings(content: bytes) -> list[str]:
    """What bytes that are not UTF-8 may say, each once: in Latin-1 where they are nothing else."""
    if len(content) <= START:
        return list(_readings(content))
    return _readings.__wrapped__(content)


@functools.lru_cache(1 << 14)
def _readings(content: bytes) -> list[str]:
    found: dict[str, None] = {}
    if b"\x1b" in content:
        if SEVEN_BIT.search(content):
            for name in SEVEN_BIT_READINGS:
                found[content.decode(name, errors="replace")] = None
        if SHIFTED in content:
            found[content.decode("iso2022_kr", errors="replace")] = None
        content = ESCAPE.sub(b"", content)
    try:
        found[content.decode("utf-8-sig")] = None
        return list(found)
    except UnicodeDecodeError:
        pass
    allowed = DAMAGES + len(content) // BYTES_PER_DAMAGE
    for name in (*MULTIBYTE, *SINGLE_BYTE):
        text = content.decode(name, errors="replace")
        if text.count("\ufffd") <= (allowed if name in MULTIBYTE else 0) and _lettered(text):
            found[text] = None
    if len(content) <= START and len(content) % 2 == 0:
        for name in UNMARKED[2:]:
            if _is_one_script(content, name):
                found[content.decode(name, errors="replace")] = None
    return list(found) or [content.decode("latin-1")]


def _lettered(text: str) -> bool:
    beyond = [mark for mark in text if not mark.isascii() and mark != "\ufffd"]
    return sum(map(_is_of_words, beyond)) >= LETTERS * len(beyond) > 0


@functools.lru_cache(1 << 16)
def _is_of_words(mark: str) -> bool:
    # Letters, the marks on them, and the full-width punctuation of texts in Chinese characters.
    return unicodedata.category(mark)[0] in "LM" or "\u3000" <= mark <= "\u303f" or mark >= "\uff01"


def is_odd(name: str) -> bool:
    """Whether the name of a file holds bytes that are not UTF-8."""
    return SURROGATES.search(name) is not None


def of_name(name: str) -> str:
    """The name of a file, in every reading of such bytes."""
    return decode(os.fsencode(name)) if is_odd(name) else name


def spaced(content: bytes) -> str:
    """`decode`, with blanks for the zeros that part texts or fill them up."""
    return decode(content.replace(b"\0", b" "))
