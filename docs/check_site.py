"""Looks through the built site: `python docs/check_site.py site`.

Every link and anchor leads somewhere, every picture is there, and nothing is fetched from another
host: the site is opened from the disk of a machine without a network.
"""

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Of these elements and attributes a browser fetches by itself.
FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
# The same in a stylesheet.
IN_STYLES = re.compile(r"""url\(\s*["']?((?:https?:)?//[^)"']+)""")
# What Sphinx links to as metadata; no browser fetches it.
METADATA = {"canonical", "author", "license"}


class Page(HTMLParser):
    """The anchors, links and fetched files of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        found = dict(attrs)
        self.anchors |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if FETCHED.get(tag) in found and found.get("rel") not in METADATA:
            self.fetched.append(found[FETCHED[tag]])


@cache
def page(path: Path) -> Page:
    return Page(path)


def faults(site: Path) -> list[str]:
    """What is wrong, a line each."""
    found = []
    for path in sorted(site.rglob("*.css")):
        text = path.read_text(encoding="utf-8")
        found += [f"{path}: fetches {target}" for target in IN_STYLES.findall(text)]
    for path in sorted(site.rglob("*.html")):
        here = page(path)
        for target in here.fetched:
            if urlsplit(target).netloc:
                found.append(f"{path}: fetches {target}")
        for target in (*here.links, *here.fetched):
            parts = urlsplit(target)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not there.is_file():
                found.append(f"{path}: no such file: {target}")
            elif (
                parts.fragment
                and there.suffix == ".html"
                and unquote(parts.fragment) not in page(there).anchors
            ):
                found.append(f"{path}: no such anchor: {target}")
    return found


if __name__ == "__main__":
    site = Path(sys.argv[1])
    wrong = faults(site)
    print("\n".join(wrong) or f"{len(list(site.rglob('*.html')))} pages; open {site}/index.html")
    sys.exit(bool(wrong))
