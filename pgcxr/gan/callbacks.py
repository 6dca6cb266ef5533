"""What happens beside the updates, and when: the schedule, ticks, the alarm, the progress bar."""

import contextlib
import signal
import time

import keras

from pgcxr.gan import schedule
from pgcxr.gan.alarm import Diverged, Sign
from pgcxr.gan.logger import Logger
from pgcxr.gan.run_dir import RunDir


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


class FollowSchedule(keras.callbacks.Callback):
    """Sets lod and learning rates every MINIBATCH_REPEATS steps."""

    def __init__(self, settings: schedule.Settings, half_phase: schedule.HalfPhase):
        super().__init__()
        self.settings, self.half_phase = settings, half_phase

    def on_train_batch_begin(self, batch, logs=None):
        if batch % schedule.MINIBATCH_REPEATS == 0:
            point = schedule.at(
                self.settings, self.half_phase.start + batch * self.half_phase.minibatch
            )
            self.model.set_point(point.lod, point.lrate, point.g_lrate)


class Ticks(keras.callbacks.Callback):
    """Every tick: what the logger writes, and the saved state. Every step: the alarm. Between them:
    the progress bar.

    Args:
        run: where it goes.
        half_phase: of the schedule.
        logger: has begun the half-phase.
        progress: called with (cur_nimg, lod) where the schedule is looked at.
        stop_asked: called there too; where it answers True, the state is saved and `fit` ends.
        alarm: that of the half-phase; None: nothing stops a training that diverges.
        snapshot_kimg: between the ticks whose networks are kept, 0: none.

    Raises (from `fit`):
        Diverged: the alarm went off; RUN/alarm-kimg*.json says why, and the newest state is from
            before.
    """

    def __init__(
        self,
        run: RunDir,
        half_phase,
        logger: Logger,
        progress,
        stop_asked,
        alarm=None,
        snapshot_kimg: float = 0.0,
    ):
        super().__init__()
        self.snapshot_kimg = snapshot_kimg
        self.run, self.half_phase, self.logger = run, half_phase, logger
        self.settings = logger.settings
        self.progress, self.stop_asked, self.alarm = progress, stop_asked, alarm

    def on_train_begin(self, logs=None):
        self.tick_start, self.last = self.half_phase.start, False
        self.time = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        cur_nimg = self.half_phase.start + (batch + 1) * self.half_phase.minibatch
        self.logger.step(logs or {})
        if self.alarm and (sign := self.alarm.step(logs or {})):
            self.logger.scalars(self.model, cur_nimg, self._rate(cur_nimg))
            self._stop(cur_nimg, sign)
        if (batch + 1) % schedule.MINIBATCH_REPEATS:
            return
        point = schedule.at(self.settings, cur_nimg)
        self.progress(cur_nimg, point.lod)
        stop = self.stop_asked()
        if (
            cur_nimg - self.tick_start >= point.tick_kimg * 1000
            or cur_nimg >= self.half_phase.end
            or stop
        ):
            self.last = stop or cur_nimg >= self.half_phase.end
            self.tick(cur_nimg)
        if stop:
            self.model.stop_training = True

    def tick(self, cur_nimg: int) -> None:
        """Everything that is written for the state after `cur_nimg` images."""
        samples = self.logger.tick(self.model, cur_nimg, self.tick_start, self._rate(cur_nimg))
        if self.alarm and (sign := self.alarm.tick(samples)):
            self._stop(cur_nimg, sign)
        # What may be a diverged state takes the place of no good one.
        if self.last or not (self.alarm and self.alarm.doubtful):
            every = 1000 * self.snapshot_kimg
            if every and cur_nimg // every > self.tick_start // every:
                self.run.keep(self.model, cur_nimg)  # before the state, or a killed run has none
            self.run.save(self.model, cur_nimg)
        self.tick_start, self.time = cur_nimg, time.perf_counter()

    def _rate(self, cur_nimg: int) -> float:
        """Images per second since the last tick had ended."""
        return (cur_nimg - self.tick_start) / max(time.perf_counter() - self.time, 1e-9)

    def _stop(self, cur_nimg: int, sign: Sign) -> None:
        self.run.write_alarm(cur_nimg, sign)
        self.logger.note(f"diverged after {cur_nimg / 1000:.3f} kimg ({sign})")
        raise Diverged(
            f"{self.run.folder}: diverged after {cur_nimg / 1000:.1f} kimg ({sign}); lower "
            "lrate_base, or raise drift or gradient_penalty, and train again: it goes on from the "
            "last good state (with alarm=False regardless)"
        )
