"""What happens beside the updates, and when: the schedule, ticks, the alarm, the progress bar."""

import time

import keras

from pgcxr.gan import schedule
from pgcxr.gan.alarm import Diverged, Sign
from pgcxr.gan.run_dir import RunDir
from pgcxr.gan.watch import Watch


class FollowSchedule(keras.callbacks.Callback):
    """Sets lod and learning rate every MINIBATCH_REPEATS steps."""

    def __init__(self, settings: schedule.Settings, half_phase: schedule.HalfPhase):
        super().__init__()
        self.settings, self.half_phase = settings, half_phase

    def on_train_batch_begin(self, batch, logs=None):
        if batch % schedule.MINIBATCH_REPEATS == 0:
            point = schedule.at(
                self.settings, self.half_phase.start + batch * self.half_phase.minibatch
            )
            self.model.set_point(point.lod, point.lrate)


class Ticks(keras.callbacks.Callback):
    """Every tick: what `watch` writes, and the saved state. Every step: the alarm. Between them:
    the progress bar.

    Arguments:
        run: where it goes.
        settings, half_phase: the schedule.
        watch: has begun the half-phase.
        progress: called with (nimg, lod) where the schedule is looked at.
        stop_asked: called there too; where it answers True, the state is saved and `fit` ends.
        alarm: that of the half-phase; None: nothing stops a training that diverges.

    Raises (from `fit`):
        Diverged: the alarm went off; RUN/alarm-kimg*.json says why, and the newest state is from
            before.
    """

    def __init__(
        self, run: RunDir, settings, half_phase, watch: Watch, progress, stop_asked, alarm=None
    ):
        super().__init__()
        self.run, self.settings, self.half_phase, self.watch = run, settings, half_phase, watch
        self.progress, self.stop_asked, self.alarm = progress, stop_asked, alarm

    def on_train_begin(self, logs=None):
        self.tick_start, self.last = self.half_phase.start, False
        self.time = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        nimg = self.half_phase.start + (batch + 1) * self.half_phase.minibatch
        self.watch.step(logs or {})
        if self.alarm and (sign := self.alarm.step(logs or {})):
            self.watch.scalars(self.model, nimg, self._rate(nimg))
            self._stop(nimg, sign)
        if (batch + 1) % schedule.MINIBATCH_REPEATS:
            return
        point = schedule.at(self.settings, nimg)
        self.progress(nimg, point.lod)
        stop = self.stop_asked()
        if nimg - self.tick_start >= point.tick_kimg * 1000 or nimg >= self.half_phase.end or stop:
            self.last = stop or nimg >= self.half_phase.end
            self.tick(nimg)
        if stop:
            self.model.stop_training = True

    def tick(self, nimg: int) -> None:
        """Everything that is written for the state after `nimg` images."""
        samples = self.watch.tick(self.model, nimg, self.tick_start, self._rate(nimg))
        if self.alarm and (sign := self.alarm.tick(samples)):
            self._stop(nimg, sign)
        # What may be a diverged state takes the place of no good one.
        if self.last or not (self.alarm and self.alarm.doubtful):
            self.run.save(self.model, nimg)
        self.tick_start, self.time = nimg, time.perf_counter()

    def _rate(self, nimg: int) -> float:
        """Images per second since the last tick had ended."""
        return (nimg - self.tick_start) / max(time.perf_counter() - self.time, 1e-9)

    def _stop(self, nimg: int, sign: Sign) -> None:
        self.run.write_alarm(nimg, sign)
        raise Diverged(
            f"{self.run.folder}: diverged after {nimg / 1000:.1f} kimg ({sign}); lower lrate_base, "
            "or raise drift or gradient_penalty, with --set and run the command again: it goes on "
            "from the last good state (--set alarm=False goes on regardless)"
        )
