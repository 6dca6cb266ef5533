"""Files that a user names: regular ones of a bearable size alone, and one line for everything
else."""

import os

import pytest

from pgcxr.errors import InputError
from pgcxr.io import user_files


def _refused(path, read=user_files.read_text, **options) -> str:
    with pytest.raises(InputError) as raised:
        read(path, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_what_never_answers_or_never_ends_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("pipe", "link", "/dev/zero", "/dev/null"):
        assert "is a pipe or a device; name a regular file" in _refused(tmp_path / name)
    assert "is a folder; name a file" in _refused(tmp_path)
    assert "symbolic links" in _refused(tmp_path / "loop")
    assert "no such file; look elsewhere" in _refused(tmp_path / "absent", absent="look elsewhere")
    assert "no such file" in _refused(tmp_path / "link" / "x") and "no file can have" in _refused(
        "a\0b"
    )
    with open(tmp_path / "sparse", "wb") as file:
        file.truncate(3 << 30)
    assert "is larger than 16 MiB" in _refused(tmp_path / "sparse")
    assert "is larger than 2 GiB" in _refused(tmp_path / "sparse", most=user_files.TABLE)


def test_text_with_and_without_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.toml"
    for mark in (b"", b"\xef\xbb\xbf"):
        path.write_bytes(mark + "a = 'ä'\r\n".encode())
        assert user_files.read_text(path) == "a = 'ä'\n" and user_files.read_toml(path) == {
            "a": "ä"
        }
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8" in _refused(path)


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 9000, "a = ", "a = '\n'"]
)
def test_toml_that_cannot_be_read_is_one_line(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)
    assert "a.toml: is not TOML" in _refused(tmp_path / "a.toml", user_files.read_toml)
