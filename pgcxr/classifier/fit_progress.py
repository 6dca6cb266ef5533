"""A progress bar for Keras fit, for runs of seconds to days."""

import keras
from rich import progress


class FitProgress(keras.callbacks.Callback):
    """Shows epochs, the loss and the validation AUROC.

    Arguments:
        title: what is being trained.
        epochs: as given to fit; early stopping may end before.
    """

    def __init__(self, title: str, epochs: int):
        super().__init__()
        columns = (
            "{task.description}",
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TimeRemainingColumn(),
            "{task.fields[said]}",
        )
        self.bar = progress.Progress(*columns)
        self.task = self.bar.add_task(title, total=epochs, said="")
        self.epoch, self.epochs, self.said = 0, epochs, ""

    def on_train_begin(self, logs=None):
        self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        steps = self.params.get("steps")
        if steps:
            self.bar.update(self.task, completed=self.epoch + (batch + 1) / steps)

    def on_epoch_end(self, epoch, logs=None):
        self.epoch = epoch + 1
        self.said = " ".join(
            f"{name} {logs[name]:.3f}" for name in ("loss", "val_auroc") if name in (logs or {})
        )
        self.bar.update(self.task, completed=self.epoch, said=self.said)

    def on_train_end(self, logs=None):
        if self.epoch < self.epochs:
            said = f"stopped early, epoch {self.epoch} of {self.epochs} {self.said}"
            self.bar.update(self.task, total=self.epoch, completed=self.epoch, said=said)
        self.bar.stop()
