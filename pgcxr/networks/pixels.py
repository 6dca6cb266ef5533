"""What happens to pixels between the disk and the networks, and back (keras.ops: any backend).

Images are NHWC. The dynamic range of the data is [0, 255], that of the networks [-1, 1].
"""

from keras import ops


def upscale(images, factor: int = 2):
    """Nearest-neighbor upscaling, [N, H, W, C] -> [N, fH, fW, C]."""
    if factor == 1:
        return images
    n, h, w, c = ops.shape(images)
    x = ops.reshape(images, (n, h, 1, w, 1, c))
    x = ops.broadcast_to(x, (n, h, factor, w, factor, c))
    return ops.reshape(x, (n, h * factor, w * factor, c))


def downscale(images, factor: int = 2):
    """Box-filter downscaling, [N, H, W, C] -> [N, H/f, W/f, C]."""
    if factor == 1:
        return images
    n, h, w, c = ops.shape(images)
    x = ops.reshape(images, (n, h // factor, factor, w // factor, factor, c))
    return ops.mean(x, axis=(2, 4))


def lerp(a, b, t):
    """a where t = 0, b where t = 1; `t` is clipped to [0, 1]."""
    return a + (b - a) * ops.clip(ops.cast(ops.convert_to_tensor(t), a.dtype), 0.0, 1.0)


def from_uint8(images):
    """uint8 [0, 255] -> float32 [-1, 1]."""
    return ops.cast(images, "float32") * (2.0 / 255.0) - 1.0


def to_uint8(images):
    """float [-1, 1] -> uint8 [0, 255], rounded to nearest; values outside are clipped."""
    return ops.cast(ops.clip(ops.floor(images * 127.5 + 128.0), 0.0, 255.0), "uint8")


def mirror(images, draws):
    """[N, H, W, C] with left and right exchanged where the draw, [N, 1, 1, 1] from [0, 1), is not
    below 0.5."""
    return ops.where(draws < 0.5, images, ops.flip(images, axis=2))


def fade_reals(images, fade):
    """Real images as the growing networks see them while fading: blended with their own half
    resolution.

    `fade` is frac(lod): 1 where only the lower resolution counts, 0 at the end (arXiv 1710.10196,
    figure 2).
    """
    return lerp(images, upscale(downscale(images)), fade)
