"""How the report names and writes things."""

ARM_NAMES = {
    "real_on_real": "Classifier (real) on real test set",
    "synthetic_on_synthetic": "Classifier (synthetic) on synthetic test set",
    "synthetic_on_real": "Classifier (synthetic) on real test set",
    "pseudolabelled_real_on_real": "Classifier (pseudo-labelled real) on real test set (control, not in the thesis)",
}


def words(name: str) -> str:
    """A finding's name as text."""
    return name.replace("_", " ").capitalize()


def fixed(values: dict, key: str) -> str:
    """A value with three decimals, or a dash."""
    return "–" if values.get(key) is None else f"{values[key]:.3f}"


def interval(ends) -> str:
    """A 95 % interval as text."""
    return f"95 % interval {ends[0]:.3f} to {ends[1]:.3f}"
