"""The column map of the source `table`: a TOML file that says what the columns of a table mean, as
in columns.toml."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from pgcxr.cohort.findings import ABNORMAL, NORMAL, TABLE_6
from pgcxr.cohort.vocabulary import VIEWS
from pgcxr.errors import InputError
from pgcxr.sources import label_map
from pgcxr.sources.weak_labels import toml_file
from pgcxr.sources.weak_labels.opinion import NEGATIVE, POSITIVE, UNCERTAIN

NAME = "columns.toml"
FIELDS = (
    "file",
    "patient",
    "age",
    "sex",
    "view",
    "manufacturer",
    "hospital",
    "modality",
    "body_part",
    "codes",
    "report",
    "label",
)
CONSTANT = ("age", "sex", "view", "manufacturer", "modality", "body_part", "label")
# What has words of its own in the map.
WORDED = ("view", "modality", "sex")
# Of a radiograph, as people call its modality: one of the first, and none but both.
RADIOGRAPH = frozenset(("xray", "xrays", "cxr", "xr", "dx", "dr", "cr", "film"))
RADIOGRAPH |= {f"radiograph{end}" for end in ("", "s", "y", "ic")}
BESIDE = frozenset(
    (
        *("chest", "thorax", "thoracic", "lung", "lungs", "digital", "computed", "direct", "plain"),
        *("conventional", "projection", "image", "imaging", "of", "the", "and", "pa", "ap"),
        *("lateral", "lat", "frontal", "portable", "upright", "erect", "supine", "standing"),
        *("view", "views", "posteroanterior", "anteroposterior"),
    )
)
NOT_MENTIONED = ""
STATUSES = {"positive": POSITIVE, "negative": NEGATIVE, "uncertain": UNCERTAIN}
STATUSES |= {"not_mentioned": NOT_MENTIONED}
TOP = {
    "table": str,
    "images": str,
    "extension": (str, list),
    "dicom": bool,
    "columns": dict,
    "constants": dict,
    "label": dict,
    "view": dict,
    "modality": dict,
    "sex": dict,
    "findings": dict,
}
TOP |= {"values": dict, "list": dict, "boxes": dict}


@dataclass(frozen=True)
class ColumnMap:
    """What columns.toml says. `statuses` is cell -> status, `label` cell -> normal or abnormal,
    `words` field -> cell -> what the rules call it; cells as `label_map.word` has them. `constants`
    are fields that are the same in all rows."""

    path: Path
    table: str
    images: str
    extensions: tuple[str, ...]
    dicom: bool
    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    label: dict[str, str] = field(default_factory=dict)
    findings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    listed: tuple[str, str] | None = None  # column, separator
    meanings: dict[str, str] = field(default_factory=dict)
    boxes: dict = field(default_factory=dict)


def load(path: Path) -> ColumnMap:
    """Reads and checks a column map; InputError says what is wrong with it."""
    name, content = toml_file.read(path, __package__, NAME)
    toml_file.tables(name, content, TOP)
    columns = _texts(name, "columns", content.get("columns", {}), FIELDS)
    for needed in ("file", "patient"):
        if needed not in columns:
            raise InputError(
                f"{name}: [columns] {needed} is missing; say which column of the table it is"
            )
    if not content.get("table"):
        raise InputError(
            f"{name}: table is missing; say which CSV file holds the labels, as in "
            'table = "labels.csv"'
        )
    listed, meanings = _list(name, content.get("list"))
    made = ColumnMap(
        path,
        content["table"],
        content.get("images", ""),
        _extensions(name, content),
        content.get("dicom", False),
        columns,
        _constants(name, content.get("constants", {}), columns),
        {field: _meanings(name, field, content.get(field, {})) for field in WORDED},
        _words(
            name, "label", content.get("label", {}), {"normal": "normal", "abnormal": "abnormal"}
        ),
        _findings(name, content.get("findings", {})),
        _words(
            name,
            "values",
            content.get("values", {"positive": ["1", "1.0"], "negative": ["0", "0.0"]}),
            STATUSES,
        ),
        listed,
        meanings,
        _boxes(name, content.get("boxes")),
    )
    said = {*columns, *made.constants}
    if not (made.findings or made.listed or {"label", "codes", "report"} & said):
        raise InputError(
            f"{name}: nothing says what is normal; map label, codes or report, [findings] or [list]"
        )
    if "label" in columns and not made.label:
        raise InputError(
            f"{name}: [label] is missing; say which values of {columns['label']} are normal and "
            "abnormal"
        )
    return made


def _texts(name: str, table: str, values: dict, allowed: tuple[str, ...]) -> dict[str, str]:
    toml_file.tables(f"{name}: [{table}]", values, dict.fromkeys(allowed, str))
    return dict(values)


def _words(name: str, table: str, values: dict, allowed: dict[str, str]) -> dict[str, str]:
    """Cell -> meaning, from lists of cells."""
    toml_file.tables(f"{name}: [{table}]", values, dict.fromkeys(allowed, list))
    return _by_cell(name, table, [(key, allowed[key]) for key in values], values)


def _by_cell(name: str, table: str, meanings: list[tuple[str, str]], values: dict) -> dict:
    found: dict[str, str] = {}
    for key, meaning in meanings:
        for cell in toml_file.texts(f"{name}: [{table}]", values, key):
            if found.setdefault(label_map.word(cell), meaning) != meaning:
                raise InputError(f"{name}: [{table}] {cell[:40]!r} stands for two things")
    return found


def _meanings(name: str, table: str, values: dict) -> dict[str, str]:
    """Cell -> what the rules call it."""
    if table == "view":
        allowed = tuple(VIEWS)
    else:
        allowed = ("F", "M", "O") if table == "sex" else tuple(values)
    toml_file.tables(f"{name}: [{table}]", values, dict.fromkeys(allowed, list))
    return _by_cell(name, table, [(key, key) for key in values], values)


def modality(text: str) -> str:
    """DICOM's word for what a table calls a modality, or the text itself in capitals.

    Example:

        >>> modality("Chest X-Ray PA"), modality("computed radiography"), modality("ct")
        ('DX', 'CR', 'CT')
    """
    words = set(re.findall(r"[a-z]+", re.sub(r"x[\s-]?ray", "xray", text.casefold())))
    if not words & RADIOGRAPH or words - RADIOGRAPH - BESIDE:
        return text.upper()
    return "CR" if words & {"cr", "computed"} else "DX"


def _extensions(name: str, content: dict) -> tuple[str, ...]:
    given = content.get("extension", "")
    if isinstance(given, list):
        return toml_file.texts(name, content, "extension")
    return (given,) if given else ()


def _constants(name: str, values: dict, columns: dict[str, str]) -> dict[str, str]:
    constants = _texts(name, "constants", values, CONSTANT)
    for field_name, value in constants.items():
        if field_name in columns:
            raise InputError(
                f"{name}: {field_name} stands in [columns] and in [constants]; keep one of them"
            )
        if field_name == "label" and value not in (NORMAL, ABNORMAL):
            raise InputError(f"{name}: [constants] label must be {NORMAL} or {ABNORMAL}")
    return constants


def _findings(name: str, values: dict) -> dict[str, tuple[str, ...]]:
    toml_file.tables(
        f"{name}: [findings]",
        values,
        dict.fromkeys((*TABLE_6, "normal", "abnormal", "device"), list),
    )
    return {finding: toml_file.texts(f"{name}: [findings]", values, finding) for finding in values}


def _list(name: str, values: dict | None) -> tuple[tuple[str, str] | None, dict[str, str]]:
    if values is None:
        return None, {}
    toml_file.tables(f"{name}: [list]", values, {"column": str, "separator": str, "meanings": dict})
    meanings = values.get("meanings", {})
    wrong = [label for label, meaning in meanings.items() if meaning not in label_map.MEANINGS]
    if wrong:
        raise InputError(
            f"{name}: [list.meanings] {wrong[0][:40]}: expected one of "
            f"{', '.join(label_map.MEANINGS)}"
        )
    if not values.get("column") or not values.get("separator"):
        raise InputError(f"{name}: [list] needs column and separator")
    return (values["column"], values["separator"]), dict(meanings)


def _boxes(name: str, values: dict | None) -> dict:
    if values is None:
        return {}
    frame = values.get("frame", 0)
    kinds = {"table": str, "file": str, "corners": list, "place": list, "frame": type(frame)}
    toml_file.tables(f"{name}: [boxes]", values, kinds)
    four = toml_file.texts(
        f"{name}: [boxes]", values, "corners" if "corners" in values else "place", needed=True
    )
    if len(four) != 4 or ("corners" in values) == ("place" in values):
        raise InputError(f"{name}: [boxes] needs corners or place, with four columns")
    if isinstance(frame, bool) or not isinstance(frame, (int, float)) or not frame >= 0:
        raise InputError(
            f"{name}: [boxes] frame must be 0 (pixels), 1 (fractions) or the side that they refer "
            "to"
        )
    if not values.get("table") or not values.get("file"):
        raise InputError(f"{name}: [boxes] needs table and file")
    return {
        "table": values["table"],
        "file": values["file"],
        "four": four,
        "frame": float(frame),
    } | {"corners": "corners" in values}
