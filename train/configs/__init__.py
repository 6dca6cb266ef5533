"""Presets of both trainings: `gan()` and `classifier()` of a module, for `--config NAME`."""
