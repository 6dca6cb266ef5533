"""3x3 convolutions with fewer multiplications, as matrix products (minimal filtering; arXiv
1509.09308).

For compilers that fuse the additions around the products (XLA); run one by one these cost more than
they save. The results differ from those of the direct convolution by rounding alone.

Multiplications for each output pixel and pair of features: 4 for 9 in `convolve`, 9/4 for 4 in
`upscale_convolve` and 9 for 16 in `convolve_downscale`, beside convolutions with the 4-tap kernel
of `layers.four_taps`.
"""

from keras import ops

from pgcxr.networks import convolution
from pgcxr.networks.convolution import scaled


def suits(x, kernel) -> bool:
    """Whether the shapes are such that the functions below can be used."""
    return kernel.shape[0] == 3 and all(side is not None and side % 2 == 0 for side in x.shape[1:3])


# Nothing to save here.
matmul, leaky_relu, four_taps = ops.matmul, ops.leaky_relu, convolution.four_taps


def turned(kernel):
    """The kernel of the adjoint: turned by 180 degrees, [k, k, I, O] -> [k, k, O, I]."""
    return ops.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))


def convolve(x, kernel, scale: float = 1.0):
    """Stride 1, "same" padding: x [N, H, W, I], kernel [3, 3, I, O] -> [N, H, W, O]; H and W
    even."""
    return convolve_tiles(x, *kernel_tiles(scaled(kernel, scale, x.dtype)))


def upscale_convolve(x, kernel, scale: float = 1.0):
    """Nearest upscaling, then a convolution: x [N, H, W, I], kernel [3, 3, I, O] -> [N, 2H, 2W,
    O]."""
    return upscale_convolve_sums(x, *kernel_sums(scaled(kernel, scale, x.dtype)))


def transposed_upscale_convolve(x, kernel, scale: float = 1.0):
    """The adjoint of `convolve_downscale`: `upscale_convolve` with a kernel [3, 3, O, I] that is
    turned."""
    return upscale_convolve_sums(x, *turned_sums(scaled(kernel, scale, x.dtype)))


def convolve_downscale(x, kernel, scale: float = 1.0):
    """A convolution, then the sum over 2x2 boxes: x [N, H, W, I], kernel [3, 3, I, O] -> [N, H/2,
    W/2, O]."""
    return convolve_downscale_sums(x, *joined_sums(scaled(kernel, scale, x.dtype)))


def kernel_tiles(kernel) -> list:
    """What `convolve_tiles` multiplies by: [3, 3, I, O] -> 16 matrices [I, O]."""
    return [part for row in _kernel_tiles(kernel) for part in _kernel_tiles(row)]


def kernel_sums(kernel) -> list:
    """Nine matrices [I, O]: sum, first and last, along both sides of [3, 3, I, O]."""
    rows = (kernel[0] + kernel[1] + kernel[2], kernel[0], kernel[2])
    return [part for row in rows for part in (row[0] + row[1] + row[2], row[0], row[2])]


def turned_sums(kernel) -> list:
    """`kernel_sums` of the turned kernel: [3, 3, O, I] -> nine matrices [I, O]."""
    return kernel_sums(turned(kernel))


def joined_sums(kernel) -> list:
    """`kernel_sums` in one matrix [9 I, O]."""
    return [ops.concatenate(kernel_sums(kernel), axis=0)]


