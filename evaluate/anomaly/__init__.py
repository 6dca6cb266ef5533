"""Anomalies in unseen images, found with a GAN trained on normals only (thesis 4; Table 6, Figures
14 and 15)."""

from evaluate.anomaly.chapter import AnomalyResult
from evaluate.anomaly.experiment import AnomalyOptions, run

__all__ = ["AnomalyOptions", "AnomalyResult", "run"]
