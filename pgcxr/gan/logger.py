"""What a training shows of itself: TensorBoard's scalars and images in RUN/logs, the sample sheets
in RUN/samples, and a line for each tick in RUN/log.txt.

Nothing of it is read back by the training: with or without it the weights are the same to the bit.

Written at each tick, by number of images shown:

- train/*: losses, their parts, scores, gradient norms: means over the steps of the tick. Keras
  hands each step's own values over (the mean over its batch and all replicas), not running ones.
- schedule/*: kimg, lod, minibatch, learning rates, images_per_second (without what the tick itself
  takes).
- memory/*: peaks so far, in GiB, of this process and of each of its GPUs.
- swd/*: see `tick_swd`; each distance and its floor in one chart (Custom Scalars).
- config, as text, at the start of each life.
- overfitting/*: see `overfitting`, where the cohort has a validation split; schedule/augment_p.
- samples, interpolation, and real images at a half-phase's first tick: reduced to `SHOWN` pixels,
  and at most `PICTURES` times in a training, so that logs/ stays below 200 MB however long it is.
"""

import datetime
import math
import resource
import time

import numpy as np

from pgcxr.gan import samples, schedule
from pgcxr.gan.run_dir import RunDir
from pgcxr.gan.tick_swd import TickSWD
from pgcxr.metrics import swd
from pgcxr.plots import grids
from pgcxr.sampling import sphere

PICTURES = 500
SHOWN, STRIP_SHOWN = 540, 1080  # pixels of the longer side
KEYS, STEPS = 3, 4  # latents that the interpolation passes through, images from one to the next
GIB = 2**30


class Means:
    """Means over steps of {name: number}, each over those steps in which it was finite."""

    def __init__(self):
        self.sums, self.counts, self.odd = {}, {}, 0

    def add(self, logs: dict) -> None:
        finite = {name: float(value) for name, value in logs.items() if math.isfinite(value)}
        self.odd += len(finite) < len(logs)
        for name in logs:
            self.sums[name] = self.sums.get(name, 0.0) + finite.get(name, 0.0)
            self.counts[name] = self.counts.get(name, 0) + (name in finite)

    def take(self) -> dict[str, float]:
        """The means, NaN where no step was finite, and "non_finite_steps"; and begins anew."""
        found = {
            name: total / count if (count := self.counts[name]) else math.nan
            for name, total in self.sums.items()
        }
        found["non_finite_steps"] = float(self.odd)
        self.sums, self.counts, self.odd = {}, {}, 0
        return found


