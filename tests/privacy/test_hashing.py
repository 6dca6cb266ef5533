"""What replaces an identity."""

import hashlib
import hmac
import os
import stat

import pytest

from pgcxr.cohort import vocabulary
from pgcxr.errors import InputError
from pgcxr.privacy import hashing


def test_key_is_made_once_and_private(tmp_path):
    path = tmp_path / "deep" / "key"
    key = hashing.read_or_make_key(path)
    assert len(key) == 32 and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashing.read_or_make_key(path) == key
    assert hashing.read_or_make_key(tmp_path / "other") != key


def test_where_the_key_lies(tmp_path, monkeypatch):
    monkeypatch.delenv("PGCXR_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert hashing.default_key_file() == tmp_path / "pgcxr" / "patient_key"
    monkeypatch.setenv("PGCXR_KEY_FILE", str(tmp_path / "mine"))
    assert hashing.default_key_file() == tmp_path / "mine"


def test_a_key_that_others_can_read_or_that_is_none_is_refused(tmp_path):
    path = tmp_path / "key"
    hashing.read_or_make_key(path)
    os.chmod(path, 0o644)
    with pytest.raises(InputError, match="chmod 600"):
        hashing.read_or_make_key(path)
    os.chmod(path, 0o600)
    path.write_text("hello")
    with pytest.raises(InputError, match="not a patient key"):
        hashing.read_or_make_key(path)


def test_keyed_hash_is_hmac_sha256():
    expected = hmac.new(b"k" * 32, b"patient\x001234", hashlib.sha256).hexdigest()[:16]
    assert hashing.keyed_hash(b"k" * 32, "patient", "1234") == expected
    assert hashing.keyed_hash(b"k" * 32, "file", "1234") != expected
    assert hashing.keyed_hash(b"l" * 32, "patient", "1234") != expected


def test_one_patient_one_spelling():
    assert vocabulary.same_patient(" 000a12 ") == vocabulary.same_patient("A12") == "A12"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("GE Healthcare", "GE"),
        ('"GE MEDICAL SYSTEMS"', "GE"),
        ("General Electric Co.", "GE"),
        ("ge", "GE"),
        ("Agfa-Gevaert", "Agfa"),
        ("GENDEX", "other"),
        ("SIEMENS", "Siemens"),
        ("FUJI PHOTO FILM CO. LTD.", "Fujifilm"),
        ("KODAK", "Carestream"),
        ("Dr. Gerda Example", "other"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_makers(text, name):
    assert vocabulary.shown_maker(text) == name


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("PA", "PA"),
        ("pa", "PA"),
        ("P-A", "PA"),
        ("LL", "LATERAL"),
        ("AP", "AP"),
        ("", ""),
        ("Mrs Example", "other"),
    ],
)
def test_views(text, view):
    assert vocabulary.shown_view(text) == view


def test_ages_of_the_very_old_are_one_category():
    assert [vocabulary.shown_age(age) for age in (None, 18.99, 89.0, 90.0, 104.0)] == [
        "",
        "18",
        "89",
        "90",
        "90",
    ]
    assert [vocabulary.shown_sex(sex) for sex in ("M", "F", "O", "", "JOHN")] == [
        "M",
        "F",
        "O",
        "",
        "",
    ]


def test_first_runs_at_once_agree_on_one_key(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    for number in range(20):
        path = tmp_path / str(number) / "key"
        with ThreadPoolExecutor(8) as pool:
            assert (
                len(set(pool.map(lambda _, path=path: hashing.read_or_make_key(path), range(8))))
                == 1
            )
        assert list(path.parent.iterdir()) == [path]
