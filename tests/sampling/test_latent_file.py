"""latents.npz: what is written is read, and nothing that anybody may send is run, trusted or half
understood."""

import pickle
import zipfile

import numpy as np
import pytest

from pgcxr.errors import InputError
from pgcxr.sampling import latent_file, selection


def _same(one, other):
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)
        assert (value is None) == (getattr(other, name) is None), name


def test_a_selection_comes_back_whole_and_as_the_same_bytes(tmp_path):
    labels = np.eye(2, dtype=np.float32)
    for number, chosen in enumerate(
        [
            selection.of_seed(3, 4, 8),
            selection.of_seeds(np.array([5, 2**40]), 8),
            selection.of_seeds(np.array([5, 6]), 8).pulled(np.ones(8, np.float32), 0.5),
            selection.Selection(
                np.ones((2, 8), np.float32), np.arange(2), "latents 12", labels=labels
            ).path(3),
        ]
    ):
        path, twin = tmp_path / f"{number}.npz", tmp_path / f"{number}-twin.npz"
        latent_file.write(path, chosen)
        latent_file.write(twin, chosen)
        assert path.read_bytes() == twin.read_bytes()
        _same(latent_file.read(path, 8, 0 if chosen.labels is None else 2), chosen)
    with np.load(tmp_path / "1.npz", allow_pickle=False) as file:
        assert file["seeds"].tolist() == [5, 2**40]


def test_plain_arrays_are_latents_too(tmp_path):
    z = np.random.default_rng(0).normal(size=(3, 8))
    np.save(tmp_path / "z.npy", z)
    np.savez(tmp_path / "z.npz", latents=z)
    for name in ("z.npy", "z.npz"):
        found = latent_file.read(tmp_path / name, 8)
        np.testing.assert_array_equal(found.latents, z.astype(np.float32))
        assert found.numbers.tolist() == [0, 1, 2] and found.origin.startswith("latents ")


class _Trap:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def test_what_is_no_file_of_latents_is_refused_in_one_line(tmp_path):
    good = np.ones((3, 8), np.float32)
    arrays = {
        "size": good[:, :7],
        "axes": good[0],
        "text": np.array([["a"] * 8]),
        "complex": good * 1j,
        "none": good[:0],
        "nan": np.where(np.eye(3, 8) == 1, np.nan, good),
        "infinite": np.where(np.arange(3)[:, None] == 1, np.inf, good),
        "zero": np.where(np.arange(3)[:, None] == 1, 0, good),
        "huge": good.astype(np.float64) * 1e300,
    }
    messages = {
        "size": "7 numbers where the generator takes 8",
        "axes": "2 axes",
        "text": "real",
        "complex": "real",
    }
    messages |= {
        "none": "has 0 latents",
        "nan": "row 0",
        "infinite": "row 1",
        "zero": "row 1",
        "huge": "row 0",
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        with pytest.raises(InputError, match=messages[name]):
            latent_file.read(tmp_path / f"{name}.npy", 8)
    np.save(tmp_path / "object.npy", np.array([_Trap()], object))
    np.savez(tmp_path / "object.npz", latents=np.array([_Trap()], object))
    (tmp_path / "pickle.npz").write_bytes(pickle.dumps(_Trap()))
    (tmp_path / "empty.npz").write_bytes(b"")
    np.savez(tmp_path / "whole.npz", latents=np.random.default_rng(0).normal(size=(3, 8)))
    data = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(data[:-40])
    (tmp_path / "flipped.npz").write_bytes(data[:250] + bytes([data[250] ^ 1]) + data[251:])
    header = (
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 8)}".ljust(117)
    )
    (tmp_path / "vast.npy").write_bytes(header + b"\n" + bytes(64))
    damaged = (
        "object.npy",
        "object.npz",
        "pickle.npz",
        "empty.npz",
        "cut.npz",
        "flipped.npz",
        "vast.npy",
    )
    for name in damaged:
        with pytest.raises(InputError, match="is damaged") as caught:
            latent_file.read(tmp_path / name, 8)
        assert "\n" not in str(caught.value) and name in str(caught.value)
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as archive:
        archive.writestr("latents.npy", "text")
    with pytest.raises(InputError, match="expected 2 axes of real numbers"):
        latent_file.read(tmp_path / "text.zip", 8)
    np.savez(tmp_path / "other.npz", images=good)
    with pytest.raises(InputError, match="no array named latents"):
        latent_file.read(tmp_path / "other.npz", 8)
    with pytest.raises(InputError, match="no such file"):
        latent_file.read(tmp_path, 8)


@pytest.mark.parametrize(
    "numbers", [[1, 2], [1, 2, -3], [1.0, 2.0, 3.0], [2, 1, 2], np.uint64([1, 2, 2**63])]
)
def test_numbers_name_files_and_so_are_checked(tmp_path, numbers):
    np.savez(tmp_path / "l.npz", latents=np.ones((3, 8)), numbers=np.array(numbers))
    with pytest.raises(InputError, match="numbers do not fit|stands for two"):
        latent_file.read(tmp_path / "l.npz", 8)


def test_words_of_a_stranger_do_not_reach_a_header(tmp_path):
    for text in ("seed 3\\SYNTHETIC", "a" * 65, "zwei\nZeilen", "\N{SNOWMAN}"):
        np.savez(
            tmp_path / "l.npz",
            latents=np.ones((1, 8)),
            origin=np.str_(text),
            truncation=np.float64(np.nan),
        )
        found = latent_file.read(tmp_path / "l.npz", 8)
        assert found.origin.startswith("latents ") and found.truncation == 1


def test_lists_of_numbers_there_and_back():
    for text in ("1-100,205", "7", "3,1-2,9-10,0"):
        assert selection.as_text(selection.parse_numbers(text, "seeds")) == text
    assert selection.parse_numbers(" 1 - 3, 5 ", "seeds").tolist() == [1, 2, 3, 5]
    np.testing.assert_array_equal(
        selection.of_seeds(np.array([9]), 8).latents, selection.of_seed(9, 5, 8).latents[:1]
    )
