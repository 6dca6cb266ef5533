"""Nearest neighbors one pair at a time, in plain loops."""

import math


def nearest(queries, references, groups=None):
    """[(distance, index)] for lists of lists."""
    found = []
    for place, query in enumerate(queries):
        best = (math.inf, -1)
        for index, reference in enumerate(references):
            if groups is not None and groups[0][place] == groups[1][index]:
                continue
            apart = math.sqrt(
                math.fsum((float(a) - float(b)) ** 2 for a, b in zip(query, reference, strict=True))
            )
            if apart < best[0]:
                best = (apart, index)
        found.append(best)
    return found
