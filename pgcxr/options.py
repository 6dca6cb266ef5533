"""What options of all commands have in common."""

# What every seed may be: the generators of NumPy, Keras and Python all accept it.
LARGEST_SEED = 2**32 - 1
