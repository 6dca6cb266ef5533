"""May images of a generator be released? A gate: does it repeat the images that it was trained
on?"""

from evaluate.privacy.experiment import PrivacyOptions, run

__all__ = ["PrivacyOptions", "run"]
