"""Files and processes: written in one piece or not at all, locks, limits, progress."""
