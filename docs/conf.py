"""How `make docs` builds the site: Sphinx, with pages in Markdown (MyST) and the theme Furo.

The folder that Sphinx reads is the checkout's, so that links between docs/, README.md,
CONTRIBUTING.md and benchmarks/ are the same on the site as in the repository.
"""

import re
import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.highlighting import lexers

ROOT = Path(__file__).resolve().parents[1]
READ = ("docs", "benchmarks")
sys.path.insert(0, str(ROOT))

project = "pgcxr"
author = copyright = "the pgcxr authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.apidoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**", "benchmarks/README.md"]
exclude_patterns = [
    path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in READ
] + ["docs/_templates"]
templates_path = ["_templates"]

myst_heading_anchors = 4  # as on GitHub
lexers["csv"] = TextLexer()

# The reference, from docstrings: a page for each package.
apidoc_modules = [
    {"path": "../pgcxr", "destination": "docs/reference", "exclude_patterns": ["**/beam.py"]}
]
apidoc_separate_modules = False
# A name may stand in its module and, for users, in the package: both are the same.
suppress_warnings = ["ref.python"]
napoleon_numpy_docstring, napoleon_use_ivar = False, True

html_theme = "furo"
html_title = "pgcxr"
html_additional_pages = {"index": "redirect.html"}
html_theme_options = {"top_of_page_buttons": [], "navigation_with_keys": True}
html_static_path, html_css_files = ["_static"], ["site.css"]
html_copy_source = html_show_sourcelink = False
# Excerpts are fetched, which a browser does not allow on file://.
html_show_search_summary = False


def as_plain_text(app, what, name, obj, options, lines: list[str]) -> None:
    """Docstrings know one markup, `code`; all else that reStructuredText would read as some stands
    for itself."""
    example = False
    for at, line in enumerate(lines):
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>> "))
        if not example:
            lines[at] = re.sub(r"`([^`]+)`|([*|\\`])|(?<=\w)(_)(?!\w)", _as_is, line)


def _as_is(found: re.Match) -> str:
    code, mark, end = found.groups()
    return f"\\ ``{code}``\\ " if code else f"\\{mark or end}"


def setup(app) -> None:
    # Before Napoleon, whose own markup stays.
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)
