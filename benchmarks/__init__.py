"""Speed and error rates, measured by hand: `python -m benchmarks.NAME`; see README.md."""
