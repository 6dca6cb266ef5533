"""Errors that a user can mend."""

from traceback import walk_tb
from types import ModuleType


class InputError(Exception):
    """Something the user gave is wrong.

    The message is one line that says what is wrong, where, and what to do. It never holds anything
    that identifies a patient: name files by their place in the export or by a hash, never by DICOM
    content.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it in a notebook: the line alone, as the command line does."""
        return [f"{type(self).__name__}: {self}"]


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

    def __reduce__(self):  # worker processes raise it too
        return type(self), (self.argument, self.expected, self.received)

    def spelled(self, option: str) -> str:
        """The message with `option`, e.g. "--size" or "--set size", in the argument's place.

        An option of its own is left out rather than None, and has commas between values; what
        --set gives is written as in Python.
        """
        literal = option.startswith("--set ")
        expected = self.expected if literal else self.expected.replace(", or None", "")
        if self.received is None:
            return f"{option}: {expected}"
        received = self.received
        if isinstance(received, (tuple, list)) and not literal:
            received = ",".join(map(str, received))
        return f"{option}{'=' if literal else ' '}{self.shown(received)}: {expected}"

    @classmethod
    def shown(cls, value: object) -> str:
        """`value` as text that fits into a line."""
        try:
            text = f"{value}"
        except ValueError:  # more digits than Python prints
            return "a number of thousands of digits"
        return text if len(text) <= cls.LONGEST_SHOWN else f"{text[: cls.LONGEST_SHOWN]}..."


class InstallationError(InputError):
    """A library that pgcxr needs is missing, does not load, or works otherwise than it should: no
    file is to blame, and none can be judged.

    Args:
        found: what is wrong, e.g. "cv2: libGL.so.1: cannot open shared object file".
    """

    BEFORE = "the installation is at fault, no file: "
    AFTER = "; install pgcxr anew in an environment of its own (docs/install.md)"

    def __init__(self, found: str):
        self.found = found
        super().__init__(f"{self.BEFORE}{found}{self.AFTER}")

    @classmethod
    def found_in(cls, text: str) -> str | None:
        """What was found, by the text of another error that quotes this one; None without one."""
        _, quoted, found = text.partition(cls.BEFORE)
        return found.partition(cls.AFTER)[0] if quoted else None

    def __reduce__(self):  # worker processes raise it too
        return type(self), (self.found,)


def fault_of_installation(error: BaseException | None) -> InstallationError | None:
    """What is wrong with the installation if `error` comes of that: a library that is missing or
    does not load, a shared library of the system included, or that lacks what is called; None for
    any other error.

    Example:

        >>> fault_of_installation(ImportError("libGL.so.1: cannot open shared object file"))
        InstallationError('the installation is at fault, no file: libGL.so.1: cannot open ...')
    """
    while error is not None:
        if isinstance(error, InstallationError):
            return error
        if isinstance(error, ImportError):
            return InstallationError(f"{_importing(error)}{error}")
        if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
            return InstallationError(str(error))
        error = error.__cause__ or error.__context__
    return None


def _importing(error: ImportError) -> str:
    """ "cv2: ", the package that was being imported, where the message does not say so itself."""
    frames = [frame.f_globals.get("__name__", "") for frame, _ in walk_tb(error.__traceback__)]
    names = [name.partition(".")[0] for name in frames if not name.startswith("importlib")]
    last = names[-1] if names else ""
    return "" if last in ("", "pgcxr", "__main__") or last in str(error) else f"{last}: "
