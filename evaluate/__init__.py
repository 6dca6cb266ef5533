"""The study's questions, a package each, asked in the way of `evaluate.protocol`."""
