"""Fréchet distance between two sets of radiomic features (FRD: Konz, Osuala et al. 2024, arXiv
2412.01496).

As there, features are put in units of the real set, (x - mean) / standard deviation, so that each
counts alike, and what is given is log d^2: sets that differ a little spread over decades. The
features are those of `pgcxr.metrics.radiomics`, 46 of 464 of pyradiomics, so values are not to be
compared with published ones.
"""

import numpy as np

from pgcxr.metrics import frechet
from pgcxr.metrics.feature_sets import checked

# What is one value may deviate by so much of it.
ROUNDING = 1e-9
# d^2 of equal sets is 0, whose logarithm is none.
LEAST = 1e-12


def frd(real: np.ndarray, fake: np.ndarray) -> dict:
    """FRD of radiomic features [N, D] and [M, D].

    Returns:
        {frd: log d^2, distance: d^2 (NaN where all are left out), shift: [D] difference of means in
        standard deviations of the real set, spread: [D] ratio of standard deviations, left_out:
        indices of features that are one value in the real set and so have no unit (NaN in shift and
        spread), n_real, n_fake, features: D less those, enough: n > features of both}.

    Example:

        >>> import numpy as np
        >>> from pgcxr.metrics.frd import frd
        >>> rng = np.random.default_rng(0)
        >>> real, fake = rng.normal(5, 2, (500, 3)), rng.normal(9, 2, (500, 3))
        >>> found = frd(real, fake)
        >>> round(found["distance"]), round(found["frd"], 1), found["shift"].round().tolist()
        (12, 2.5, [2.0, 2.0, 2.0])
    """
    real, fake = (each.astype(np.float64) for each in checked(real, fake))
    mean, deviation = real.mean(axis=0), real.std(axis=0)
    varies = deviation > ROUNDING * np.maximum(np.abs(mean), 1)
    shift, spread = np.full((2, len(mean)), np.nan)
    unit = deviation[varies]
    shift[varies] = (fake.mean(axis=0) - mean)[varies] / unit
    spread[varies] = fake.std(axis=0)[varies] / unit
    distance = float("nan")
    if varies.any():
        sets = (((each - mean)[:, varies] / unit) for each in (real, fake))
        distance = frechet.frechet(*sets)["fid"]
    return {
        "frd": float(np.log(np.maximum(distance, LEAST))),
        "distance": distance,
        "shift": shift,
        "spread": spread,
        "left_out": np.flatnonzero(~varies).tolist(),
        "n_real": len(real),
        "n_fake": len(fake),
        "features": int(varies.sum()),
        "enough": min(len(real), len(fake)) > int(varies.sum()),
    }
