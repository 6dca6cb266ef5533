"""Metrics and statistics: NumPy in, dicts or numbers out; no network."""
