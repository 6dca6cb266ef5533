"""Which direction of the latent space is which disease (thesis 3; Figures 4, 5, 10 and 12)."""

from evaluate.axes.chapter import AxesResult
from evaluate.axes.experiment import AxesOptions, run

__all__ = ["AxesOptions", "AxesResult", "run"]
