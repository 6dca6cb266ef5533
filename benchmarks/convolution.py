"""Direct convolutions against compiled minimal filtering, with both gradients: processor
milliseconds on one thread.

One JSON line per shape. Example: python -m benchmarks.convolution
"""

import json
import os
import time

SHAPES = [  # batch, side of the input, input features, output features
    (16, 4, 512, 512),
    (16, 8, 512, 512),
    (8, 16, 256, 256),
    (4, 64, 128, 128),
    (2, 128, 64, 64),
    (8, 8, 64, 64),
    (8, 16, 32, 32),
]
REPEATS = 5


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    import tensorflow as tf

    from pgcxr.gan import compiled_convolution
    from pgcxr.networks import convolution, minimal_filtering

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    compiled_convolution.suits = minimal_filtering.suits  # also where it is not worth it

    def milliseconds(name, x, kernel, means) -> float:
        @tf.function
        def step(x, kernel):
            with convolution.by(means), tf.GradientTape() as tape:
                tape.watch([x, kernel])
                y = getattr(convolution, name)(x, kernel)
            return tape.gradient(y, [x, kernel], output_gradients=y)

        step(x, kernel)
        found = []
        for _ in range(REPEATS):
            begun = time.process_time()
            step(x, kernel)[0].numpy()
            found.append(1e3 * (time.process_time() - begun))
        return min(found)

    for n, side, inputs, outputs in SHAPES:
        x = tf.random.normal((n, side, side, inputs))
        for name in ("convolve", "fused_upscale_convolve", "fused_convolve_downscale"):
            turned = (outputs, inputs) if name == "fused_upscale_convolve" else (inputs, outputs)
            kernel = tf.random.normal((3, 3, *turned))
            direct = milliseconds(name, x, kernel, None)
            compiled = milliseconds(name, x, kernel, compiled_convolution)
            line = {
                "benchmark": f"convolution.{name}",
                "batch": n,
                "side": side,
                "features": [inputs, outputs],
            }
            line |= {"direct_ms": round(direct, 2), "compiled_ms": round(compiled, 2)}
            print(json.dumps(line | {"ratio": round(direct / compiled, 2)}), flush=True)


if __name__ == "__main__":
    main()
