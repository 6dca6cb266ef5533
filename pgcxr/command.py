"""What every command has in common: one line on stderr and exit code 2 where the user can mend it."""

import errno
import os
import sys
from collections.abc import Sequence

import typer

from pgcxr.errors import InputError

NOT_MENDABLE = 1
INPUT = 2
INTERRUPTED = 130


def run(app: typer.Typer, arguments: Sequence[str] | None = None, name: str | None = None) -> None:
    """Runs a typer app and exits: 0, or 2 with one line that says what, where and what to do."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    try:
        app(arguments, prog_name=name)
    except InputError as error:
        _stop(str(error), INPUT)
    except KeyboardInterrupt:
        _stop("interrupted; run the same command again to go on", INTERRUPTED)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _stop(f"{error.filename or 'output'}: the disk is full; free space and run the same command again", INPUT)
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            _stop(f"{error.filename or 'output'}: {os.strerror(error.errno)}; check its permissions", INPUT)
        raise


def new_app(help_text: str) -> typer.Typer:
    """A typer app without typer's own traceback panels (they print local variables: patients' data)."""
    return typer.Typer(
        help=help_text,
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )


def _stop(line: str, code: int) -> None:
    print("error: " + " ".join(line.split()), file=sys.stderr)
    raise SystemExit(code)
