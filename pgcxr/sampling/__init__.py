"""Sets of synthetic images: which (selection), from which latents (sphere, truncation), and how
they are written."""
