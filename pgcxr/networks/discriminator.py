"""The growing discriminator, the generator's mirror (arXiv 1710.10196, section 2 and table 2)."""

from collections.abc import Sequence

import keras
from keras import ops

from pgcxr.networks import layers, pixels
from pgcxr.networks.generator import check_resolution, feature_maps


@layers.register
class Discriminator(keras.Model):
    """Images to critic scores and label logits; `level` says how far the network has grown.

    Arguments:
        resolution, channels, label_size, fmap_base, fmap_decay, fmap_max, fused_scale, dtype: as of
            the generator.
        mbstd_group_size: images per group of the minibatch standard deviation, 0 to leave it out.

    Input: [N, 2^level, 2^level, channels], about [-1, 1]. Output: (scores [N, 1], label_logits [N,
    label_size]), float32 in mixed precision too.
    """

    def __init__(
        self,
        resolution: int = 1024,
        channels: int = 1,
        label_size: int = 0,
        fmap_base: int = 8192,
        fmap_decay: float = 1.0,
        fmap_max: int = 512,
        fused_scale: bool = True,
        mbstd_group_size: int = 4,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.resolution = resolution
        self.max_level = check_resolution(resolution)
        self.channels = channels
        self.label_size = label_size
        self.fmap_base, self.fmap_decay, self.fmap_max = fmap_base, fmap_decay, fmap_max
        self.fused_scale = fused_scale
        self.mbstd_group_size = mbstd_group_size

        policy = {"dtype": self.dtype_policy}
        levels = range(3, self.max_level + 1)
        self.from_rgb = [
            layers.EqualizedConv2D(
                self.features(v - 1), kernel_size=1, name=f"from_rgb_{2**v}x{2**v}", **policy
            )
            for v in range(2, self.max_level + 1)
        ]
        down = layers.ConvDownscale2D if fused_scale else layers.EqualizedConv2D
        self.convs = [
            layers.EqualizedConv2D(self.features(v - 1), name=f"{2**v}x{2**v}_conv0", **policy)
            for v in levels
        ]
        self.downs = [
            down(self.features(v - 2), name=f"{2**v}x{2**v}_conv1_down", **policy) for v in levels
        ]
        self.stddev = (
            layers.MinibatchStddev(mbstd_group_size, **policy) if mbstd_group_size > 1 else None
        )
        self.last_conv = layers.EqualizedConv2D(self.features(1), name="4x4_conv", **policy)
        self.dense0 = layers.EqualizedDense(self.features(0), name="4x4_dense0", **policy)
        self.dense1 = layers.EqualizedDense(1 + label_size, gain=1.0, name="4x4_dense1", **policy)
        self.lod = self.add_weight(name="lod", shape=(), initializer="zeros", trainable=False)
        self.build()

    def features(self, stage: int) -> int:
        """Feature maps of the block at level `stage` + 1."""
        return feature_maps(stage, self.fmap_base, self.fmap_max, self.fmap_decay)

    def build(self, input_shape=None):
        """Creates the weights of every level."""
        for v, rgb in enumerate(self.from_rgb, start=2):
            rgb.build((None, 2**v, 2**v, self.channels))
        for v, conv, down in zip(range(3, self.max_level + 1), self.convs, self.downs, strict=True):
            conv.build((None, 2**v, 2**v, self.features(v - 1)))
            down.build((None, 2**v, 2**v, self.features(v - 1)))
        if self.stddev is not None:
            self.stddev.build((None, 4, 4, self.features(1)))
        self.last_conv.build((None, 4, 4, self.features(1) + (self.stddev is not None)))
        self.dense0.build((None, self.features(1) * 16))
        self.dense1.build((None, self.features(0)))
        self.built = True

    def call(self, x, level: int | None = None, fade=None, parts: int = 1):
        """Scores of images at `level`; with `fade`, features blended with those of the level below.

        `parts` > 1: that many batches lie one after another in `x` and keep their own minibatch
        statistics.
        """
        level = self.max_level if level is None else level
        image = x
        x = layers.leaky_relu(self.from_rgb[level - 2](image))
        for v in range(level, 2, -1):
            x = layers.leaky_relu(self.convs[v - 3](x))
            x = self.downs[v - 3](x)
            # Unfused, the box filter comes after the bias and the activation: another function, not
            # another order.
            x = layers.leaky_relu(x) if self.fused_scale else pixels.downscale(layers.leaky_relu(x))
            if v == level and fade is not None:
                below = layers.leaky_relu(self.from_rgb[v - 3](pixels.downscale(image)))
                x = pixels.lerp(x, below, fade)
        if self.stddev is not None:
            x = self.stddev(x, parts=parts)
        x = layers.leaky_relu(self.last_conv(x))
        x = layers.leaky_relu(self.dense0(ops.reshape(x, (-1, self.features(1) * 16))))
        x = layers.widened(self.dense1(x))
        return x[:, :1], x[:, 1:]

    def active_variables(self, level: int, fading: bool, frozen: Sequence[int] = ()) -> list:
        """The trainable variables that scores of images at `level` depend on.

        `frozen` levels (log2 of the resolution) are left out: those nearest to the image know
        edges and ribs, which need not be learned anew (FreezeD, Mo 2020, arXiv 2002.10964).
        """
        first = level - 3 if fading and level > 2 else level - 2
        levels = [v for v in range(3, level + 1) if v not in frozen]
        used = [self.from_rgb[i] for i in range(first, level - 1) if i + 2 not in frozen]
        used += [*(self.convs[v - 3] for v in levels), *(self.downs[v - 3] for v in levels)]
        used += [self.last_conv, self.dense0, self.dense1]
        return [variable for layer in used for variable in layer.trainable_variables]

    def get_config(self):
        return {
            "resolution": self.resolution,
            "channels": self.channels,
            "label_size": self.label_size,
            "fmap_base": self.fmap_base,
            "fmap_decay": self.fmap_decay,
            "fmap_max": self.fmap_max,
            "fused_scale": self.fused_scale,
            "mbstd_group_size": self.mbstd_group_size,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }
