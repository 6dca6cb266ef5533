"""Which encoding a text says that it has."""

import codecs

# UTF-32's mark begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


# Of texts that say nothing; in another one's bytes, Latin letters are hardly ever Latin letters.
UNMARKED = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
LAST_LATIN = "\u024f"
# Bytes that are looked at.
START = 256


def wide(start: bytes) -> str | None:
    """The encoding of a text of two or four bytes to a character, by its mark or by its first START
    bytes."""
    for mark, name in MARKS:
        if start.startswith(mark):
            return name
    start = start[: min(len(start) // 4 * 4, START)]
    return next((name for name in UNMARKED if len(start) > 4 and _is_latin(start, name)), None)


def _is_latin(start: bytes, encoding: str) -> bool:
    try:
        text = start.decode(encoding)
    except UnicodeDecodeError:
        return False
    return all(mark <= LAST_LATIN and (mark.isprintable() or mark in "\t\r\n") for mark in text)


def decode(content: bytes) -> str:
    """UTF-8, with or without its mark, or else Latin-1, in which everything is a text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def spaced(content: bytes) -> str:
    """`decode`, with blanks for the zeros that part texts or fill them up."""
    return decode(content.replace(b"\0", b" "))
