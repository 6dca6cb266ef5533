"""Errors that a user can mend."""


class InputError(Exception):
    """Something the user gave is wrong.

    The message is one line that says what is wrong, where, and what to do. It never holds anything
    that identifies a patient: name files by their place in the export or by a hash, never by DICOM
    content.
    """


class ArgumentError(InputError):
    """An argument has a value that it may not have.

    The library names the argument as Python spells it; the command line shows the same error with
    the option that the user typed (`pgcxr.cli.command`).

    Example:

        >>> error = ArgumentError("size", "must be a power of two", received=48)
        >>> print(error)
        size: must be a power of two. Received: size=48
        >>> print(error.spelled("--size"))
        --size 48: must be a power of two

    Args:
        argument: its name in Python.
        expected: what it must be, e.g. "must be a power of two", and what to do.
        received: what it is; left out where that says nothing.
    """

    LONGEST_SHOWN = 60

    def __init__(self, argument: str, expected: str, received: object = None):
        self.argument, self.expected, self.received = argument, expected, received
        end = " " if expected.endswith("?") else ". "
        tail = "" if received is None else f"{end}Received: {argument}={self.shown(received)}"
        super().__init__(f"{argument}: {expected}{tail}")

    def spelled(self, option: str) -> str:
        """The message with `option`, e.g. "--size" or "--set size", in the argument's place."""
        if self.received is None:
            return f"{option}: {self.expected}"
        joint = "=" if option.startswith("--set ") else " "
        return f"{option}{joint}{self.shown(self.received)}: {self.expected}"

    @classmethod
    def shown(cls, value: object) -> str:
        """`value` as text that fits into a line."""
        try:
            text = f"{value}"
        except ValueError:  # more digits than Python prints
            return "a number of thousands of digits"
        return text if len(text) <= cls.LONGEST_SHOWN else f"{text[: cls.LONGEST_SHOWN]}..."
