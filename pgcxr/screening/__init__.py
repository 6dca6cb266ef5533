"""New images against a model of normal ones: scored, or refused with the reason."""
