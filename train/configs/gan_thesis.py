"""The thesis's Progressive GAN: 1024 px, two GPUs (thesis 2.1).

Command:  python -m train.gan COHORT --config thesis --out RUN
Expected: 111,163 images, 130 epochs = 14.45 M images; 12.2 days on two Titan RTX (13.7 images/s).

Not measured: what `precision` and `jit_compile` save or cost on a GPU. Both were tried on a CPU,
where the losses are finite, the weights move and the samples are like those of float32, and where
both are slower. float16 as the original has it also sets pixelnorm_epsilon to 1e-4 (here the norm
is taken in float32, and 1e-8 serves).
"""


def get_config() -> dict:
    return {
        # networks (arXiv 1710.10196, table 2)
        "resolution": 1024,
        "channels": 1,
        "latent_size": 512,
        "fmap_base": 8192,
        "fmap_max": 512,
        "fused_scale": True,
        "mbstd_group_size": 4,
        "pixelnorm_epsilon": 1e-8,
        # schedule: the original's preset for two GPUs
        "total_kimg": 14451.0,
        "lod_initial_resolution": 4,
        "lod_training_kimg": 600.0,
        "lod_transition_kimg": 600.0,
        "minibatch_base": 8,
        "minibatch_dict": {4: 256, 8: 256, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8},
        "max_minibatch_per_replica": {},
        "lrate_base": 0.001,
        "lrate_dict": {512: 0.0015, 1024: 0.002},
        "tick_kimg_base": 20.0,
        "tick_kimg_dict": {
            4: 160,
            8: 140,
            16: 120,
            32: 100,
            64: 80,
            128: 60,
            256: 40,
            512: 20,
            1024: 10,
        },
        # losses
        "gradient_penalty": 10.0,
        "gradient_target": 1.0,
        "drift": 0.001,
        # conditioned PGGAN: "" for none, "binary" or "findings" (pgcxr/cohort/labels.py); weight of
        # the AC-GAN term
        "labels": "",
        "label_weight": 1.0,
        # Gs: a decay per step, or a half-life in kimg that replaces it
        "ema_beta": 0.999,
        "ema_halflife_kimg": None,
        # data
        "label": "all",
        "split": "train",
        # flips left and right at random: not for chests, the heart has a side
        "mirror": False,
        # machine: "float32", "float16" with loss scaling, or "bfloat16"; weights are float32 in all
        "precision": "float32",
        "replicas": 2,
        "jit_compile": False,
        # wide convolutions with fewer multiplications; None: on one CPU in float32, where it is
        # twice as fast
        "minimal_filtering": None,
        # stops a training that diverges, with its last good state
        "alarm": True,
        # at most so many images of Gs are compared with reals at each tick, see
        # pgcxr/gan/tick_swd.py; 0: none
        "swd_images": 256,
        "seed": 1000,
    }
