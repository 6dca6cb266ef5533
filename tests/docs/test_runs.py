"""The commands of the pages that are cheap run, in their order, on a phantom of few patients."""

from pathlib import Path

import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.phantom.export import PhantomOptions, write_export
from tests.docs.pages import PAGES, blocks, commands, parsed
from train.gan.__main__ import app as gan

RUN = ("phantom", "curate", "generate", "export-deidentified")
# What a page calls the hospital's export; and what makes a command of a page small.
EXPORT, SMALL = Path("/data/export"), {"--patients": "16", "--size": "64"}
SERIAL = {"phantom": ("--workers", "1"), "curate": ("--workers", "0")}


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "export"
    write_export(folder, PhantomOptions(patients=16, seed=1, size=64, workers=1))
    return folder


def cheap(page: str) -> list[list[str]]:
    """The commands of a page that need no training and no other set than a PACS export."""
    return [
        words
        for words in commands(PAGES[page])
        if words[0].endswith("pgcxr") and words[1] in RUN and not needs_more(words)
    ]


def needs_more(words: list[str]) -> bool:
    found = parsed(words)
    options = vars(found["options"]) if hasattr(found.get("options"), "__dict__") else found
    return bool(
        options.get("device_model")
        or (words[1] == "generate" and "--pretrained" not in words)
        or any(word.startswith("/data/") and word != str(EXPORT) for word in words)
    )


def pages() -> list[str]:
    """Those with a command that no page before has; the one in Korean repeats others."""
    found, seen = [], set()
    for page in sorted(PAGES, key="docs/korean.md".__eq__):
        own = {tuple(words) for words in cheap(page)}
        if own - seen:
            found.append(page)
        seen |= own
    return found


@pytest.mark.parametrize("page", pages())
def test_the_commands_of_a_page_run(page, export, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGCXR_KEY_FILE", str(tmp_path / "key"))
    rules = "".join(content for language, content in blocks(PAGES[page]) if language == "toml")
    for name in ("hospital.toml", "all.toml"):
        Path(name).write_text(rules or "[device]\nenabled = false\n")
    for words in cheap(page):
        small = [str(export) if word == str(EXPORT) else word for word in words[1:]]
        for at, word in enumerate(small[:-1]):
            small[at + 1] = SMALL.get(word, small[at + 1])
        with pytest.raises(SystemExit) as ended:
            command.run(app, [*small, *SERIAL.get(words[1], ())], name="pgcxr")
        assert ended.value.code == 0, (words, capsys.readouterr().err)
        out = parsed(words)["out"]
        assert (tmp_path / out / "report.json").is_file(), words


def test_the_preflight_of_the_page_is_what_the_command_says(capsys):
    """Of cards that are elsewhere: it tries nothing on this machine."""
    page = PAGES["docs/training.md"]
    words = next(words for words in commands(page) if "--memory" in words)
    with pytest.raises(SystemExit) as ended:
        command.run(gan, words[3:], name="python -m train.gan")
    shown = next(content for language, content in blocks(page) if language == "text")
    assert ended.value.code == 0 and capsys.readouterr().out.strip() == shown.strip()
