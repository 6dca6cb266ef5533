"""How near are synthetic images to real ones, as sets? FID, KID, PRDC, ECS,
FRD, SWD and MS-SSIM beside floor and baseline."""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    DistributionOptions="options",
    run="experiment",
)
