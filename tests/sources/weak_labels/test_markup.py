"""Reports with what databases, interfaces and office programs put around them."""

import time

import pytest

from pgcxr.sources.weak_labels import device_words, language, markup
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE
from pgcxr.sources.weak_labels.reports import Labeler


@pytest.fixture(scope="module")
def labeler():
    return Labeler(language.load())


@pytest.mark.parametrize(
    "end",
    [
        *("<br>", "<BR/>", "<br clear='all' />", "</p><p>", "</li><li>", "</td></tr><tr><td>"),
        *("&#10;", "&lt;br&gt;", "&amp;lt;br&amp;gt;", '<div class="x">', "<CR><LF>"),
        *(r"\.br\ ".strip(), r"\.sp2\ ".strip(), r"\X0A\ ".strip(), r"\X0D0A\ ".strip()),
        *(r"\R\ ".strip(), r"\E\.br\E\ ".strip(), r"\T\lt;br\T\gt;", "~"),
        *("\\par ", "\\line ", "\\par\n", r"\n", r"\r\n", r"\\n", r"\u000a", r"\x0a"),
        *("_x000D_", "_x000D_\n", "\x0b", "\x85", "\u2028", "%0A", "=0D=0A", "\u00b6"),
        *("   ", "\u00a0\u00a0\u00a0"),
    ],
)
def test_an_end_of_a_line_ends_a_statement_however_it_is_written(labeler, end):
    for stop in ("", "."):
        text = f"No pneumothorax{stop}{end}Large left pleural effusion"
        opinion = labeler.opinion(text)
        assert opinion.status("pneumothorax") == NEGATIVE, markup.plain(text)
        assert opinion.status("pleural_effusion") == POSITIVE, markup.plain(text)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("<p>Lungs are clear.</p>No pleural&nbsp;effusion.", "normal"),
        ("No <b>pleural</b> effusion", "normal"),
        ("No pneumo&shy;thorax", "normal"),
        ("No effusion or<br>pneumothorax", "normal"),
        ("<style>p {effusion}</style>No effusion", "normal"),
        ("<tr><td>Effusion</td><td>No</td></tr><tr><td>Mass</td><td>No</td></tr>", "normal"),
        (r"No pleural\X20\effusion", "normal"),
        (r"{\rtf1 No \b pleural\b0  effusion.\par Lungs are clear.}", "normal"),
        (
            r"{\rtf1\ansi{\fonttbl{\f0 Effusion;}}\f0 No mass.\par Left effusion.\par}",
            "abnormal",
        ),
        (r"{\rtf1\ansicpg949 \'c8\'e4\'bc\'f6 \'be\'f8\'c0\'bd.\par}", "normal"),
        (r"{\rtf1 \u55113?\u49688? \u50630?\u51020?\par}", "normal"),
        ("Effusion   no\nPneumothorax   none", "normal"),
        ("There is no evidence   of pneumothorax", "normal"),
        ("No mild~moderate effusion", "normal"),
        ("No RUL~RML consolidation", "normal"),
        (r"No mass\nodule", "normal"),
    ],
)
def test_what_is_marked_up_says_what_its_text_says(labeler, text, label):
    assert labeler.opinion(text).label == label, markup.plain(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "A nodule <1 cm, a < b and c > d.",
            "5 & 6; R&D; AT&T",
            "~5 mm, 1~2 cm",
            "[FINDINGS] <FINDINGS>",
        ),
        *(
            r"See C:\new\reports\table.txt, \\server\new\tapes\n.dcm",
            "50 % = 0.5",
            "w\\o, s\\p",
            "A_x",
        ),
    ],
)
def test_plain_text_stays(text):
    assert markup.plain(text) == text


def test_devices_are_found_behind_markup():
    mentions = device_words.Mentions(("pacemaker",), ("no",), ())
    assert mentions.first(r"No mass.\nPacemaker.") and mentions.first(r"No mass\.br\Pacemaker")
    assert not mentions.first("No&nbsp;pacemaker")


def test_hostile_markup_is_read_in_time():
    pieces = (
        "<",
        "<b ",
        "<!--",
        "<style>",
        "\\",
        "{\\rtf",
        "~",
        "&",
        "   a",
        "a ~ ",
        "\\X0A",
        "%0",
    )
    started = time.perf_counter()
    for piece in pieces:
        markup.plain(piece * (200_000 // len(piece)))
    assert time.perf_counter() - started < 20
