"""One TFRecord file, any record of it by its number.

A file is a row of records: the length of the data (8 bytes), its checksum (4), the data, their
checksum (4), all little-endian. Where each record begins is found from the lengths alone; the data
are read, and their checksum compared, when they are needed.

Written and read are records by TensorFlow. Only where each begins is found here: its readers run
through a file from the front and say neither the place nor the checksum of a record, and an order
that depends on the image count alone needs any of them at once (`pgcxr.cohort.pipeline.order`).
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pgcxr.errors import InputError

HEAD, FOOT = 12, 4
AGAIN = "write the records again (`pgcxr records`, or the tool that wrote them)"


@dataclass(frozen=True)
class RecordFile:
    """Where each record begins, int64 [N], and the checksum of each record's data, uint32 [N]."""

    path: Path
    offsets: np.ndarray
    checksums: np.ndarray

    @classmethod
    def scan(cls, path: Path) -> "RecordFile":
        """Raises InputError where the file is cut short or a length isn't what was written."""
        heads, feet, offsets, at, complete = [], [], [], 0, True
        with open(path, "rb") as file:
            size, handle = os.fstat(file.fileno()).st_size, file.fileno()
            while at < size and complete:
                head = os.pread(handle, HEAD, at)
                end = at + HEAD + int.from_bytes(head[:8], "little") + FOOT
                complete = len(head) == HEAD and end <= size
                if len(head) == HEAD:
                    heads.append(head)
                if complete:
                    offsets.append(at)
                    feet.append(os.pread(handle, FOOT, end - FOOT))
                    at = end
        lengths = np.frombuffer(b"".join(heads), np.uint8).reshape(-1, HEAD)
        wrong = masked_crc32c(lengths[:, :8]) != lengths[:, 8:].copy().view("<u4")[:, 0]
        if wrong.any():
            raise damaged(path, int(np.flatnonzero(wrong)[0]))
        if not complete:
            raise InputError(f"{path}: is cut short in record {len(offsets) + 1}; {AGAIN}")
        if not offsets:
            raise InputError(f"{path}: holds no records; {AGAIN}")
        return cls(path, np.array(offsets, np.int64), np.frombuffer(b"".join(feet), "<u4"))

    def __len__(self) -> int:
        return len(self.offsets)

    def read(self, index):
        """The data of record `index` (a tensor), a string tensor; DataLossError where they aren't
        what was written."""
        import tensorflow as tf

        from_there_on = tf.raw_ops.TFRecordDatasetV2(
            filenames=[str(self.path)],
            compression_type="",
            buffer_size=tf.constant(0, tf.int64),  # else it reads more than the one record
            byte_offsets=[tf.gather(tf.constant(self.offsets), index)],
        )
        records = tf.data.experimental.from_variant(from_there_on, tf.TensorSpec((), tf.string))
        return records.take(1).get_single_element()

    def in_turn(self) -> Iterator[bytes]:
        """The data of all records. No device is touched, so that how they are used can still be
        chosen.

        Raises:
            InputError: the data of a record aren't what was written.
        """
        import tensorflow as tf

        logger = tf.get_logger()
        level = logger.level
        logger.setLevel(logging.ERROR)  # of a newer way, that needs the devices
        try:
            records = tf.compat.v1.io.tf_record_iterator(str(self.path))
        finally:
            logger.setLevel(level)
        for index in range(len(self)):
            try:
                data = next(records)
            except (StopIteration, tf.errors.OpError):
                raise damaged(self.path, index) from None
            yield data


def damaged(path: Path, index: int) -> InputError:
    """The error that record `index`, counted from 0, isn't what was written."""
    return InputError(f"{path}: record {index + 1} is damaged; {AGAIN}")


def masked_crc32c(rows: np.ndarray) -> np.ndarray:
    """uint32 [N] of uint8 [N, bytes]: CRC-32C (Castagnoli), rotated and shifted as TFRecords store
    it."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = _TABLE[(crc ^ column) & 0xFF] ^ (crc >> np.uint32(8))
    crc = ~crc
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def _table() -> np.ndarray:
    """uint32 [256]: the remainders of every byte."""
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(
            table & 1, (table >> np.uint32(1)) ^ np.uint32(0x82F63B78), table >> np.uint32(1)
        )
    return table


_TABLE = _table()
