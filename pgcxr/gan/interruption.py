"""A training that is asked to stop does so at the next look at the schedule, with its state
saved."""

import contextlib
import signal


class Interrupted(Exception):
    """A signal asked the training to stop; its state is saved."""


@contextlib.contextmanager
def signals():
    """Yields a function that says whether SIGTERM or SIGINT has come; a second one acts at once."""
    came = []
    handlers = {}

    def note(number, frame):
        came.append(number)
        signal.signal(number, handlers[number])

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(ValueError):  # not in the main thread: nothing to catch there
            handlers[number] = signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
