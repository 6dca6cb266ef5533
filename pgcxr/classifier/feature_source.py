"""What the network of `pgcxr.classifier.features` may be named by; free of heavy imports."""

from pathlib import Path

from pgcxr.errors import InputError

INCEPTION = "inception:"
KINDS = f"a RUN of train.classifier, a model's FILE.keras, or {INCEPTION}WEIGHTS.h5"


def refuse_missing(source: str) -> None:
    """Raises InputError where `source` names no folder and no file of the right ending."""
    path = Path(source)
    if source.startswith(INCEPTION) or path.is_dir():
        return
    if not path.is_file() or path.suffix != ".keras":
        raise InputError(f"{source}: no such network; expected {KINDS}")
