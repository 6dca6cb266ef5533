"""What the audit must not take for a patient's identity, and the hash behind it."""

import datetime

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.privacy.audit import auditing, fingerprints, identifiers, matcher
from pgcxr.privacy.audit.matcher import Matcher

FOUND = (
    identifiers.of_number("712345")
    | identifiers.of_number("20110305")
    | identifiers.of_number("000042")
    | identifiers.of_name("Train^Otto")
    | identifiers.of_name("Hu^M")
    | identifiers.of_date("20260105")
    | identifiers.of_number("12")
    | identifiers.of_text("CHEST")
)


def found(tmp_path, text, look_for=None, name="a.json"):
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    (out / name).write_text(text)
    try:
        auditing.check(
            [out], look_for or Matcher(FOUND, own_numbers=99), {}, tmp_path / "private" / "f.csv"
        )
    except InputError:
        return True
    return False


@pytest.mark.parametrize(
    "text",
    [
        '{"auroc": 0.712345, "sd": 1.20110305e-05}',  # decimal numbers
        '{"nimg": [712345, 5]}',  # a count
        "images/000042.png,000042",  # pgcxr's own numbering
        "a712345b 7123456 71234",  # parts of words
        "ottoman trains",
        "26,01,05 2026 01 05",  # numbers beside each other
        "M 12 CHEST pa 2026",  # short and common values
        "hu 5 m",
    ],
)
def test_no_false_alarm(text, tmp_path):
    assert not found(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "712345"}',
        "712345.png",
        "a,712345,b",
        "20110305",
        "2026-01-05",
        "otto",
        "Train, Otto",
    ],
)
def test_alarm(text, tmp_path):
    assert found(tmp_path, text, name="a.json" if text[0] == "{" else "a.csv")


def test_the_day_of_writing_is_no_date_of_a_patient(tmp_path):
    today = datetime.date.today().strftime("%Y%m%d")
    assert not found(tmp_path, today, Matcher(identifiers.of_date(today)))
    past = "20110305"
    assert found(tmp_path, past, Matcher(identifiers.of_date(past)))


def test_own_words_cannot_be_told_from_names(tmp_path):
    export = tmp_path / "export"
    export.mkdir()
    (export / "list.csv").write_text("name\nPneumothorax Zwetschgen\nNormal Normal\n")
    look_for, counts = auditing.matcher(export, lambda function, items: list(map(function, items)))
    assert not found(tmp_path, "pneumothorax, normal", look_for) and counts["indistinct"]
    assert found(tmp_path, "pneumothorax zwetschgen", look_for) and found(
        tmp_path, "Zwetschgen", look_for
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_run_of_words_has_the_hash_of_its_joined_words(seed):
    rng = np.random.default_rng(seed)
    marks = list("ab12é홍洪ſ") + list(" -,.\n") * 2
    text = "".join(rng.choice(marks, 400))
    hasher = fingerprints.Hasher(seed)
    folded = fingerprints.fold(text)
    seen, spans = {}, set()
    for hashes, starts, ends in hasher.runs(folded):
        for value, start, end in zip(hashes, starts, ends, strict=True):
            words = fingerprints.joined(folded[start:end])
            assert value == hasher.of_joined([words])[0] == seen.setdefault(words, value)
            spans.add((start, end))
    assert len(set(map(int, seen.values()))) == len(seen) > 100
    # Each word by itself, as a plain regular expression cuts them.
    assert {(m.start(), m.end()) for m in fingerprints.WORD.finditer(folded)} <= spans


def test_a_text_is_found_wherever_the_pieces_are_cut(tmp_path, monkeypatch):
    monkeypatch.setattr(matcher, "PIECE", 64)
    monkeypatch.setattr(matcher, "OVERLAP", 16)
    for at in range(40, 70):
        assert found(tmp_path, "x" * at + " otto " + "y" * 99)
