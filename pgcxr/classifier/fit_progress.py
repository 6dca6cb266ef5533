"""A progress bar for Keras fit, for runs of seconds to days."""

import keras

from pgcxr.io.progress import Bars


class FitProgress(keras.callbacks.Callback):
    """Shows epochs, the loss and the validation AUROC.

    Arguments:
        title: what is being trained.
        epochs: as given to fit; early stopping may end before.
    """

    def __init__(self, title: str, epochs: int):
        super().__init__()
        self.bars, self.title = Bars(after="{task.fields[said]}"), title
        self.epoch, self.epochs, self.said = 0, epochs, ""
        self._show(0)

    def on_train_begin(self, logs=None):
        self.bars.start()

    def on_train_batch_end(self, batch, logs=None):
        steps = self.params.get("steps")
        if steps:
            self._show(self.epoch + (batch + 1) / steps)

    def on_epoch_end(self, epoch, logs=None):
        self.epoch = epoch + 1
        self.said = " ".join(
            f"{name} {logs[name]:.3f}" for name in ("loss", "val_auroc") if name in (logs or {})
        )
        self._show(self.epoch)

    def on_train_end(self, logs=None):
        if self.epoch < self.epochs:
            self.said = f"stopped early, epoch {self.epoch} of {self.epochs} {self.said}"
            self.epochs = self.epoch
            self._show(self.epoch)
        self.bars.stop()

    def _show(self, done: float) -> None:
        self.bars.update(self.title, done, self.epochs, said=self.said)
