"""Trainings from the command line, `train.gan` and `train.classifier`, and their presets."""
