"""The commands of the pages that are cheap run, in their order, on a phantom of few patients."""

import shutil
from pathlib import Path

import pytest

from pgcxr.cli import command
from pgcxr.cli.app import app
from pgcxr.phantom.export import PhantomOptions, write_export
from pgcxr.sources import studies, studies_csv
from pgcxr.sources.weak_labels import labeling
from tests.docs.pages import PAGES, blocks, commands, parsed
from train.gan.__main__ import app as gan

RUN = ("phantom", "curate", "generate", "export-deidentified")
# What a page calls the hospital's export; and what makes a command of a page small.
EXPORT, OUT = Path("/data/export"), "out"
SMALL = {"--patients": "10", "--size": "64", "--out": OUT}
SERIAL = {
    "phantom": ("--workers", "1"),
    "curate": ("--workers", "0"),
    "export-deidentified": ("--workers", "0"),
}


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "export"
    write_export(folder, PhantomOptions(patients=10, seed=1, size=64, workers=1))
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


def test_the_cheap_commands_of_all_pages_run(export, tmp_path, monkeypatch, capsys):
    """Each once, whatever folder it writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGCXR_KEY_FILE", str(tmp_path / "key"))
    done: list[list[str]] = []
    for page in PAGES:
        rules = "".join(content for language, content in blocks(PAGES[page]) if language == "toml")
        for name in ("hospital.toml", "all.toml"):
            Path(name).write_text(rules or "[device]\nenabled = false\n")
        for words in map(small, cheap(page)):
            if words not in done:
                done.append(words)
                given = [str(export) if word == str(EXPORT) else word for word in words]
                shutil.rmtree(tmp_path / OUT, ignore_errors=True)
                with pytest.raises(SystemExit) as ended:
                    command.run(app, [*given, *SERIAL.get(words[0], ())])
                assert ended.value.code == 0, (page, words, capsys.readouterr().err)
                assert (tmp_path / OUT / "report.json").is_file()
    assert len(done) >= 8 and {words[0] for words in done} == set(RUN)


def small(words: list[str]) -> list[str]:
    """The arguments of a command, of the one small export, into one folder, and of few patients."""
    found = words[1:]
    for at, word in enumerate(found[:-1]):
        found[at + 1] = SMALL.get(word, found[at + 1])
    if found[0] == "phantom":
        found[1] = OUT
    elif found[0] != "generate":
        found[1] = str(EXPORT)
    return found


def test_the_preflight_of_the_page_is_what_the_command_says(capsys):
    """Of cards that are elsewhere: it tries nothing on this machine."""
    page = PAGES["docs/training.md"]
    words = next(words for words in commands(page) if "--memory" in words)
    with pytest.raises(SystemExit) as ended:
        command.run(gan, words[3:], name="python -m train.gan")
    shown = next(content for language, content in blocks(page) if language == "text")
    assert ended.value.code == 0 and capsys.readouterr().out.strip() == shown.strip()


def test_the_sample_table_is_read_as_the_page_says(tmp_path):
    """A normal study, then an effusion with consolidation, a nodule and a pneumothorax."""
    sample = next(text for name, text in blocks(PAGES["docs/own-export.md"]) if name == "csv")
    (tmp_path / studies_csv.NAME).write_text(sample, encoding="utf-8")
    notes: list[str] = []
    rows = studies_csv.read(tmp_path, labeling.load(), notes)
    made = studies.Studies(rows, [(row.number, row.patient) for row in rows], labeling.load())
    found = [made.of(row.number, row.patient).decided for row in rows]
    assert not notes and [each.label for each in found] == ["normal"] + 3 * ["abnormal"]
    assert all(not each.rejected for each in found)
