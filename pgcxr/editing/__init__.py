"""What the axes are for: images moved along them by a severity that can be named, and sets of
images whose labels judges confirm."""
