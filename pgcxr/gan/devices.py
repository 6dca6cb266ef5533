"""Which devices a training runs on, and how several hosts keep together.

One host: the default strategy for one device, MirroredStrategy for more. Several hosts: each runs
the same command with TensorFlow's TF_CONFIG in its environment, and MultiWorkerMirroredStrategy
joins them. The first of them, the chief, alone reads and writes RUN; the others get the state from
it over the network, so that it is one and the same whether or not they share a disk. Every host
needs the cohort.
"""

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator

import keras
import numpy as np

from pgcxr.errors import ArgumentError, InputError
from pgcxr.gan import schedule

TF_CONFIG = "TF_CONFIG"
EXAMPLE = (
    '{"cluster": {"worker": ["host-a:12345", "host-b:12345"]}, '
    '"task": {"type": "worker", "index": 0}}'
)
EXACT = 1 << 48  # whole numbers below this pass through float64 unchanged


def strategy(replicas: int, devices: list[str] | None = None):
    """The tf.distribute strategy of `replicas` devices on all hosts together; 0: every device that
    is visible.

    Args:
        devices: names such as "GPU:0" or "CPU:1" (logical devices stand for GPUs in tests); None:
            the GPUs.

    Raises:
        InputError: there are fewer devices, or TF_CONFIG is none.
    """
    import tensorflow as tf

    addresses, index = cluster()
    if len(addresses) > 1:
        return _several_hosts(replicas, addresses, index)
    found = devices or [
        f"GPU:{number}" for number, _ in enumerate(tf.config.list_logical_devices("GPU"))
    ]
    replicas = replicas or max(len(found), 1)
    if replicas == 1:
        return tf.distribute.get_strategy()
    if len(found) < replicas:
        raise ArgumentError(
            "replicas",
            f"this machine has {len(found)} GPUs that TensorFlow sees; lower it (0 takes all there "
            "are) or train where there are enough",
            replicas,
        )
    return _mirrored(tuple(found[:replicas]))


@functools.cache
def _mirrored(devices: tuple[str, ...]):
    """One for each set of devices: a second one would number its collective operations anew, and
    TensorFlow, which remembers the shapes of the first one's, would refuse them."""
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(list(devices))


