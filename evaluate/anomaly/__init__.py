"""Anomalies in unseen images, found with a GAN trained on normals only (thesis 4; Table 6, Figures
14 and 15)."""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    AnomalyOptions="options",
    AnomalyResult="chapter",
    Others="runs",
    run="experiment",
)
