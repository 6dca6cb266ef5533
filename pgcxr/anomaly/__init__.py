"""What is abnormal in an image, told from healthy images alone: maps of the differences to the
nearest healthy image, what healthy images share (ppca), a network that learns to find artificial
anomalies, scores, thresholds, and whether a map points at the lesion."""
