"""The whole study: its steps in order, made again where they changed, and one report."""
