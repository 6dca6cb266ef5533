"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis
2.2 to 2.4)."""

from evaluate.fidelity.chapter import FidelityResult
from evaluate.fidelity.experiment import FidelityOptions, preset, run

__all__ = ["FidelityOptions", "FidelityResult", "preset", "run"]
