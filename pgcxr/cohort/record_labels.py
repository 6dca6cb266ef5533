"""The labels beside images in TFRecords (kinds and columns: `pgcxr.cohort.labels`)."""

from pathlib import Path

import numpy as np

from pgcxr.cohort import labels
from pgcxr.cohort.findings import FINDINGS
from pgcxr.cohort.tfrecord import AGAIN, RecordFile
from pgcxr.errors import InputError


def of_file(folder: Path, count: int, kind: str) -> np.ndarray:
    """float32 [count, K] of the original's `*-rxx.labels`, a NumPy array with a row of 0 and 1 for
    each image.

    Raises:
        InputError: there is none, or it holds labels of another kind or number.
    """
    paths, columns = sorted(folder.glob("*-rxx.labels")), labels.names(kind)
    if not paths:
        raise InputError(
            f"{folder}: holds no labels (*-rxx.labels); train without --label and --set labels"
        )
    try:
        rows = np.load(paths[0], allow_pickle=False)
        usable = np.isin(rows, (0, 1)).all()
    except (ValueError, EOFError, TypeError):
        raise InputError(f"{paths[0]}: is damaged, or no NumPy array; {AGAIN}") from None
    if rows.shape != (count, len(columns)):
        raise InputError(
            f"{paths[0]}: holds labels of shape {list(rows.shape)}, where {count} images with "
            f"{' and '.join(columns)} need {[count, len(columns)]}; train without --label and "
            f"--set labels, or {AGAIN}"
        )
    if not usable or (labels.exclusive(kind) and (rows.sum(axis=1) != 1).any()):
        raise InputError(
            f"{paths[0]}: holds other labels than {' and '.join(columns)}, each 0 or 1; {AGAIN}"
        )
    return rows.astype(np.float32)


def of_examples(file: RecordFile, kind: str) -> np.ndarray:
    """float32 [N, K] of the features `label` and `findings` that `pgcxr records` writes; NaN where
    one is unknown.

    Reads all of the file.
    """
    import tensorflow as tf
    from google.protobuf.message import DecodeError

    names, rows = labels.names(kind), np.empty((len(file), 1 + len(FINDINGS)), np.float32)
    for index, data in enumerate(file.in_turn()):
        try:
            features = tf.train.Example.FromString(data).features.feature
            row = [*features["label"].int64_list.value, *features["findings"].int64_list.value]
        except DecodeError:
            row = []
        if len(row) != rows.shape[1] or row[0] not in (0, 1) or not set(row[1:]) <= {-1, 0, 1}:
            raise InputError(
                f"{file.path}: record {index + 1} holds no labels that could be used; {AGAIN}"
            )
        rows[index] = row
    abnormal, five = rows[:, :1], rows[:, 1:]
    if len(names) == 2:
        return np.concatenate([1 - abnormal, abnormal], axis=1)
    return np.concatenate([1 - abnormal, np.where(five < 0, np.nan, five)], axis=1)
