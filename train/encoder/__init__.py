"""`python -m train.encoder`: a network that guesses the latents of normal images."""
