"""What lies in the latents: the one whose image is nearest (inversion), the direction of a disease
(axes, and the evidence for each), and the way along it (walks)."""
