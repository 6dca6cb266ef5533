"""The arrows of the design: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path for folder in ("pgcxr", "train", "evaluate") for path in (ROOT / folder).rglob("*.py"))


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


# Package -> what nothing in it may import.
FORBIDDEN = {
    "pgcxr": ("train", "evaluate"),
    "train": ("evaluate",),
    "evaluate": ("train",),
    "pgcxr.networks": ("tensorflow", "pgcxr.losses", "pgcxr.gan", "pgcxr.data", "pgcxr.metrics", "pgcxr.plots"),
    "pgcxr.losses": ("tensorflow", "pgcxr.gan", "pgcxr.data"),
    "pgcxr.data": ("pgcxr.networks", "pgcxr.losses", "pgcxr.gan"),
    "pgcxr.metrics": ("tensorflow", "keras", "pgcxr.networks", "pgcxr.losses", "pgcxr.gan", "pgcxr.data"),
    "pgcxr.gan.schedule": ("tensorflow", "keras", "pgcxr"),
    "pgcxr.networks.pixels": ("tensorflow", "pgcxr"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path):
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    imports = _imports(path)
    for package, others in FORBIDDEN.items():
        if _within(module, package):
            wrong = {name for name in imports for other in others if _within(name, other)}
            assert not wrong, f"{module} must not import {wrong}"
    parts = module.split(".")
    if parts[0] == "evaluate" and len(parts) > 2 and parts[1] != "study":
        siblings = {name for name in imports if _within(name, "evaluate") and name != "evaluate"}
        allowed = (f"evaluate.{parts[1]}", "evaluate.common")
        assert all(any(_within(name, each) for each in allowed) for name in siblings), f"{module}: {siblings}"


def test_no_tensorflow_is_imported_to_show_a_help_text():
    for path in FILES:
        if path.name in ("cli.py", "command.py", "__main__.py") or path.parent.name == "phantom":
            top = [node for node in ast.parse(path.read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
            names = {a.name for node in top for a in node.names} | {getattr(node, "module", "") for node in top}
            assert not {name for name in names if name and name.split(".")[0] in ("tensorflow", "keras")}, path
