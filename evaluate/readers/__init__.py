"""What do radiologists see? Blinded reading in the browser: real or synthetic, severity along an
axis, anomalies without and with the map, and which of two images is better."""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    AnalysisOptions="options",
    ReadersResult="chapter",
    StudyOptions="options",
    make="making",
    run="experiment",
)