class Logger:
    """Writes it all, through all half-phases of one life of a run.

    Args:
        run: where it goes.
        settings: the schedule.
        resolution: of the finished network.
        latents: [S * S, L] of the sample sheets, S = `samples.side(resolution)`.
        labels: [S * S, K] of the sample sheets of a conditioned GAN.
        restored: images shown before this life. TensorBoard then drops what it has read of later
            ones: a killed life wrote it, and had not yet saved its state.

    All methods raise tf.errors.OpError where the disk is full, as long as TensorFlow says so.
    """

    def __init__(
        self, run: RunDir, settings: schedule.Settings, latents, labels=None, restored: int = 0
    ):
        import tensorflow as tf

        self.run, self.settings, self.latents, self.labels = run, settings, latents, labels
        self.side = math.isqrt(len(latents))
        self.writer = tf.summary.create_file_writer(str(run.logs))
        self.restored, self.begun, self.means = restored, False, Means()
        self.numbers: dict[str, float] = {}  # the newest of each name
        # Of the half-phase, where images are held out; see `overfitting`.
        self.overfitting = None
        between = sphere.path(latents[:KEYS], STEPS)
        self.between = between, None if labels is None else labels[:1].repeat(len(between), axis=0)

    def begin(self, reals: np.ndarray, swd: TickSWD | None = None) -> None:
        """A half-phase begins: `reals`, uint8 [S * S, r, r, C], are real images at its level."""
        self.reals, self.swd, self.means = reals, swd, Means()

    def step(self, logs: dict) -> None:
        """Takes in the logs of one training step."""
        self.means.add(logs)

    def scalars(self, model, cur_nimg: int, images_per_second: float) -> None:
        """Writes all numbers but those of images."""
        if not self.begun:
            self._begin_life()
        found = {f"train/{name}": value for name, value in self.means.take().items()}
        found |= {
            "schedule/kimg": cur_nimg / 1000,
            "schedule/lod": float(np.asarray(model.generator.lod)),
            "schedule/minibatch": model.minibatch,
            "schedule/learning_rate_g": float(np.asarray(model.g_optimizer.learning_rate)),
            "schedule/learning_rate_d": float(np.asarray(model.d_optimizer.learning_rate)),
            "schedule/images_per_second": images_per_second,
            **({} if model.augment_p is None else {"schedule/augment_p": float(model.augment_p)}),
            **{f"memory/{name}": value / GIB for name, value in peaks().items()},
        }
        self._write(cur_nimg, found)

    def tick(self, model, cur_nimg: int, before: int, images_per_second: float) -> np.ndarray:
        """Writes everything of the state after `cur_nimg` images; the last tick was after `before`.

        Returns the fixed samples at the current level, uint8 [S * S, r, r, C].
        """
        self.scalars(model, cur_nimg, images_per_second)
        lod = float(np.asarray(model.generator.lod))
        made = samples.images_of(model.generator_ema, self.latents, self.labels, lod)
        # Box-upscaled to full resolution while the network is growing.
        scale = model.generator.resolution // made.shape[1]
        sheet = grids.tile(made, self.side, scale)
        grids.write_png(self.run.samples / f"kimg{cur_nimg / 1000:09.3f}.png", sheet)
        every = self.settings.total_kimg * 1000 / PICTURES
        if cur_nimg // every > before // every:
            strip = samples.images_of(model.generator_ema, *self.between, lod)
            self._picture(cur_nimg, "samples", sheet, SHOWN)
            self._picture(
                cur_nimg, "interpolation", grids.tile(strip, len(strip), scale), STRIP_SHOWN
            )
        if self.reals is not None:
            reals = samples.as_the_critic_sees(self.reals, lod, model.mirror)
            self._picture(cur_nimg, "reals", grids.tile(reals, self.side, scale), SHOWN)
            self.reals = None
        if self.swd is not None:
            self._write(
                cur_nimg,
                {
                    f"swd/{name}": value
                    for name, value in self.swd(model.generator_ema, lod).items()
                },
            )
        if self.overfitting is not None:
            measured = self.overfitting(model, lod).items()
            self._write(cur_nimg, {f"overfitting/{name}": value for name, value in measured})
        self.writer.flush()
        self.note(self._line())
        return made

    def note(self, line: str) -> None:
        """Adds a line to log.txt. It has no date, which the privacy audit would take for that of a
        study, but the time trained so far."""
        time_taken = datetime.timedelta(seconds=round(self.run.clock()))
        with open(self.run.log, "a", encoding="utf-8") as file:
            file.write(f"{time_taken}  {line}\n")

    def _line(self) -> str:
        """The tick in words."""
        found = self.numbers
        size = self.settings.resolution >> math.floor(found["schedule/lod"])
        parts = [
            f"kimg {found['schedule/kimg']:.3f}",
            f"lod {found['schedule/lod']:.2f} ({size} px)",
            f"minibatch {found['schedule/minibatch']}",
            f"{found['schedule/images_per_second']:.1f} images/s",
        ]
        parts += [
            f"{name} {found[f'train/{name}']:.4g}"
            for name in ("d_loss", "g_loss", "d_gradient_norm", "g_gradient_norm")
            if f"train/{name}" in found
        ]
        if self.swd is not None:
            parts.append(f"swd {found['swd/mean']:.4g} (floor {found['swd/mean_floor']:.4g})")
        if self.overfitting is not None:
            parts.append(f"overfitting r_v {found['overfitting/r_v']:.3f}")
        memory = [value for name, value in found.items() if name.startswith("memory/")]
        return ", ".join([*parts, f"{max(memory):.1f} GiB"])

    def _write(self, cur_nimg: int, numbers: dict[str, float]) -> None:
        import tensorflow as tf

        self.numbers |= numbers
        with self.writer.as_default(step=cur_nimg):
            for name, value in numbers.items():
                tf.summary.scalar(name, value)

    def _picture(self, cur_nimg: int, name: str, sheet: np.ndarray, longest: int) -> None:
        import tensorflow as tf

        with self.writer.as_default(step=cur_nimg):
            tf.summary.image(name, grids.shrink(np.atleast_3d(sheet), longest)[None])

    def _begin_life(self) -> None:
        """Has TensorBoard drop what it has read so far of more than `restored` images.

        `tf.summary` has lost its `purge_step`; the event that stood behind it, a session's start,
        is still understood (the first one only says that others may follow). TensorBoard's fast
        reader passes over it: that drops the later points of a name when the name comes again.
        """
        import tensorflow as tf
        from tensorflow.python.ops import summary_ops_v2

        start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
        event = tf.compat.v1.Event(wall_time=time.time(), step=self.restored + 1, session_log=start)
        with self.writer.as_default(step=self.restored):
            summary_ops_v2.import_event(event.SerializeToString())
            tf.summary.text("config", _as_text(self.run.identity.get("config", {})))
            tf.summary.experimental.write_raw_pb(_charts(self.settings.resolution))
        after = f"goes on after {self.restored / 1000:.3f} kimg" if self.restored else "begins"
        self.note(f"{after}; {self.settings.total_kimg:g} kimg in all")
        self.begun = True


def _as_text(config: dict) -> str:
    """A table in Markdown, as TensorBoard shows it."""
    rows = [f"| {name} | `{value}` |" for name, value in config.items()]
    return "\n".join(["| option | value |", "| --- | --- |", *rows])


def _charts(resolution: int) -> bytes:
    """The Summary by which TensorBoard's Custom Scalars show swd and its floor in one chart: for
    each size that is compared, and their mean."""
    from tensorboard.plugins.custom_scalar import layout_pb2, summary

    names = ["mean"]
    names += [str(2**n) for n in range(swd.SMALLEST.bit_length() - 1, resolution.bit_length())]
    charts = [
        layout_pb2.Chart(
            title=f"swd {name} and its floor" if name == "mean" else f"swd at {name} px",
            multiline=layout_pb2.MultilineChartContent(
                tag=[f"^swd/{name}$", f"^swd/{name}_floor$"]
            ),
        )
        for name in names
    ]
    categories = [layout_pb2.Category(title="sliced Wasserstein distance", chart=charts)]
    return summary.pb(layout_pb2.Layout(category=categories)).SerializeToString()


def peaks() -> dict[str, int]:
    """Most bytes held so far: {"host_peak_gib": by this process, "gpu0_peak_gib": on its first GPU,
    ...}."""
    import tensorflow as tf

    found = {"host_peak_gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
    for index, _ in enumerate(tf.config.get_visible_devices("GPU")):
        found[f"gpu{index}_peak_gib"] = tf.config.experimental.get_memory_info(f"GPU:{index}")[
            "peak"
        ]
    return found
