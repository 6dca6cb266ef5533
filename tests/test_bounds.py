"""setup.cfg asks for what was tested: its lower bounds are the pins of requirements.txt."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In requirements.txt a newer one than some newest packages allow: h5py of TensorFlow's on 3.13.
NEWEST_ALLOWS = {"h5py": "3.14"}


def asked() -> dict[str, str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = config["options.extras_require"]
    lines = config["options"]["install_requires"] + extras["notebook"] + extras["beam"]
    lines += extras["readers"] + extras["docs"] + extras["screening"]
    lines += extras["tfio"].replace("==", ">=")
    found = re.findall(r"^([\w-]+)>=([\d.]+)", lines, re.MULTILINE)
    assert len(found) == len(lines.split()), "each has a lower bound"
    return dict(found)


def pinned() -> dict[str, str]:
    files = (ROOT / "requirements.txt", ROOT / "docs" / "requirements.txt")
    text = "".join(path.read_text() for path in files)
    return dict(re.findall(r"^([\w-]+)==(.+)$", text, re.MULTILINE))


def test_lower_bounds_are_what_is_tested():
    bounds, pins = asked(), pinned()
    assert len(bounds) > 20
    for name, bound in bounds.items():
        assert bound == NEWEST_ALLOWS.get(name, pins[name]), name


def test_development_needs_the_same_packages_of_both_environments():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = config["options.extras_require"]["test"].split()
    assert len(wanted) > 5 and set(wanted) <= set(pinned())
