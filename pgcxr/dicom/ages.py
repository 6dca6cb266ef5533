"""Ages as DICOM and public data sets write them, in years."""

import datetime
import re

DAYS_PER_YEAR = 365.2425
# How many of DICOM's units of an Age String (PS3.5 6.2, VR AS) are a year.
UNITS = {"Y": 1.0, "M": 12.0, "W": DAYS_PER_YEAR / 7, "D": DAYS_PER_YEAR}
# Words that tables write behind a number, in case folded.
WORDS = {
    "Y": (
        *("", "+", "y", "yr", "yrs", "year", "years", "year(s)", "years old", "yo", "y/o", "y.o"),
        *("j", "jahr", "jahre", "an", "ans", "año", "años", "anni", "세", "살", "歳", "岁"),
    ),
    "M": ("m", "mo", "mos", "month", "months", "month(s)", "monat", "monate", "mois", "개월"),
    "W": ("w", "wk", "wks", "week", "weeks", "week(s)", "woche", "wochen", "주"),
    "D": ("d", "day", "days", "day(s)", "tag", "tage", "일"),
}
OLDEST = 120
# From here on an age, stated or counted, stands for one that was taken out (120Y, born in 1900).
UNLIKELY = 110
# Years by which a stated age and one counted from dates may differ: of some births the year alone
# is known.
CLOSE = 2


def age_in_years(text: str) -> float | None:
    """Reads "054Y", "018M" or "54" (years, as some exports write it); None where it is no age or
    above 120 years.

    Example:

        >>> age_in_years("018M"), age_in_years("old")
        (1.5, None)
    """
    match = re.fullmatch(r"(\d{1,4}) ?([YMWD]?)", text.strip().upper())
    if not match:
        return None
    years = float(match[1]) / UNITS[match[2] or "Y"]
    return years if years <= OLDEST else None


def age_in_words(text: str) -> float | None:
    """As `age_in_years`, and how tables write ages: "65.5", "65,0", "65 years", "65 Jahre", "18
    months", "90+" (which is 90 at least).

    Example:

        >>> age_in_words("65,0"), age_in_words("18 Monate"), age_in_words("about 60")
        (65.0, 1.5, None)
    """
    known = age_in_years(text)
    match = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?\s*(\+|\D*)", text.strip().casefold())
    if known is not None or not match:
        return known
    unit = match[3].rstrip(".")
    in_a_year = next((UNITS[name] for name, words in WORDS.items() if unit in words), None)
    if in_a_year is None:
        return None
    years = float(f"{match[1]}.{match[2] or 0}") / in_a_year
    return years if years <= OLDEST else None


def age_of(stated: str, birth: str, study: str) -> tuple[float | None, bool]:
    """The age in years that a header means, and whether it contradicts itself.

    000Y, which is no adult's nor a newborn's (000D), and what is 110 years or older stand for an
    age that was taken out; the other witness is believed, the stated age or the dates of birth and
    study. Where the two differ otherwise, neither is.

    Example:

        >>> age_of("000Y", "19600101", "20150302"), age_of("045Y", "20050101", "20150302")
        ((55.0, False), (None, True))
    """
    told, counted = age_in_years(stated), age_between(birth, study)
    if told == 0 and re.fullmatch(r"0+ ?Y?", stated.strip().upper()):
        told = None
    likely = [age for age in (told, counted) if age is not None and age < UNLIKELY]
    if len(likely) == 2 and abs(likely[0] - likely[1]) > CLOSE:
        return None, True
    return (likely[0] if likely else None), False


def age_between(birth: str, study: str) -> float | None:
    """Whole years from birth to study, both YYYYMMDD; None where either is missing, no date, or the
    wrong way round."""
    born, studied = day(birth), day(study)
    if born is None or studied is None or studied < born:
        return None
    years = studied.year - born.year - ((studied.month, studied.day) < (born.month, born.day))
    return float(years) if years <= OLDEST else None


def day(text: str) -> datetime.date | None:
    """Reads "20160630", also with "-", "." or "/" between (PS3.5 6.2, VR DA); None where it is no
    date."""
    digits = re.sub(r"[-./]", "", text.strip())[:8]
    if not re.fullmatch(r"[0-9]{8}", digits):  # strptime takes fewer for a date, too
        return None
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        return None
