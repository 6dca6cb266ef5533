"""What every command has in common: one line on stderr and exit code 2 where the user can mend it."""

import errno
import os
import sys
from collections.abc import Sequence

import typer

from pgcxr.errors import InputError

INPUT = 2
INTERRUPTED = 130
# Typer's parser raises these for a missing or unknown option; the class itself is not among typer's public names.
USAGE_ERROR = next(base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException")


def run(app: typer.Typer, arguments: Sequence[str] | None = None, name: str | None = None) -> None:
    """Runs a typer app and exits: 0, or 2 with one line that says what, where and what to do."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        code = app(arguments, prog_name=name, standalone_mode=False) or 0
    except InputError as error:
        _stop(str(error), INPUT)
    except USAGE_ERROR as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message(), file=sys.stderr)
            raise SystemExit(INPUT) from None
        _stop(f"{error.format_message()} See --help.", INPUT)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        _stop(_system_error(error), INPUT)
    if code == INTERRUPTED:  # typer answers Ctrl-C with it
        _stop("interrupted; run the same command again to go on", INTERRUPTED)
    raise SystemExit(code)


def new_app(help_text: str) -> typer.Typer:
    """A typer app without typer's own traceback panels (they print local variables: patients' data)."""
    return typer.Typer(
        help=help_text,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def _system_error(error: OSError) -> str:
    """One line for what the user can mend; anything else is raised again, with its traceback."""
    where = error.filename or "output"
    # The HDF5 library wraps the system's error and keeps its number only in the text.
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "No space left" in str(error) or "errno = 28" in str(error):
        return f"{where}: the disk is full, or your share of it; free space and run the same command again"
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return f"{where}: {os.strerror(error.errno)}; check its permissions"
    raise error


def _stop(line: str, code: int) -> None:
    print("error: " + " ".join(line.split()), file=sys.stderr)
    raise SystemExit(code)