def convolve_tiles(x, *weights):
    """F(2x2, 3x3): 16 products for each 2x2 tile of the output, from a 4x4 tile of the input."""
    height, width, inputs = x.shape[1:]
    x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    x = ops.reshape(
        x, (-1, height // 2 + 1, 2, width // 2 + 1, 2, inputs)
    )  # [N, H/2 + 1, 2, W/2 + 1, 2, I]
    rows = _input_tiles(x[:, :, 0], x[:, :, 1], axis=1)
    tiles = [
        tile for row in rows for tile in _input_tiles(row[:, :, :, 0], row[:, :, :, 1], axis=2)
    ]
    products = _products(tiles, weights)
    rows = [
        _output_tiles(*products[i : i + 4]) for i in range(0, 16, 4)
    ]  # of each: even and odd columns
    columns = [
        _output_tiles(*column) for column in zip(*rows, strict=True)
    ]  # of each: even and odd rows
    return _interleave(columns, height, width, weights[0].shape[-1])


def upscale_convolve_sums(x, *weights):
    """Three products for two outputs of each dimension, with s = k0 + k1 + k2:

    y[2i] = s x[i] + k0 (x[i-1] - x[i]), y[2i+1] = s x[i] + k2 (x[i+1] - x[i]).
    """
    height, width = x.shape[1:3]
    tiles = [tile for row in _differences(x, x, axis=1) for tile in _differences(row, row, axis=2)]
    products = _products(tiles, weights)
    rows = [(a + b, a + c) for a, b, c in (products[0:3], products[3:6], products[6:9])]
    columns = [(a + b, a + c) for a, b, c in zip(*rows, strict=True)]
    return _interleave(columns, 2 * height, 2 * width, weights[0].shape[-1])


def convolve_downscale_sums(x, weights):
    """In one dimension, with a = x[2j], b = x[2j+1]: y[j] = s (a + b) + k0 (b[j-1] - b) + k2
    (a[j+1] - a)."""
    height, width, inputs = x.shape[1:]
    x = ops.reshape(x, (-1, height // 2, 2, width // 2, 2, inputs))
    rows = _boxes(x[:, :, 0], x[:, :, 1], axis=1)
    tiles = [tile for row in rows for tile in _boxes(row[:, :, :, 0], row[:, :, :, 1], axis=2)]
    return ops.matmul(ops.concatenate(tiles, axis=-1), weights)


def _input_tiles(even, odd, axis: int) -> list:
    """The four rows (columns) of the transformed 4x4 tiles, from the padded input's even and odd
    ones."""
    this, following = _first(even, axis), _last(even, axis)
    odd, next_odd = _first(odd, axis), _last(odd, axis)
    return [this - following, odd + following, following - odd, odd - next_odd]


def _kernel_tiles(kernel) -> list:
    """[3, ...] -> four of [...]."""
    first, middle, last = kernel[0], kernel[1], kernel[2]
    half = (first + last) * 0.5
    return [first, half + middle * 0.5, half - middle * 0.5, last]


def _output_tiles(a, b, c, d) -> list:
    return [a + b + c, b - c - d]


def _differences(here, there, axis: int) -> list:
    return [here, _shift(there, 1, axis) - here, _shift(there, -1, axis) - here]


def _boxes(even, odd, axis: int) -> list:
    return [even + odd, _shift(odd, 1, axis) - odd, _shift(even, -1, axis) - even]


def _products(tiles, weights) -> list:
    """Matrix products of [N, h, w, I] and [I, O], pair by pair: each [N, h, w, O]."""
    return [ops.matmul(tile, weight) for tile, weight in zip(tiles, weights, strict=True)]


def _interleave(columns: list, height: int, width: int, outputs: int):
    """columns[j][i] [N, H/2, W/2, O]: the pixels of even or odd (0 or 1) columns j and rows i ->
    [N, H, W, O]."""
    rows = [ops.stack(row, axis=3) for row in zip(*columns, strict=True)]  # [N, H/2, W/2, 2, O]
    return ops.reshape(ops.stack(rows, axis=2), (-1, height, width, outputs))


def _shift(x, by: int, axis: int):
    """x[i - by] along an axis, zero beyond the border."""
    empty = [(0, 0)] * len(x.shape)
    empty[axis] = (1, 0) if by > 0 else (0, 1)
    return ops.pad(_first(x, axis) if by > 0 else _last(x, axis), empty)


def _first(x, axis: int):
    return x[(slice(None),) * axis + (slice(None, -1),)]


def _last(x, axis: int):
    return x[(slice(None),) * axis + (slice(1, None),)]
