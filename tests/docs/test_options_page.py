"""docs/options.md says what the option classes say."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_as_the_classes_are():
    spec = importlib.util.spec_from_file_location("make_options", DOCS / "make_options.py")
    make_options = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_options)
    written = (DOCS / "options.md").read_text(encoding="utf-8")
    assert written == make_options.page(), "run `python docs/make_options.py`"
    assert "| `--rules` | `None` | a path, or None |" in written
