"""Classifiers: network, training with its curriculum, features and heat maps of trained ones."""
