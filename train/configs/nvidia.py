"""NVIDIA's published presets, 1024 px, with one channel.

Command:  python -m train.gan COHORT --config nvidia:gpus=4 --out RUN
          version 2 for 1, 2, 4 or 8 GPUs; nvidia:gpus=4,fp16 in float16 with loss scaling;
          nvidia:v1 is version 1 for one GPU, that of the paper
Expected: 12 M images, v1 19 M; 2 to 20 days on eight V100 down to one, as published; with fp16 the
          same in less memory. Not run here to its end; the schedules of v1, and of v2 for 1 and 2
          GPUs, are tested against the original's.
"""

from pgcxr.errors import ArgumentError
from pgcxr.gan.config import GanConfig
from train.configs import thesis

TICK_KIMG = {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10}
# By number of GPUs.
V2 = {
    1: {
        "minibatch_base": 4,
        "minibatch_dict": {
            4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4,
        },
        "lrate_dict": {1024: 0.0015},
    },
    2: {
        "minibatch_base": 8,
        "minibatch_dict": {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
        "lrate_dict": {512: 0.0015, 1024: 0.002},
    },
    4: {
        "minibatch_base": 16,
        "minibatch_dict": {4: 512, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16},
        "lrate_dict": {256: 0.0015, 512: 0.002, 1024: 0.003},
    },
    8: {
        "minibatch_base": 32,
        "minibatch_dict": {4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
        "lrate_dict": {128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003},
    },
}  # fmt: skip
V1 = {
    "minibatch_base": 16,
    "minibatch_dict": {256: 14, 512: 6, 1024: 3},
    "lrate_dict": {},
    "mbstd_group_size": 16,
    "total_kimg": 19000.0,
    "lod_training_kimg": 800.0,
    "lod_transition_kimg": 800.0,
}
# What one GPU of 16 GB holds.
MOST = {"float32": {256: 16, 512: 8, 1024: 4}, "float16": {512: 16, 1024: 8}}


def gan(gpus: int = 1, fp16: bool = False, v1: bool = False) -> GanConfig:
    """The original's preset.

    Args:
        gpus: 1, 2, 4 or 8, of version 2.
        fp16: train in float16.
        v1: version 1, that of the paper, on one GPU in float32.

    Raises:
        ArgumentError: the original has no such preset.
    """
    if gpus not in V2 or (v1 and (gpus > 1 or fp16)):
        raise ArgumentError(
            "config",
            f"nvidia has gpus={', '.join(map(str, V2))}, each with fp16 or without, and v1 alone",
        )
    precision = "float16" if fp16 else "float32"
    values = {
        "total_kimg": 12000.0,
        "lod_training_kimg": 600.0,
        "lod_transition_kimg": 600.0,
        "max_minibatch_per_replica": MOST[precision],
        "tick_kimg_base": 160.0,
        "tick_kimg_dict": TICK_KIMG,
        "precision": precision,
        "pixelnorm_epsilon": 1e-4 if fp16 else 1e-8,
        "replicas": gpus,
    }
    return thesis.gan().replace(**values | (V1 if v1 else V2[gpus]))