def cluster() -> tuple[list[str], int]:
    """Addresses of all workers, the chief first, and the place of this one; ([], 0) without
    TF_CONFIG.

    Raises:
        InputError: TF_CONFIG is not what TensorFlow expects.
    """
    text = os.environ.get(TF_CONFIG, "")
    if not text:
        return [], 0
    try:
        config = json.loads(text)
        jobs, task = config.get("cluster", {}), config.get("task", {})
        if not jobs:
            return [], 0
        tasks = [
            (job, place) for job in ("chief", "worker") for place, _ in enumerate(jobs.get(job, ()))
        ]
        addresses = [str(jobs[job][place]) for job, place in tasks]
        return addresses, tasks.index((task["type"], int(task["index"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"{TF_CONFIG}: is not a cluster and this worker's task in it; expected {EXAMPLE}"
        ) from None


def _several_hosts(replicas: int, addresses: list[str], index: int):
    import tensorflow as tf

    hosts, found = len(addresses), tf.config.list_physical_devices("GPU")
    each = replicas // hosts if replicas else max(len(found), 1)
    if replicas % hosts or each > max(len(found), 1):
        raise ArgumentError(
            "replicas",
            f"{hosts} workers are in {TF_CONFIG}, and this one has {len(found)} GPUs that "
            "TensorFlow sees; give a number that they share evenly, or 0 for all there are",
            replicas,
        )
    if found[each:]:
        tf.config.set_visible_devices(found[:each], "GPU")

    class Workers(tf.distribute.MultiWorkerMirroredStrategy):
        """With what Keras 3.15 needs to `fit` on several hosts."""

        place, count = index, hosts

        def __init__(self):
            super().__init__()
            # Every batch is whole: else the number of images in one is unknown when the step is
            # traced.
            self.extended.experimental_enable_get_next_as_optional = False

        def reduce(self, reduce_op, value, axis):
            local = self.experimental_local_results(value)[0]
            if (
                local.dtype == tf.uint8
            ):  # a batch that Keras looks at before training; bytes cannot be reduced
                return local
            # Keras asks for the mean over axis 0 also of losses, which have none.
            return super().reduce(reduce_op, value, axis if local.shape.rank else None)

    made = Workers()
    if made.num_replicas_in_sync != each * hosts:
        raise ArgumentError(
            "replicas",
            f"every worker of {TF_CONFIG} must have as many GPUs as the others",
            replicas,
        )
    return made


def hosts(strategy) -> int:
    """How many processes train together."""
    return getattr(strategy, "count", 1)


def is_chief(strategy) -> bool:
    """Whether this process is the one that reads and writes RUN."""
    return getattr(strategy, "place", 0) == 0


def batches(strategy, dataset: Callable):
    """The input of `fit` on this host.

    Args:
        dataset: called with `share`, see `ImageDataset.dataset`; None asks for whole batches.
    """
    if hosts(strategy) == 1:
        return dataset(share=None)

    def local(context):
        each = context.num_replicas_in_sync // context.num_input_pipelines
        return dataset(share=(context.input_pipeline_id, context.num_input_pipelines, each))

    return strategy.distribute_datasets_from_function(local)


def every(strategy, number: int) -> list[int]:
    """The `number` (0 to EXACT) of each process, known to all. All must call it, and in the same
    order."""
    if hosts(strategy) == 1:
        return [number]
    numbers = np.zeros(hosts(strategy))
    numbers[strategy.place] = number
    return [int(value) for value in _sum(strategy, numbers)]


def from_chief(strategy, variables: Iterable) -> None:
    """Gives every process the chief's values, bit for bit."""
    if hosts(strategy) == 1:
        return
    for variable in variables:
        value = np.asarray(variable)
        sent = value if np.issubdtype(value.dtype, np.floating) else value.astype(np.float64)
        # x + -0.0 is x for every x, -0.0 among them.
        total = _sum(strategy, sent if is_chief(strategy) else np.full_like(sent, -0.0))
        if not is_chief(strategy):
            variable.assign(total.astype(value.dtype))


def chief_does(strategy, action: Callable):
    """Calls `action` on the chief alone; returns what it returns there, None elsewhere. Fails
    everywhere or nowhere."""
    result, error = None, None
    if is_chief(strategy):
        try:
            result = action()
        except (InputError, OSError) as caught:
            error = caught
    failed = every(strategy, int(error is not None))[0]
    if error is not None:
        raise error
    if failed:
        raise InputError(f"{cluster()[0][0]}: the chief could not go on; see what it said")
    return result


def same_everywhere(strategy, what: str) -> None:
    """Raises InputError on every process unless all were started with the same `what`."""
    numbers = every(strategy, int.from_bytes(hashlib.sha256(what.encode()).digest()[:6], "big"))
    for address, number in zip(cluster()[0], numbers, strict=False):
        if number != numbers[0]:
            raise InputError(
                f"{address}: was started with another config, seed or cohort than "
                f"{cluster()[0][0]}; start every worker with the same command and copies of one "
                "cohort"
            )


class FollowChief(keras.callbacks.Callback):
    """What a host does that is not the chief: shows where it is, and stops when any host is asked
    to."""

    def __init__(self, half_phase: schedule.HalfPhase, progress: Callable, stop_asked: Callable):
        super().__init__()
        self.half_phase, self.progress, self.stop_asked = half_phase, progress, stop_asked

    def on_train_batch_end(self, batch, logs=None):
        # As often as Ticks: all hosts must ask each other together.
        if (batch + 1) % schedule.MINIBATCH_REPEATS:
            return
        self.progress(
            self.half_phase.start + (batch + 1) * self.half_phase.minibatch,
            float(np.asarray(self.model.generator.lod)),
        )
        if self.stop_asked():
            self.model.stop_training = True


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Has every operation give the same bits each time, on CPUs, where it costs nothing.

    On GPUs it does: it is left to the user (TF_DETERMINISTIC_OPS=1 in the environment).
    """
    import tensorflow as tf
    from tensorflow.python.framework import config

    already = config.is_op_determinism_enabled()
    if already or tf.config.list_physical_devices("GPU"):
        yield
        return
    tf.config.experimental.enable_op_determinism()
    try:
        yield
    finally:
        config.disable_op_determinism()


def _sum(strategy, values: np.ndarray) -> np.ndarray:
    import tensorflow as tf

    return np.asarray(strategy.reduce("SUM", tf.constant(values), axis=None))
