"""Which direction of the latent space is which disease (thesis 3; Figures 4, 5, 10 and 12)."""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    AxesOptions="options",
    AxesResult="chapter",
    Runs="experiment",
    run="experiment",
)
