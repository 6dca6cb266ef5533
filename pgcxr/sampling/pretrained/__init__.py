"""Networks that come with pgcxr, each as a RUN: trained on generated radiographs, so that no
patient is in them."""

from pathlib import Path

from pgcxr.errors import InputError
from pgcxr.sampling.generation import GENERATOR

HERE = Path(__file__).parent


def names() -> list[str]:
    """Of all networks that are here."""
    return sorted(path.parent.name for path in HERE.glob(f"*/{GENERATOR}"))


def run(name: str) -> Path:
    """The RUN of that name, to be read as one of `train.gan` is; InputError where there is none."""
    if name not in names():
        raise InputError(
            f"--pretrained {name[:60]}: no such network; there are {', '.join(names()) or 'none'}"
        )
    return HERE / name
