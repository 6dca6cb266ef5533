"""What every command has in common: one line on stderr and exit code 2 where the user can mend
it."""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence

import typer

from pgcxr.errors import ArgumentError, InputError, fault_of_installation
from pgcxr.options import LARGEST_SEED

INPUT = 2
INTERRUPTED, ENDED = 130, "interrupted; run the same command again"
# What a path can be wrong by.
OF_PATHS = (
    *(
        errno.EEXIST,
        errno.ENOTDIR,
        errno.ENOENT,
        errno.ENAMETOOLONG,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENOTEMPTY,
    ),
    *(errno.EXDEV, errno.EIO, errno.ESTALE, errno.ENXIO, errno.EINVAL),
)
# Where one of these cannot be imported, it is their own fault.
OURS = ("pgcxr", "train", "evaluate")
SEED = {"min": 0, "max": LARGEST_SEED}
# Typer's parser raises these for a missing or unknown option; the class itself is not among typer's
# public names.
USAGE_ERROR = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def run(app: typer.Typer, arguments: Sequence[str] | None = None, name: str | None = None) -> None:
    """Runs a typer app and exits: 0, or 2 with one line that says what, where and what to do.

    Ctrl-C, or a request to end (SIGTERM): what is half-written is removed. The second one ends the
    process at once, wherever it is, in one line, too.
    """
    before = {}
    with contextlib.suppress(ValueError):  # not in the main thread
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, _interrupt)
        # In the background of a script Ctrl-C is ignored.
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            before[signal.SIGINT] = signal.signal(signal.SIGINT, _interrupt)
    try:
        _run(app, arguments, name)
    finally:
        for number, handler in before.items():
            # After the first one the second may still come while Python ends.
            if signal.getsignal(number) is _interrupt:
                signal.signal(number, handler)


def _interrupt(number, frame) -> None:
    for each in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(each) is _interrupt:
            signal.signal(each, _end)
    raise KeyboardInterrupt


def _end(number, frame) -> None:
    # A bar may have hidden the cursor.
    shown = b"\x1b[?25h" if os.isatty(2) else b""
    os.write(2, shown + f"error: {ENDED}\n".encode())
    os._exit(INTERRUPTED)


def _said_already() -> None:
    """From here on another interrupt ends the process without a word."""
    for each in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(each) is _end:
            signal.signal(each, signal.SIG_DFL)


def _run(app: typer.Typer, arguments: Sequence[str] | None, name: str | None) -> None:
    # Paths that are no UTF-8 can be printed, too.
    with contextlib.suppress(AttributeError, ValueError):
        sys.stdout.reconfigure(errors="backslashreplace")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        code = app(arguments, prog_name=name, standalone_mode=False) or 0
    except ArgumentError as error:
        _stop(error.spelled(_option(app, arguments, error.argument)), INPUT)
    except InputError as error:
        _stop(str(error), INPUT)
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            raise SystemExit(INPUT) from None
        said = error.format_message().rstrip()
        _stop(f"{said}{'' if said.endswith(('.', '?', '!')) else '.'} See --help.", INPUT)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:
        line = _mendable(error)
        if line is None:
            raise
        _stop(line, INPUT)
    if code == INTERRUPTED:  # typer answers Ctrl-C with it
        _said_already()
        _stop(ENDED, INTERRUPTED)
    raise SystemExit(code)


def new_app(help_text: str, epilog: str | None = None) -> typer.Typer:
    """A typer app without typer's own traceback panels (they print local variables: patients'
    data)."""
    return typer.Typer(
        help=help_text,
        epilog=epilog,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def _option(app: typer.Typer, arguments: Sequence[str] | None, argument: str) -> str:
    """How the user spells an argument of the library: as the option of that name, or of --set."""
    command = typer.main.get_command(app)
    words = sys.argv[1:] if arguments is None else arguments
    command = getattr(command, "commands", {}).get(words[0] if words else "", command)
    for parameter in command.params:
        if parameter.name == argument:
            if parameter.param_type_name != "option":
                return argument.upper()
            typed = {word.partition("=")[0] for word in words}
            return next((name for name in parameter.opts if name in typed), parameter.opts[0])
    if any("--set" in parameter.opts for parameter in command.params):
        return f"--set {argument}"
    return "--" + argument.replace("_", "-")


def _mendable(error: Exception) -> str | None:
    """One line for what the user can mend; None for anything else, which keeps its traceback."""
    if isinstance(error, OSError):
        return _system_error(error)
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] not in OURS:
        return str(fault_of_installation(error))
    if isinstance(error, MemoryError):
        return (
            f"not enough memory ({error or 'for what was asked'}); ask for fewer or smaller images"
        )
    if isinstance(error, OverflowError):
        return f"a number is too large ({error}); give a smaller one"
    # Python before 3.13 has no class of its own for this.
    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop"):
        return f"{str(error).partition(' from ')[2]}: {os.strerror(errno.ELOOP)}; check the path"
    return None


def _system_error(error: OSError) -> str | None:
    where = error.filename or "output"
    # The HDF5 library wraps the system's error and keeps its number only in the text.
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "No space left" in str(error) or "errno = 28" in str(error):
        return (
            f"{where}: the disk is full, or your share of it; free space and run the same command "
            "again"
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"{where}: {os.strerror(error.errno)}; check its permissions"
    if error.errno in OF_PATHS and error.filename:
        return f"{str(where)[:200]}: {os.strerror(error.errno)}; check the path"
    return None


def _stop(line: str, code: int) -> None:
    print("error: " + " ".join(line.split()), file=sys.stderr)
    raise SystemExit(code)
