"""The arrows of docs/design.md: a package imports only what stands before it."""

import ast
import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# From the foundations up. Whoever adds a package gives it its place here.
ORDER = (
    "pgcxr.errors",
    "pgcxr.options",
    "pgcxr.io",
    "pgcxr.images",
    "pgcxr.metrics",
    "pgcxr.losses",
    "pgcxr.networks",
    "pgcxr.plots",
    "pgcxr.dicom",
    "pgcxr.cohort",
    "pgcxr.sources",
    "pgcxr.privacy",
    "pgcxr.phantom",
    "pgcxr.curation",
    "pgcxr.sampling",
    "pgcxr.gan",
    "pgcxr.classifier",
    "pgcxr.latent",
    "pgcxr.editing",
    "pgcxr.anomaly",
    "pgcxr.screening",
    "pgcxr.cli",
    "train",
    "evaluate",
    "benchmarks",
)
# The package's face: its version, and names that it imports when they are asked for.
FACE = ("pgcxr", "pgcxr.__main__")
# Inside `evaluate`, a question knows nothing of the others; the study and the notebooks ask them
# all.
SHARED = ("protocol", "thesis", "common", "patients")
ASK_ALL = ("study", "notebooks")
EVALUATIONS = (
    *SHARED,
    "distribution",
    "fidelity",
    "axes",
    "anomaly",
    "privacy",
    "readers",
    *ASK_ALL,
)
# What a package must not need, so that it stays cheap to import, or runs on any backend.
WITHOUT = {
    "pgcxr.errors": ("tensorflow", "keras"),
    "pgcxr.options": ("tensorflow", "keras"),
    "pgcxr.io": ("tensorflow", "keras"),
    "pgcxr.images": ("tensorflow", "keras"),
    "pgcxr.metrics": ("tensorflow", "keras"),
    "pgcxr.losses": ("tensorflow",),
    "pgcxr.networks": ("tensorflow",),
    "pgcxr.dicom": ("keras",),
    "pgcxr.sources": ("tensorflow", "keras"),
    "pgcxr.privacy": ("tensorflow", "keras"),
    "pgcxr.phantom": ("tensorflow", "keras"),
    "pgcxr.gan.schedule": ("tensorflow", "keras", "pgcxr"),
}
FOLDERS = ("pgcxr", "train", "evaluate", "benchmarks")
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
}


def _imports(path: Path, top: bool = False) -> set[str]:
    """Names of modules that a file imports, at its top or anywhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in names}
    return found


def _within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _place(name: str, order: tuple[str, ...], prefix: str = "") -> int | None:
    return next(
        (place for place, package in enumerate(order) if _within(name, prefix + package)), None
    )


@pytest.mark.parametrize("module", FILES)
def test_a_package_imports_only_what_stands_before_it(module):
    if module in FACE:
        return
    place = _place(module, ORDER)
    assert place is not None, f"{module}: has no place in ORDER"
    for name in _imports(FILES[module]):
        if name == "pgcxr":  # for its version
            continue
        other = _place(name, ORDER)
        assert other is None or other <= place, f"{module} must not import {name}"
        assert not (_within(module, "evaluate") and _within(name, "train")), (
            f"{module} must not import {name}"
        )
        for package, unwanted in WITHOUT.items():
            if _within(module, package):
                assert not any(_within(name, each) for each in unwanted), (
                    f"{module} must not import {name}"
                )


@pytest.mark.parametrize(
    "module", [name for name in FILES if _within(name, "evaluate") and name != "evaluate"]
)
def test_evaluations_do_not_know_each_other(module):
    place = _place(module, EVALUATIONS, "evaluate.")
    assert place is not None, f"{module}: has no place in EVALUATIONS"
    for name in _imports(FILES[module]):
        other = _place(name, EVALUATIONS, "evaluate.")
        allowed = other is None or other == place or EVALUATIONS[other] in SHARED
        assert allowed or EVALUATIONS[place] in ASK_ALL, f"{module} must not import {name}"


def test_no_files_import_each_other_in_a_circle():
    graph = {
        module: (_imports(path) & set(FILES)) - {module, *FACE} for module, path in FILES.items()
    }
    for module in graph:  # a package's face imports its files, which may import the package
        graph[module] = {
            name
            for name in graph[module]
            if FILES[name].name != "__init__.py" or name not in module
        }
    graphlib.TopologicalSorter(graph).prepare()


def test_no_tensorflow_is_imported_to_show_a_help_text():
    for module, path in FILES.items():
        if (
            _within(module, "pgcxr.cli")
            or path.name == "__main__.py"
            or _within(module, "pgcxr.phantom")
        ):
            names = {name.split(".")[0] for name in _imports(path, top=True)}
            assert not names & {"tensorflow", "keras"}, path


def test_typer_is_known_to_the_command_line_alone():
    for module, path in FILES.items():
        if "typer" in _imports(path):
            ours = (
                _within(module, "pgcxr.cli")
                or _within(module, "train")
                or _within(module, "evaluate")
            )
            assert ours, f"{module} must not import typer"


# Arguments of networks are attributes, and the config of each saved network names them.
MANY_PARAMETERS = ("Generator.__init__", "ProgressiveGAN.__init__")


def _functions(module: str):
    """(Class.name or name, node) of every function of a file."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    owners = {
        inner: f"{node.name}."
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for inner in node.body
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield owners.get(node, "") + node.name, node


def test_no_function_takes_more_than_eight_parameters():
    many = set()
    for module in FILES:
        for name, node in _functions(module):
            arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
            count = len([each for each in arguments if each.arg not in ("self", "cls")])
            if count > 8 and name not in MANY_PARAMETERS:
                many.add(f"{module}: {name} takes {count}")
    assert many == set()


# Where options are made into words, and options of other programs.
MAY_NAME_OPTIONS = ("pgcxr.cli", "pgcxr.errors", "pgcxr.curation.beam", "pgcxr.gan.footprint")


def _said(module: str) -> set[str]:
    """The strings of a file that are no docstrings and no `names=` of an option."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    silent = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            silent.add(node.value)
        elif isinstance(node, ast.keyword) and node.arg == "names":
            silent |= set(ast.walk(node.value))
    strings = {node for node in ast.walk(tree) if isinstance(node, ast.Constant)} - silent
    return {node.value for node in strings if isinstance(node.value, str)}


@pytest.mark.parametrize("module", [name for name in FILES if _within(name, "pgcxr")])
def test_the_library_does_not_speak_of_options_of_the_command_line(module):
    if not any(_within(module, each) for each in MAY_NAME_OPTIONS):
        assert {text for text in _said(module) if re.search(r"(?:^|[\s(`])--[a-z]", text)} == set()
