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


def percent(share: float) -> str:
    """A share as per cent, with a decimal where it is small."""
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"


def listed(items: list[str]) -> str:
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def interval(ends) -> str:
    """A 95 % interval as text."""
    return f"95 % interval {ends[0]:.3f} to {ends[1]:.3f}"
