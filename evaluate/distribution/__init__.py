"""How near are synthetic images to real ones, as sets? FID, KID, PRDC, SWD and MS-SSIM beside floor
and baseline."""

from evaluate.distribution.experiment import DistributionOptions, run

__all__ = ["DistributionOptions", "run"]
