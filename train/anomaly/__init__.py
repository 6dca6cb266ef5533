"""`python -m train.anomaly`: a network that finds anomalies, taught on normal images alone."""
