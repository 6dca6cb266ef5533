"""Numbers of studies and patients, and names of columns, as a PACS, a database and a spreadsheet
write the same one.

A spreadsheet takes a number for an amount: zeros in front are lost, 1,234 or 1234.0 come out of
1234, and of more digits than fit only 2.01606E+15 is left. People write ' or ="..." against it.
"""

import re
import unicodedata

# Characters that show nothing and that str.strip leaves at the ends of a cell.
INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad\u202a\u202b\u202c\u202d\u202e\u180e"
# Significant digits of a number in a spreadsheet; the digits after them become zeros.
SPREADSHEET = 15
SCIENTIFIC = re.compile(r"([1-9])(?:[.,](\d+))?E\+?(\d{1,3})")
THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:(?:,\d{3})+|(?:'\d{3})+|(?:\.\d{3}){2,})")
DECIMALS = re.compile(r"(\d+)[.,]0{1,2}")


def name(text: str) -> str:
    """A column's name without case, blanks, marks and what nobody sees: "Accession Number" is
    "accession_number".

    Example:

        >>> name(" Accession Number\\u200b") == name("accession_number")
        True
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.sub(r"[\W_]+", "", folded) or folded.strip()


def plain(text: str) -> str:
    """Without blanks and quotation marks around it and without characters that nobody sees; full
    width and other forms of letters and digits as the usual ones."""
    if text.isascii() and text.isalnum():  # nearly all of a large table
        return text
    text = unicodedata.normalize("NFKC", text)
    text = "".join(mark for mark in text if unicodedata.category(mark) not in ("Cf", "Cc"))
    formula = re.fullmatch(r'\s*="?(.*?)"?\s*', text)
    return (formula[1] if formula else text).strip().strip("'\"`\u2018\u2019\u201c\u201d").strip()


def number(text: str) -> str:
    """The number of a study or patient without all that a spreadsheet adds or takes away, in
    capitals and without zeros in front: to compare with others alone.

    Example:

        >>> number("'00012345"), number("12,345"), number("12345.0"), number("1.2345E+04")
        ('12345', '12345', '12345', '12345')
        >>> number("2.01606E+15")  # digits are lost
        '2.01606E+15'
    """
    text = plain(text).upper()
    if text.isalnum() and "E" not in text:
        return _without_zeros(text)
    text = re.sub(r"\s+", "", text)
    if THOUSANDS.fullmatch(text):
        text = re.sub(r"[.,']", "", text)
    whole = DECIMALS.fullmatch(text)
    if whole:
        text = whole[1]
    scientific = SCIENTIFIC.fullmatch(text)
    if scientific and len(scientific[2] or "") >= int(scientific[3]) > 3:
        digits = scientific[1] + scientific[2]
        if set(digits[int(scientific[3]) + 1 :]) <= {"0"}:
            text = digits[: int(scientific[3]) + 1]
    return _without_zeros(text)


def _without_zeros(text: str) -> str:
    """Without zeros in front. 0 is a number, 0000 stands for none."""
    return text if text == "0" else text.lstrip("0")


def is_rounded(text: str) -> bool:
    """Whether a spreadsheet has written a number with an exponent, and left digits out."""
    scientific = SCIENTIFIC.fullmatch(number(text))
    return scientific is not None and int(scientific[3]) > 3


def is_cut(text: str) -> bool:
    """Whether a number has more digits than a spreadsheet keeps, and zeros in their place."""
    digits = number(text)
    return digits.isdigit() and len(digits) > SPREADSHEET and not digits[SPREADSHEET:].strip("0")


def is_long(text: str) -> bool:
    """Whether a spreadsheet could not keep all digits of a number."""
    digits = number(text)
    return digits.isdigit() and len(digits) > SPREADSHEET


def fits(rounded: str, other: str) -> bool:
    """Whether the number `other` gives `rounded`, where digits are left out.

    Example:

        >>> fits("2.01606E+15", "2016063000000001"), fits("2.01606E+15", "2016073000000001")
        (True, False)
    """
    digits = number(other)
    scientific = SCIENTIFIC.fullmatch(number(rounded))
    if scientific is None or not digits.isdigit() or len(digits) != int(scientific[3]) + 1:
        return False
    said = scientific[1] + (scientific[2] or "")
    unit = 10 ** max(len(digits) - len(said), 0)
    return abs(int(digits) - int(said) * unit) * 2 <= unit
