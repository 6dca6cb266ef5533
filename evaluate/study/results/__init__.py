"""The chapters of the report on the results."""

from evaluate.study.results.anomaly import anomaly
from evaluate.study.results.axes import axes
from evaluate.study.results.distribution import distribution, privacy
from evaluate.study.results.fidelity import fidelity

__all__ = ["anomaly", "axes", "distribution", "fidelity", "privacy"]
