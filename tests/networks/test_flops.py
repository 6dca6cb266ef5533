"""FLOP counts against numbers worked out by hand, and against TensorFlow's own count of the traced
training step."""

import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

from pgcxr.gan.progressive_gan import ProgressiveGAN
from pgcxr.networks import Discriminator, Generator, flops

FULL = {"channels": 1, "latent_size": 512, "fmap_base": 8192, "fmap_max": 512, "fused_scale": True}
COUNTED = ("Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter", "MatMul")


def test_full_size_by_hand():
    # 4 px: 512 x 8192 dense, 9 x 16 x 512 x 512; 8 px: 16 x 16 x 512 x 512 up, 9 x 64 x 512 x 512;
    # 64 x 512 to RGB.
    assert (
        sum(flops.generator(FULL, 3).values()) == 4194304 + 37748736 + 67108864 + 150994944 + 32768
    )
    # The mirror; the statistics add one feature map, the last dense layers 8192 x 512 and 512.
    expected = 32768 + 150994944 + 67108864 + 9 * 16 * 513 * 512 + 4194304 + 512
    assert sum(flops.discriminator(FULL, 3).values()) == expected
    # docs/design.md: 9.2 GFLOP forward at 32 px, 166 in one training iteration, for each image.
    assert flops.FLOP * sum(flops.generator(FULL, 5).values()) == pytest.approx(9.2e9, rel=0.01)
    assert flops.FLOP * flops.iteration(FULL, 5) == pytest.approx(166e9, rel=0.01)


def test_numbers_of_features_by_hand():
    # 4 px: dense, conv, conv (16 x 512 each), dense0; 8 px: up, conv, conv (64 x 512 each), down
    # (16 x 512); 2 images.
    assert flops.features(FULL, 3) == 3 * 16 * 512 + 512 + 3 * 64 * 512 + 16 * 512 + 2 * 64


def _counted(function, *specs) -> float:
    """FLOP of convolutions and products that the outputs and the changes of variables depend on."""
    graph = tf.function(function).get_concrete_function(*specs).graph
    stack = [output.op for output in graph.outputs] + [
        op for op in graph.get_operations() if "Assign" in op.type
    ]
    seen = set()
    while stack:
        op = stack.pop()
        if op not in seen:
            seen.add(op)
            stack += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    found = (
        ops.get_stats_for_node_def(graph, op.node_def, "flops").value
        for op in seen
        if op.type in COUNTED
    )
    return sum(value for value in found if value)


@pytest.mark.parametrize(
    ("fused", "group", "fading", "latent_size"),
    [(True, 4, False, 12), (True, 0, True, 12), (False, 4, True, None)],
)
def test_tensorflow_counts_the_same(fused, group, fading, latent_size):
    sizes = {"channels": 3, "fmap_base": 64, "fmap_max": 16, "fused_scale": fused}
    g = Generator(resolution=16, latent_size=latent_size, **sizes)
    d = Discriminator(resolution=16, mbstd_group_size=group, **sizes)
    gan = ProgressiveGAN(g, d, seed=0)
    gan.compile(jit_compile=False)
    gan.grow_to(4, fading, 4, 0.999)
    sizes |= {"latent_size": latent_size, "mbstd_group_size": group}
    fade = 0.5 if fading else None
    assert _counted(
        lambda: g(tf.zeros((4, g.latent_size)), level=4, fade=fade)
    ) == 4 * flops.FLOP * sum(flops.generator(sizes, 4, fading).values())
    assert _counted(
        lambda: d(tf.zeros((4, 16, 16, 3)), level=4, fade=fade)
    ) == 4 * flops.FLOP * sum(flops.discriminator(sizes, 4, fading).values())
    step = _counted(gan.train_step, tf.TensorSpec((4, 16, 16, 3), tf.uint8))
    assert step == 4 * flops.FLOP * flops.iteration(sizes, 4, fading)
