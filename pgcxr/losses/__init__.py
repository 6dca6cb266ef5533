"""Losses, a value for each example: of both networks, of labels, of inversion."""
