"""ResNet-50 at 512 px, one GPU (thesis 2.2 and 3.2).

Command:  python -m train.classifier COHORT --labels binary --config thesis --out RUN
Expected: on the thesis's 17,338 images AUROC 0.983 (its Figure 7); hours on a GPU, not for a CPU.
          The thesis gives the network, the splits and the number of images; size, optimizer and
          augmentation are ours.
"""


def get_config() -> dict:
    return {
        # network
        "size": 512,
        "blocks": (3, 4, 6, 3),
        "width": 64,
        "stem": "imagenet",
        "momentum": 0.99,
        # a local file of keras.applications.ResNet50 without top to start from, "" for none
        "weights_file": "",
        # training
        "batch_size": 16,
        "epochs": 60,
        "learning_rate": 3e-4,
        "warmup_epochs": 1.0,
        "weight_decay": 1e-2,
        "patience": 12,
        "balance": True,
        # float16 or bfloat16 on a GPU: about half the memory; float32 everywhere else
        "precision": "float32",
        # epochs on crops around the lesions before whole images (thesis's reference 4), where there
        # are masks
        "curriculum": 0,
        # augmentation: no flip, the heart has a side
        "shift": 0.05,
        "rotation": 5.0,
        "brightness": 0.05,
    }
