"""What NVIDIA's published presets have in common; the gan_nvidia_* files are made of it.

Their times on eight V100 down to one, as published: 2 to 20 days to 1024 px.
"""

from train.configs import gan_thesis

TICK_KIMG = {4: 160, 8: 140, 16: 120, 32: 100, 64: 80, 128: 60, 256: 40, 512: 20, 1024: 10}
# What one GPU of 16 GB holds.
MOST = {"float32": {256: 16, 512: 8, 1024: 4}, "float16": {512: 16, 1024: 8}}


def preset(
    gpus: int,
    minibatch_base: int,
    minibatch_dict: dict,
    lrate_dict: dict,
    precision: str = "float32",
) -> dict:
    """Version 2 of the presets for a number of GPUs; float16 as the original has it, with loss
    scaling."""
    return gan_thesis.get_config() | {
        "total_kimg": 12000.0,
        "lod_training_kimg": 600.0,
        "lod_transition_kimg": 600.0,
        "minibatch_base": minibatch_base,
        "minibatch_dict": minibatch_dict,
        "max_minibatch_per_replica": MOST[precision],
        "lrate_dict": lrate_dict,
        "tick_kimg_base": 160.0,
        "tick_kimg_dict": TICK_KIMG,
        "precision": precision,
        "pixelnorm_epsilon": 1e-4 if precision == "float16" else 1e-8,
        "replicas": gpus,
    }
