"""NumPy's files (.npy, the members of .npz): texts, dates and whole numbers, nested in structures
too.

The header is believed only as far as there are bytes for it, and nothing is unpickled.
"""

import io
from collections.abc import Iterator

import numpy as np

from pgcxr.privacy.audit import encodings
from pgcxr.privacy.audit.contents import archives, texts
from pgcxr.privacy.audit.contents.piece import SMALLEST_NUMBER, Piece

HEADER = 1 << 16


def npy(content, where: str) -> Iterator[Piece]:
    """The texts of one array."""
    head = io.BytesIO(bytes(content[: HEADER + 16]))
    version = np.lib.format.read_magic(head)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    dtype = read(head, max_header_size=HEADER)[2]
    begin = head.tell()
    # The names of fields.
    yield Piece(f"{where} header", encodings.decode(bytes(content[10:begin])))
    if dtype.hasobject:
        yield from archives.pickled(content[begin:], where)
    elif dtype.itemsize:
        count = (len(content) - begin) // dtype.itemsize
        array = np.frombuffer(bytes(content[begin : begin + count * dtype.itemsize]), dtype)
        yield from _values(array, where)
        yield from texts.printable(bytes(content[begin + count * dtype.itemsize :]), where)


def _values(array: np.ndarray, where: str) -> Iterator[Piece]:
    if array.dtype.names:
        for name in array.dtype.names:
            yield from _values(array[name], where)
    elif array.dtype.kind == "U":
        yield Piece(where, _lines(array.ravel()))
    elif array.dtype.kind == "S":
        yield Piece(
            where, encodings.decode(b"\n".join(array.ravel().tolist()).replace(b"\0", b" "))
        )
    elif array.dtype.kind == "M":
        yield Piece(where, "\n".join(np.unique(np.datetime_as_string(array, unit="D")).tolist()))
    elif array.dtype.kind in "iuf":
        yield from _numbers(array, where)
    else:
        yield from texts.printable(array.tobytes(), where, numbers=True)


def _lines(array: np.ndarray) -> str:
    """[N] texts, a line for each; what is no character, or fills a text up, as a blank."""
    codes = (
        np.ascontiguousarray(array)
        .view(array.dtype.byteorder.replace("|", "=") + "u4")
        .reshape(len(array), -1)
    )
    codes = np.where(
        (codes == 0) | (codes > 0x10FFFF) | (codes >> 11 == 0x1B), ord(" "), codes
    ).astype("<u4")
    ends = np.full((len(codes), 1), ord("\n"), "<u4")
    return np.concatenate([codes, ends], axis=1).tobytes().decode("utf-32-le")


def _numbers(array: np.ndarray, where: str) -> Iterator[Piece]:
    if array.dtype.itemsize >= 4:
        large = array[array >= SMALLEST_NUMBER]
        if array.dtype.kind == "f":
            large = large[np.isfinite(large) & (large == np.floor(large)) & (large < 2**53)].astype(
                np.int64
            )
        if large.size:
            yield Piece(where, "\n".join(map(str, large.tolist())))
    if array.dtype.kind == "f" or array.dtype.itemsize == 1:
        yield from texts.printable(array.tobytes(), where, numbers=True)
