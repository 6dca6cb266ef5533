"""The growing generator (arXiv 1710.10196, section 2 and table 2)."""

import math

import keras
from keras import ops

from pgcxr.networks import layers, pixels


def feature_maps(stage: int, base: int, maximum: int, decay: float = 1.0) -> int:
    """Feature maps of the block whose output is 2^(stage + 1) pixels wide: min(base / 2^(stage *
    decay), maximum)."""
    return min(int(base / 2.0 ** (stage * decay)), maximum)


@layers.register
class Generator(keras.Model):
    """Latent vectors to images; all levels exist from the start, `level` says how far the network
    has grown.

    Arguments:
        resolution: pixels of the finished images, a power of two from 4 to 1024.
        channels: 1 for radiographs.
        label_size: labels beside the latents (AC-GAN), 0 for none.
        label_scale: labels are multiplied by it; 1 in the original.
        latent_size: None for feature_maps(0).
        fmap_base, fmap_decay, fmap_max: see `feature_maps`.
        fused_scale: upscaling and convolution in one.
        normalize_latents: PixelNorm on the input, so that only the direction of z counts.
        dtype: a Keras dtype policy; "mixed_float16" and "mixed_bfloat16" keep the weights in
            float32.

    Input: latents [N, latent_size]; labels [N, label_size]. Output: [N, 2^level, 2^level,
    channels], about [-1, 1], float32 in mixed precision too.
    """

    def __init__(
        self,
        resolution: int = 1024,
        channels: int = 1,
        label_size: int = 0,
        latent_size: int | None = None,
        fmap_base: int = 8192,
        fmap_decay: float = 1.0,
        fmap_max: int = 512,
        fused_scale: bool = True,
        normalize_latents: bool = True,
        pixelnorm_epsilon: float = 1e-8,
        label_scale: float = 1.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.resolution = resolution
        self.max_level = check_resolution(resolution)
        self.channels = channels
        self.label_size, self.label_scale = label_size, label_scale
        self.fmap_base, self.fmap_decay, self.fmap_max = fmap_base, fmap_decay, fmap_max
        self.latent_size = self.features(0) if latent_size is None else latent_size
        self.fused_scale = fused_scale
        self.normalize_latents = normalize_latents
        self.pixelnorm_epsilon = pixelnorm_epsilon

        policy = {"dtype": self.dtype_policy}
        self.pixel_norm = layers.PixelNorm(pixelnorm_epsilon, **policy)
        # The gain of the first layer is sqrt(2)/4: its fan-in counts the 16 pixels that share a
        # feature.
        self.dense = layers.EqualizedDense(
            self.features(1) * 16, gain=layers.HE_GAIN / 4, use_bias=False, **policy
        )
        self.dense_bias = layers.ChannelBias(name="4x4_dense_bias", **policy)
        upscale = layers.UpscaleConv2D if fused_scale else layers.UnfusedUpscaleConv2D
        levels = range(3, self.max_level + 1)
        self.first_conv = layers.EqualizedConv2D(self.features(1), name="4x4_conv", **policy)
        self.ups = [
            upscale(self.features(v - 1), name=f"{2**v}x{2**v}_conv0_up", **policy) for v in levels
        ]
        self.convs = [
            layers.EqualizedConv2D(self.features(v - 1), name=f"{2**v}x{2**v}_conv1", **policy)
            for v in levels
        ]
        self.to_rgb = [
            layers.EqualizedConv2D(
                channels, kernel_size=1, gain=1.0, name=f"to_rgb_{2**v}x{2**v}", **policy
            )
            for v in range(2, self.max_level + 1)
        ]
        self.lod = self.add_weight(name="lod", shape=(), initializer="zeros", trainable=False)
        self.build()

    def features(self, stage: int) -> int:
        """Feature maps of the block at level `stage` + 1."""
        return feature_maps(stage, self.fmap_base, self.fmap_max, self.fmap_decay)

    def build(self, input_shape=None):
        """Creates the weights of every level."""
        self.pixel_norm.build((None, self.latent_size + self.label_size))
        self.dense.build((None, self.latent_size + self.label_size))
        self.dense_bias.build((None, 4, 4, self.features(1)))
        self.first_conv.build((None, 4, 4, self.features(1)))
        for v, up, conv in zip(range(3, self.max_level + 1), self.ups, self.convs, strict=True):
            up.build((None, 2 ** (v - 1), 2 ** (v - 1), self.features(v - 2)))
            conv.build((None, 2**v, 2**v, self.features(v - 1)))
        for v, rgb in enumerate(self.to_rgb, start=2):
            rgb.build((None, 2**v, 2**v, self.features(v - 1)))
        self.built = True

    def call(self, latents, labels=None, level: int | None = None, fade=None, offsets=()):
        """Images at `level` (None: all of it), blended with those of the level below where `fade`
        is given; `offsets` are added to the features of 4 px, of 8 px, and so on, see
        `feature_shapes`."""
        level = self.max_level if level is None else level
        x = (
            latents
            if labels is None or self.label_size == 0
            else ops.concatenate([latents, self.label_scale * labels], axis=-1)
        )
        if self.normalize_latents:
            x = self.pixel_norm(x)
        x = ops.reshape(self.dense(x), (-1, 4, 4, self.features(1)))
        x = self.pixel_norm(layers.leaky_relu(self.dense_bias(x)))
        x = _moved(self.pixel_norm(layers.leaky_relu(self.first_conv(x))), offsets[:1])
        below = x
        for v in range(3, level + 1):
            below = x
            x = self.pixel_norm(layers.leaky_relu(self.ups[v - 3](x)))
            x = self.pixel_norm(layers.leaky_relu(self.convs[v - 3](x)))
            x = _moved(x, offsets[v - 2 : v - 1])
        image = self.to_rgb[level - 2](x)
        if fade is not None and level > 2:
            image = pixels.lerp(image, pixels.upscale(self.to_rgb[level - 3](below)), fade)
        return layers.widened(image)

    def feature_shapes(self) -> list[tuple[int, int, int]]:
        """[H, W, C] of the features at 4 px, 8 px and so on, from which the next level begins; the
        mean of their squares is about 1 at each pixel."""
        sides = range(2, self.max_level + 1)
        return [(2**v, 2**v, self.features(v - 1)) for v in sides]

    def active_variables(self, level: int, fading: bool) -> list:
        """The trainable variables that images at `level` depend on."""
        used = [
            self.dense,
            self.dense_bias,
            self.first_conv,
            *self.ups[: level - 2],
            *self.convs[: level - 2],
        ]
        used += self.to_rgb[level - 3 if fading and level > 2 else level - 2 : level - 1]
        return [variable for layer in used for variable in layer.trainable_variables]

    def get_config(self):
        # Without it, as it would be by default, a network's identity stays what it was.
        scaled = {} if self.label_scale == 1 else {"label_scale": self.label_scale}
        return {
            **scaled,
            "resolution": self.resolution,
            "channels": self.channels,
            "label_size": self.label_size,
            "latent_size": self.latent_size,
            "fmap_base": self.fmap_base,
            "fmap_decay": self.fmap_decay,
            "fmap_max": self.fmap_max,
            "fused_scale": self.fused_scale,
            "normalize_latents": self.normalize_latents,
            "pixelnorm_epsilon": self.pixelnorm_epsilon,
            "name": self.name,
            "dtype": self.dtype_policy.name,
        }


def _moved(features, offsets):
    """Features with the first of `offsets`, or as they are where there is none."""
    return features + offsets[0] if offsets else features


def check_resolution(resolution: int) -> int:
    """log2 of a resolution, or ValueError where it is not a power of two of at least 4."""
    level = int(round(math.log2(resolution))) if resolution > 0 else 0
    if level < 2 or 2**level != resolution:
        raise ValueError(f"resolution {resolution}: must be a power of two, 4 or more")
    return level
