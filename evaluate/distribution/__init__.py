"""How near are synthetic images to real ones, as sets? FID, KID, PRDC, SWD and MS-SSIM beside floor
and baseline."""

from evaluate.distribution.experiment import run

__all__ = ["run"]
