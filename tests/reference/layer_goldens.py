"""tests/goldens/layers.npz: inputs, weights and outputs of single layers, by slow NumPy in float64.

python -m tests.reference.layer_goldens
"""

from pathlib import Path

import numpy as np

from tests.reference import pggan

FILE = Path(__file__).resolve().parents[1] / "goldens" / "layers.npz"
HE = np.sqrt(2.0)


def arrays() -> dict[str, np.ndarray]:
    """{"layer/x", "layer/kernel", "layer/bias", "layer/y"} of each layer, float32."""
    rng = np.random.default_rng(20)
    made: dict[str, np.ndarray] = {}

    def add(layer: str, function, x: tuple, kernel: tuple = (), bias: int = 0) -> None:
        drawn = {"x": rng.standard_normal(x).astype(np.float32)}
        if kernel:
            drawn["kernel"] = rng.standard_normal(kernel).astype(np.float32)
        if bias:
            drawn["bias"] = rng.standard_normal(bias).astype(np.float32)
        exact = {name: array.astype(np.float64) for name, array in drawn.items()}
        drawn["y"] = function(**exact).astype(np.float32)
        made.update({f"{layer}/{name}": array for name, array in drawn.items()})

    def scaled(kernel: np.ndarray, fan_in: int) -> np.ndarray:
        return kernel * HE / np.sqrt(fan_in)

    def turned(kernel: np.ndarray) -> np.ndarray:
        return kernel[::-1, ::-1].transpose(0, 1, 3, 2)

    def stddev(x: np.ndarray) -> np.ndarray:
        deviation = pggan.minibatch_stddev(x, 4)[:, None, None, None]
        return np.concatenate([x, np.broadcast_to(deviation, (*x.shape[:3], 1))], axis=-1)

    add(
        "PixelNorm", lambda x: x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-8), (2, 3, 3, 5)
    )
    add("MinibatchStddev", stddev, (8, 4, 4, 3))
    add("EqualizedDense", lambda x, kernel, bias: x @ scaled(kernel, 6) + bias, (3, 6), (6, 4), 4)
    add("ChannelBias", lambda x, bias: x + bias, (2, 3, 3, 4), bias=4)
    add(
        "EqualizedConv2D",
        lambda x, kernel, bias: pggan.conv2d(x, scaled(kernel, 27)) + bias,
        (2, 5, 5, 3),
        (3, 3, 3, 4),
        4,
    )
    add(
        "UpscaleConv2D",
        lambda x, kernel, bias: pggan.conv2d(pggan.upscale(x), turned(scaled(kernel, 27))) + bias,
        (2, 4, 4, 3),
        (3, 3, 4, 3),
        4,
    )
    add(
        "UnfusedUpscaleConv2D",
        lambda x, kernel, bias: pggan.conv2d(pggan.upscale(x), scaled(kernel, 27)) + bias,
        (2, 4, 4, 3),
        (3, 3, 3, 4),
        4,
    )
    add(
        "ConvDownscale2D",
        lambda x, kernel, bias: pggan.box(pggan.conv2d(x, scaled(kernel, 27))) + bias,
        (2, 6, 6, 3),
        (3, 3, 3, 4),
        4,
    )
    return made


if __name__ == "__main__":
    np.savez(FILE, **arrays())
