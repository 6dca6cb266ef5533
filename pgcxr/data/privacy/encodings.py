"""Which encoding a text says that it has."""

import codecs

# UTF-32's mark begins with UTF-16's.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def marked(start: bytes) -> str | None:
    """The encoding of a text that begins with a byte order mark of more than eight bits."""
    return next((name for mark, name in MARKS if start.startswith(mark)), None)


def decode(content: bytes) -> str:
    """UTF-8, with or without its mark, or else Latin-1, in which everything is a text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
