"""Ages as DICOM and public data sets write them, in years."""

import datetime
import re

DAYS_PER_YEAR = 365.2425
# Days of the units of DICOM's Age String (PS3.5 6.2, VR AS).
UNITS = {"Y": DAYS_PER_YEAR, "M": DAYS_PER_YEAR / 12, "W": 7.0, "D": 1.0}
OLDEST = 120


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
    number, unit = float(match[1]), match[2] or "Y"
    years = number if unit == "Y" else number * UNITS[unit] / DAYS_PER_YEAR
    return years if years <= OLDEST else None


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
    try:
        return datetime.datetime.strptime(re.sub(r"[-./]", "", text.strip())[:8], "%Y%m%d").date()
    except ValueError:
        return None
