"""How real are the synthetic images? A classifier trained on them is tested on real ones (thesis
2.2 to 2.4)."""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    FidelityOptions="options",
    FidelityResult="chapter",
    preset="options",
    run="experiment",
)
