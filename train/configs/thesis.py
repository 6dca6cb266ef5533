"""The thesis's networks at full size, on GPUs.

GAN:        python -m train.gan COHORT --config thesis --out RUN
            1024 px, two GPUs (thesis 2.1). Expected: 111,163 images, 130 epochs = 14.45 M images;
            12.2 days on two Titan RTX (13.7 images/s).
Classifier: python -m train.classifier COHORT --labels binary --config thesis --out RUN
            ResNet-50 at 512 px, one GPU (thesis 2.2 and 3.2). Expected: on the thesis's 17,338
            images AUROC 0.983 (its Figure 7); hours on a GPU, not for a CPU.

Both are the defaults of `pgcxr.gan.config` and `pgcxr.classifier.config`, which say what each
option means. Not measured: what `precision` and `jit_compile` save or cost on a GPU. Both were
tried on a CPU, where the losses are finite, the weights move and the samples are like those of
float32, and where both are slower. float16 as the original has it also sets pixelnorm_epsilon to
1e-4 (here the norm is taken in float32, and 1e-8 serves).
"""

from pgcxr.classifier.config import ClassifierConfig
from pgcxr.gan.config import GanConfig


def gan() -> GanConfig:
    """The defaults: 1024 px, two GPUs."""
    return GanConfig()


def classifier() -> ClassifierConfig:
    """The defaults: ResNet-50, 512 px."""
    return ClassifierConfig()
