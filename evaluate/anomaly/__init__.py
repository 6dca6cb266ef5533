"""Anomalies in unseen images, found with a GAN trained on normals only (thesis 4; Table 6, Figures
14 and 15)."""

from evaluate.anomaly.experiment import run

__all__ = ["run"]
