"""How much more than needed an image was changed: counterfactual latent divergence.

Sanchez and Tsaftaris (arXiv 2202.10166), as the benchmark of counterfactual images weighs it
(Melistas et al., NeurIPS 2024, arXiv 2403.20287, section 3.2): a changed image should be nearer to
the one that it came from than other images of the class that it was changed to are, and no nearer
than those of its own class are.
"""

import numpy as np

WEIGHTS = (0.8, 0.2)


def minimality(
    before: np.ndarray, after: np.ndarray, own: np.ndarray, target: np.ndarray
) -> dict[str, np.ndarray]:
    """Counterfactual latent divergence of each of N changed images.

    Distances are mean absolute differences of features.

    Args:
        before, after: features [N, D] of the images and of what they were changed to.
        own, target: of real images [M, D] of the class they are of, [K, D] of that they should be
            of.

    Returns:
        {"divergence": [N], log(0.8 exp(p) + 0.2 exp(q)), from 0 (best) to 1; "target_nearer": p
        [N], the share of the target class that is at least as near; "own_farther": q [N], the share
        of the own class that is at least as far}.

    Example:

        >>> line = np.arange(10.0)[:, None]
        >>> found = minimality(np.zeros((1, 1)), np.full((1, 1), 2.0), line, line + 5)
        >>> found["target_nearer"].tolist(), found["own_farther"].tolist()
        ([0.0], [0.8])
    """
    change = np.abs(after - before).mean(axis=1)
    p, q = np.empty(len(before)), np.empty(len(before))
    for row, (start, moved) in enumerate(zip(before, change, strict=True)):
        p[row] = (np.abs(target - start).mean(axis=1) <= moved).mean()
        q[row] = (np.abs(own - start).mean(axis=1) >= moved).mean()
    divergence = np.log(WEIGHTS[0] * np.exp(p) + WEIGHTS[1] * np.exp(q))
    return {"divergence": divergence, "target_nearer": p, "own_farther": q}
