"""What the readers of files give: texts, and contents of another kind that lie within."""

from dataclasses import dataclass

# One decompressed member. What is larger cannot be looked through.
LARGEST_MEMBER = 1 << 31
# A patient's number may be a whole number in binary; smaller ones are counts and sizes.
SMALLEST_NUMBER = 10**7


@dataclass(frozen=True)
class Piece:
    """`where` names the place in the file; `sure` is False for short printable runs among binary
    numbers."""

    where: str
    text: str
    sure: bool = True
    dicom: bool = False


@dataclass(frozen=True)
class Inner:
    """A file within a file, to be read by its own kind."""

    where: str
    content: bytes


class TooMuch(Exception):
    """What lies in a file is too large or too deep to be looked through."""


def whole(file, where: str) -> Inner:
    """What an opened member holds.

    Raises:
        TooMuch: more than LARGEST_MEMBER, or than the memory.
    """
    try:
        content = file.read(LARGEST_MEMBER + 1)
    except MemoryError:
        raise TooMuch from None
    if len(content) > LARGEST_MEMBER:
        raise TooMuch
    return Inner(where, content)
