"""Ages: cases worked by hand."""

import datetime

import pytest

from pgcxr.dicom.ages import age_between, age_in_words, age_in_years, age_of, day


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("054Y", 54),
        ("54", 54),
        ("6", 6),
        ("018M", 1.5),
        ("240M", 20),
        ("540M", 45),
        ("000Y", 0),
        (" 019y ", 19),
        ("120Y", 120),
    ],
)
def test_ages(text, years):
    assert age_in_years(text) == years  # a manifest holds whole years, rounded down


def test_weeks_and_days():
    assert age_in_years("052W") == pytest.approx(52 * 7 / 365.2425)
    assert age_in_years("030D") == pytest.approx(30 / 365.2425)


@pytest.mark.parametrize("text", ["", "Y", "abc", "-5", "5.5Y", "411Y", "054 Years", "54X"])
def test_no_age(text):
    assert age_in_years(text) is None


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("65,0", 65),
        ("55.0", 55),
        ("55.7", 55.7),
        ("90+", 90),
        ("65 Jahre", 65),
        ("65 years", 65),
        ("054 Years", 54),
        ("65 y.o.", 65),
        ("65세", 65),
        ("18 Monate", 1.5),
        ("054Y", 54),
        ("018M", 1.5),
        *((text, None) for text in ("", "about 60", "60-65", ">89", "5.5E1", "20075", "1,234")),
        *((text, None) for text in ("65 of 80", "-5", "65 pounds", "130 years", "unknown")),
    ],
)
def test_ages_of_tables(text, years):
    assert age_in_words(text) == (years if years is None else pytest.approx(years))


@pytest.mark.parametrize(
    ("birth", "study", "years"),
    [
        ("19800615", "20200614", 39),
        ("19800615", "20200615", 40),
        ("20000229", "20190228", 18),
        ("20000229", "20190301", 19),
        ("1980-06-15", "2020.06.15", 40),
        ("", "20200101", None),
        ("20200101", "20190101", None),
        ("19809999", "20200101", None),
        ("18000101", "20200101", None),
    ],
)
def test_between(birth, study, years):
    assert age_between(birth, study) == years


@pytest.mark.parametrize(
    ("stated", "birth", "study", "found"),
    [
        ("045Y", "", "20150302", (45, False)),
        ("", "19600101", "20150302", (55, False)),
        ("054Y", "19600401", "20150302", (54, False)),
        ("055Y", "19600101", "20150302", (55, False)),
        ("053Y", "19600101", "20150302", (53, False)),  # the year alone was known
        ("000Y", "19600101", "20150302", (55, False)),
        ("000", "19600101", "20150302", (55, False)),
        ("120Y", "19600101", "20150302", (55, False)),
        ("115Y", "19600101", "20150302", (55, False)),
        ("000Y", "", "20150302", (None, False)),
        ("000Y", "20150101", "20150302", (0, False)),
        ("002D", "", "", (pytest.approx(2 / 365.2425), False)),
        ("120Y", "", "", (None, False)),
        ("", "19000101", "20150302", (None, False)),
        ("104Y", "19110101", "20150302", (104, False)),
        ("045Y", "19000101", "20150302", (45, False)),  # a birth that was taken out
        ("045Y", "20050101", "20150302", (None, True)),
        ("005Y", "19600101", "20150302", (None, True)),
        ("002D", "19600101", "20150302", (None, True)),
        ("045Y", "20200101", "20150302", (45, False)),
        ("abc", "", "", (None, False)),
    ],
)
def test_an_age_and_the_dates_it_should_agree_with(stated, birth, study, found):
    assert age_of(stated, birth, study) == found


@pytest.mark.parametrize(
    ("text", "date"),
    [
        *((text, (2016, 6, 30)) for text in ("20160630", "2016-06-30", " 2016.06.30 10:00")),
        *(
            (text, None)
            for text in ("13.03.04", "130304", "20160631", "30.06.2016", "2016-6-3", "")
        ),
    ],
)
def test_days(text, date):
    assert day(text) == (date and datetime.date(*date))
