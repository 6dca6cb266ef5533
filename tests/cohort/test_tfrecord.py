"""Records by their number: the same as TensorFlow reads in turn; and every way in which a file can
be damaged."""

import subprocess
import sys

import numpy as np
import pytest

from pgcxr.cohort.tfrecord import RecordFile, masked_crc32c
from pgcxr.errors import InputError

tf = pytest.importorskip("tensorflow")
DATA = [b"one", b"", b"three" * 100, b"four"]
# Where the records begin: 12 bytes before the data of each, and 4 after.
STARTS = [0, 19, 35, 551]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some.tfrecords"
    with tf.io.TFRecordWriter(str(path)) as file:
        for data in DATA:
            file.write(data)
    return path


def _flip(path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def test_any_record_by_its_number(path):
    file = RecordFile.scan(path)
    assert len(file) == 4 and list(file.offsets) == STARTS
    assert (
        list(file.in_turn()) == DATA == list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    )
    numbers = tf.data.Dataset.from_tensor_slices(np.int32([3, 0, 2, 2, 1]))
    assert list(numbers.map(file.read, 2).as_numpy_iterator()) == [
        DATA[index] for index in (3, 0, 2, 2, 1)
    ]


def test_the_checksum_is_that_of_the_standard():
    crc = 0xE3069283  # of these digits, RFC 3720 and every table of CRCs
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32
    assert masked_crc32c(np.frombuffer(b"123456789", np.uint8)[None]) == [masked]


def test_checksums_of_the_data_are_told(path):
    wanted = [masked_crc32c(np.frombuffer(data, np.uint8)[None])[0] for data in DATA]
    np.testing.assert_array_equal(RecordFile.scan(path).checksums, wanted)


@pytest.mark.parametrize(
    ("length", "record"),
    [(7, 1), (14, 1), (18, 1), (22, 2), (34, 2), (300, 3), (551 + 12, 4), (551 + 19, 4)],
)
def test_a_file_cut_short(path, length, record):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(
        InputError,
        match=f"some.tfrecords: is cut short in record {record}; write the records again",
    ):
        RecordFile.scan(path)


@pytest.mark.parametrize(
    ("at", "record"), [(0, 1), (7, 1), (9, 1), (19, 2), (35 + 1, 3), (551, 4), (551 + 11, 4)]
)
def test_a_flipped_byte_in_a_length(path, at, record):
    _flip(path, at)
    with pytest.raises(InputError, match=f"some.tfrecords: record {record} is damaged"):
        RecordFile.scan(path)


@pytest.mark.parametrize("at", [35 + 12, 35 + 300, 551 - 4, 551 - 1])
def test_a_flipped_byte_in_data_or_their_checksum(path, at):
    _flip(path, at)
    file = RecordFile.scan(path)
    with pytest.raises(tf.errors.DataLossError):
        file.read(tf.constant(2))
    assert [file.read(tf.constant(index)) for index in (0, 1, 3)] == [
        DATA[index] for index in (0, 1, 3)
    ]
    with pytest.raises(InputError, match="record 3 is damaged"):
        list(file.in_turn())


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "holds no records"), (b"\x89PNG" * 20, "record 1 is damaged")]
)
def test_what_is_no_tfrecord_file(path, content, said):
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        RecordFile.scan(path)


def test_nothing_is_said_and_no_device_touched(path):
    """The strategy can still be chosen after records were read; TensorFlow's word of a newer way is
    kept back."""
    code = (
        "import sys; from pathlib import Path; from pgcxr.cohort.tfrecord import RecordFile; "
        "import tensorflow as tf;assert len(list(RecordFile.scan(Path(sys.argv[1])).in_turn())) == "
        "4;tf.config.set_logical_device_configuration(tf.config.list_physical_devices('CPU')[0], "
        "[tf.config.LogicalDeviceConfiguration()] * 2);assert "
        "len(tf.config.list_logical_devices('CPU')) == 2"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert ran.returncode == 0 and "deprecated" not in ran.stderr, ran.stderr
