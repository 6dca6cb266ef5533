"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis
2.2 to 2.4)."""

from evaluate.fidelity.steps import run

__all__ = ["run"]
