"""What happens beside the updates: the schedule, saved states, samples, TensorBoard, the progress bar."""

import time

import keras
import numpy as np

from pgcxr import images
from pgcxr.networks import synthesize
from pgcxr.plots import grids
from pgcxr.training import schedule
from pgcxr.training.alarm import Diverged, Sign
from pgcxr.training.run_dir import RunDir

GRID = 8  # images a side in a sample sheet


class FollowSchedule(keras.callbacks.Callback):
    """Sets lod and learning rate every MINIBATCH_REPEATS steps."""

    def __init__(self, settings: schedule.Settings, half_phase: schedule.HalfPhase):
        super().__init__()
        self.settings, self.half_phase = settings, half_phase

    def on_train_batch_begin(self, batch, logs=None):
        if batch % schedule.MINIBATCH_REPEATS == 0:
            point = schedule.at(self.settings, self.half_phase.start + batch * self.half_phase.minibatch)
            self.model.set_point(point.lod, point.lrate)


class Ticks(keras.callbacks.Callback):
    """Every tick: saved state, sample sheet, TensorBoard. Every step: the progress bar.

    Arguments:
        run: where it goes.
        settings, half_phase: the schedule.
        writer: tf.summary writer.
        latents: [GRID * GRID, L] of the sample sheets.
        progress: called with (nimg, lod) where the schedule is looked at.
        stop_asked: called there too; where it answers True, the state is saved and `fit` ends.
        labels: [GRID * GRID, K] of the sample sheets of a conditioned GAN.
        alarm: that of the half-phase; None: nothing stops a training that diverges.

    Raises (from `fit`):
        Diverged: the alarm went off; RUN/alarm-kimg*.json says why, and the newest state is from before.
    """

    def __init__(
        self, run: RunDir, settings, half_phase, writer, latents, progress, stop_asked, labels=None, alarm=None
    ):
        super().__init__()
        self.alarm = alarm
        self.run, self.settings, self.half_phase = run, settings, half_phase
        self.writer, self.latents, self.progress, self.stop_asked = writer, latents, progress, stop_asked
        self.labels = labels

    def on_train_begin(self, logs=None):
        self.tick_start, self.last = self.half_phase.start, False
        self.time = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        nimg = self.half_phase.start + (batch + 1) * self.half_phase.minibatch
        if self.alarm and (sign := self.alarm.step(logs or {})):
            self._stop(nimg, sign)
        point = schedule.at(self.settings, nimg)
        if (batch + 1) % schedule.MINIBATCH_REPEATS:
            return
        self.progress(nimg, point.lod)
        stop = self.stop_asked()
        if nimg - self.tick_start >= point.tick_kimg * 1000 or nimg >= self.half_phase.end or stop:
            self.last = stop or nimg >= self.half_phase.end
            self.tick(nimg, logs or {})
        if stop:
            self.model.stop_training = True

    def tick(self, nimg: int, logs: dict) -> None:
        """Everything that is written for the state after `nimg` images."""
        import tensorflow as tf

        seconds = time.perf_counter() - self.time
        rate = (nimg - self.tick_start) / max(seconds, 1e-9)
        lod = float(np.asarray(self.model.generator.lod))
        samples = sample_sheet(self.model.generator_ema, self.latents, lod, self.labels)
        sheet = grids.tile(samples, GRID)
        grids.write_png(self.run.samples / f"kimg{nimg / 1000:09.3f}.png", sheet)
        with self.writer.as_default(step=nimg):
            for name, value in logs.items():
                tf.summary.scalar(f"train/{name}", float(value))
            tf.summary.scalar("schedule/lod", lod)
            tf.summary.scalar("schedule/images_per_second", rate)
            tf.summary.image("samples", np.atleast_3d(sheet)[None])
        self.writer.flush()
        if self.alarm and (sign := self.alarm.tick(samples)):
            self._stop(nimg, sign)
        # What may be a diverged state takes the place of no good one.
        if self.last or not (self.alarm and self.alarm.doubtful):
            self.run.save(self.model, nimg)
        self.tick_start, self.time = nimg, time.perf_counter()

    def _stop(self, nimg: int, sign: Sign) -> None:
        self.run.write_alarm(nimg, sign)
        raise Diverged(
            f"{self.run.folder}: diverged after {nimg / 1000:.1f} kimg ({sign}); lower lrate_base, or raise drift or "
            "gradient_penalty, with --set and run the command again: it goes on from the last good state "
            "(--set alarm=False goes on regardless)"
        )


def sample_sheet(generator, latents, lod: float, labels=None) -> np.ndarray:
    """uint8 [N, R, R, C] of fixed latents, box-upscaled to full resolution while the network is growing."""
    return np.asarray(images.to_uint8(synthesize(generator, latents, labels, lod)))


def rows_by_label(latents: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Latents and labels of a sample sheet, [GRID * GRID, .]: each row of the sheet has one of `labels`, in turn.

    All labels are shown of the same latents before the next latents come, so that a column shows what the label does.
    """
    turn, place = np.divmod(np.arange(GRID), len(labels))
    latents = latents.reshape(GRID, GRID, -1)[turn].reshape(GRID * GRID, -1)
    return latents, labels[place].repeat(GRID, axis=0)
