"""May images of a generator be released? A gate: does it repeat the images that it was trained
on?"""

from evaluate import face

__all__, __getattr__ = face(
    __name__,
    PrivacyOptions="options",
    run="experiment",
)
