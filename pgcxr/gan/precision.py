"""What the networks compute in. Weights, losses, moments and Gs are float32 in all."""

# Config key `precision` -> Keras dtype policy of both networks.
PRECISIONS = {"float32": "float32", "float16": "mixed_float16", "bfloat16": "mixed_bfloat16"}
