"""What the growing networks take, from the shapes of their layers: multiply-adds for one image,
parameters, and the features that a gradient holds.

Convolutions and dense layers are counted, as they do the work; padding counts as pixels do. What
one pass of a layer takes, its gradient with respect to the weights takes again, and so does that
with respect to the input. A multiply-add is two floating-point operations (FLOP).

`sizes` is a config of training, or what `get_config` of a network gives: channels, latent_size,
fmap_base, fmap_max, fused_scale, and, where they differ from the defaults, label_size, fmap_decay
and mbstd_group_size.
"""

from collections.abc import Mapping

from pgcxr.networks.generator import feature_maps

FLOP = 2  # in a multiply-add


def generator(sizes: Mapping, level: int, fading: bool = False) -> dict[str, int]:
    """Multiply-adds of each layer in one pass forward at `level` (log2 of the resolution)."""
    maps, channels = _maps(sizes), sizes["channels"]
    latents = (sizes["latent_size"] or maps(0)) + sizes.get("label_size", 0)
    found = {"dense": latents * 16 * maps(1), "conv4": 9 * 16 * maps(1) ** 2}
    for v in range(3, level + 1):
        # Fused: each of the 4^(v-1) input pixels meets a kernel of 4 x 4.
        found[f"up{2**v}"] = (
            (16 * 4 ** (v - 1) if _fused(sizes) else 9 * 4**v) * maps(v - 2) * maps(v - 1)
        )
        found[f"conv{2**v}"] = 9 * 4**v * maps(v - 1) ** 2
    for v in range(level - 1 if fading and level > 2 else level, level + 1):
        found[f"to_rgb{2**v}"] = 4**v * maps(v - 1) * channels
    return found


def discriminator(sizes: Mapping, level: int, fading: bool = False) -> dict[str, int]:
    """Multiply-adds of each layer in one pass forward at `level`."""
    maps, channels = _maps(sizes), sizes["channels"]
    found = {}
    for v in range(level - 1 if fading and level > 2 else level, level + 1):
        found[f"from_rgb{2**v}"] = 4**v * channels * maps(v - 1)
    for v in range(level, 2, -1):
        found[f"conv{2**v}"] = 9 * 4**v * maps(v - 1) ** 2
        found[f"down{2**v}"] = (
            (16 * 4 ** (v - 1) if _fused(sizes) else 9 * 4**v) * maps(v - 1) * maps(v - 2)
        )
    found["conv4"] = 9 * 16 * (maps(1) + _statistics(sizes)) * maps(1)
    found["dense0"] = 16 * maps(1) * maps(0)
    found["dense1"] = maps(0) * (1 + sizes.get("label_size", 0))
    return found


def iteration(sizes: Mapping, level: int, fading: bool = False) -> int:
    """Multiply-adds of one training iteration for each real image, as TensorFlow carries it out:
    about 4 G + 14 D.

    - D's loss: G forward; D forward and backward (weights, inputs) on a real and a fake image.
    - Penalty, first order: D forward and backward to the image.
    - Penalty, second order: the gradients of that pass (weights, its own gradients); D backward
      (weights, inputs) once more, as the slope of the minibatch statistics depends on the features.
    - G's loss: G and D forward, D backward to the image, G backward (weights, inputs).

    Nothing is differentiated with respect to images in D's loss, or to latents; the penalty needs
    no score, and of D's last layer only the slope. (Above the statistics D's last pass multiplies
    zeros: a leaky ReLU's slope is constant.)
    """
    g, d = generator(sizes, level, fading), discriminator(sizes, level, fading)
    whole_g, whole_d = sum(g.values()), sum(d.values())
    first = sum(count for name, count in d.items() if name.startswith("from_rgb"))
    d_loss = whole_g + 2 * (3 * whole_d - first)
    penalty = 6 * whole_d - first - 4 * d["dense1"]
    g_loss = whole_g + 2 * whole_d + 2 * whole_g - g["dense"]
    return d_loss + penalty + g_loss


def parameters(sizes: Mapping, level: int) -> tuple[int, int]:
    """Numbers that G and D learn at all levels up to `level`."""
    maps, channels, labels = _maps(sizes), sizes["channels"], sizes.get("label_size", 0)
    latents = (sizes["latent_size"] or maps(0)) + labels
    g = latents * 16 * maps(1) + maps(1) + 9 * maps(1) ** 2 + maps(1)
    d = 9 * (maps(1) + _statistics(sizes)) * maps(1) + maps(1)
    d += 16 * maps(1) * maps(0) + maps(0) + (maps(0) + 1) * (1 + labels)
    for v in range(2, level + 1):
        g += maps(v - 1) * channels + channels  # to_rgb
        d += (channels + 1) * maps(v - 1)  # from_rgb
        if v > 2:
            pair = 9 * maps(v - 2) * maps(v - 1) + 9 * maps(v - 1) ** 2
            g += pair + 2 * maps(v - 1)
            d += pair + maps(v - 1) + maps(v - 2)
    return g, d


def features(sizes: Mapping, level: int) -> int:
    """Numbers that the layers of both networks give for one image: what memory grows with."""
    maps, channels = _maps(sizes), sizes["channels"]
    found = 3 * 16 * maps(1) + maps(0) + 2 * 4**level * channels
    for v in range(3, level + 1):
        found += 2 * 4**v * maps(v - 1) + 4**v * maps(v - 1) + 4 ** (v - 1) * maps(v - 2)
    return found


def _maps(sizes: Mapping):
    return lambda stage: feature_maps(
        stage, sizes["fmap_base"], sizes["fmap_max"], sizes.get("fmap_decay", 1.0)
    )


def _fused(sizes: Mapping) -> bool:
    return sizes.get("fused_scale", True)


def _statistics(sizes: Mapping) -> bool:
    return sizes.get("mbstd_group_size", 4) > 1
