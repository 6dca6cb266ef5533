"""Which of the project's files a command depends on, read from their import statements."""

import ast
import hashlib
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pgcxr", "train", "evaluate")


def digest(modules: tuple[str, ...]) -> str:
    """sha256 of the given modules, of everything of the project that they import, and of the data
    files beside it."""
    files = set()
    waiting = list(modules)
    seen = set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        path = _file(module)
        if path is None:
            continue
        files.add(path)
        files |= {
            beside
            for beside in path.parent.iterdir()
            if beside.is_file() and beside.suffix not in (".py", ".pyc")
        }
        waiting += _imported(path)
        if "." in module:
            waiting.append(module.rpartition(".")[0])
    whole = hashlib.sha256()
    for path in sorted(files):
        whole.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def _file(module: str) -> Path | None:
    if module.split(".")[0] not in PACKAGES:
        return None
    base = ROOT.joinpath(*module.split("."))
    return next(
        (path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None
    )


@lru_cache
def _imported(path: Path) -> tuple[str, ...]:
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module] + [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)
