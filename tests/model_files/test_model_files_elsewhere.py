"""Model files that would have us read other files, or that announce more than they hold."""

import io
import zipfile
import zlib

import foreign_model_files as foreign
import h5py
import numpy as np
import pytest

from geomface.errors import FileFormatError
from geomface.files.numpy_files import read_archive, read_array
from geomface.model_files import load_model
from geomface.model_files.matlab import read_mat


@pytest.mark.parametrize("way", ["external link", "external storage", "virtual"])
def test_an_hdf5_file_never_leads_to_another(tmp_path, rng, way):
    secret, path = tmp_path / "secret.h5", tmp_path / "model.h5"
    foreign.write_bfm2017(path, rng)
    with h5py.File(secret, "w") as file:
        file["mean"] = np.zeros(3 * foreign.COUNT, np.float32)
    (tmp_path / "raw").write_bytes(bytes(12 * foreign.COUNT))
    name = "shape/model/mean"
    with h5py.File(path, "r+") as file:
        del file[name]
        if way == "external link":
            file[name] = h5py.ExternalLink(str(secret), "mean")
        elif way == "external storage":
            place = [(str(tmp_path / "raw"), 0, 12 * foreign.COUNT)]
            file.create_dataset(name, (3 * foreign.COUNT,), "f4", external=place)
        else:
            layout = h5py.VirtualLayout((3 * foreign.COUNT,), "f4")
            layout[:] = h5py.VirtualSource(str(secret), "mean", (3 * foreign.COUNT,))
            file.create_virtual_dataset(name, layout)
    with pytest.raises(FileFormatError, match="shape/model/mean lies in another file"):
        load_model(path)


def test_an_hdf5_field_larger_than_its_file_is_not_made(tmp_path, rng):
    path = tmp_path / "model.h5"
    foreign.write_bfm2017(path, rng)
    with h5py.File(path, "r+") as file:
        del file["shape/model/mean"]
        file.create_dataset("shape/model/mean", (2**34,), "f4", chunks=(2**20,))
    with pytest.raises(FileFormatError, match="announces 6.87e\\+10 bytes"):
        load_model(path)


def npy(shape, data=b""):
    stream = io.BytesIO()
    head = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, head)
    return stream.getvalue() + data


@pytest.mark.parametrize(
    "content",
    [
        npy((2**40,)),
        npy((2**31, 2**31, 2**31)),
        npy((-1,)),
        npy((3,), bytes(23)),
        npy((3,)).replace(b"{", b"(", 1),
        b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 15 + b"\n",
        b"\x93NUMPY\x02\x00\xff\xff\x00\x00" + b"[" * 65535,
        b"\x93NUMPY\x09\x00",
    ],
)
def test_arrays_of_numpy_that_announce_too_much_or_are_damaged(tmp_path, content):
    with pytest.raises(FileFormatError, match=r"^a\.npy: expected an array"):
        read_array(content, "a.npy")
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(FileFormatError, match=r"a\.npz: expected arrays"):
        read_archive(path, "arrays")


@pytest.mark.parametrize("order", "CF")
def test_arrays_of_numpy_come_back(tmp_path, order):
    wanted = {
        "a": np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order),
        "t": np.array("text"),
        "e": np.zeros((0, 3)),
        "s": np.array(7),
    }
    np.savez_compressed(tmp_path / "a.npz", **wanted)
    found = read_archive(tmp_path / "a.npz", "arrays")
    assert set(found) == set(wanted) and found["a"].flags.writeable
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_an_archive_that_unpacks_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.npy", "w") as stream:
            stream.write(npy((2**26,)))
            for _ in range(2**9):
                stream.write(bytes(2**20))
    with pytest.raises(FileFormatError, match=r"announces 5.37e\+08 bytes"):
        read_archive(path, "arrays")


def test_a_matlab_variable_that_unpacks_to_gigabytes_is_refused(tmp_path):
    packer = zlib.compressobj()
    tag = (14).to_bytes(4, "little") + (2**31).to_bytes(4, "little")
    packed = packer.compress(tag + bytes(2**20)) + packer.flush()
    head = b"MATLAB 5.0".ljust(124) + b"\x00\x01IM"
    element = (15).to_bytes(4, "little") + len(packed).to_bytes(4, "little")
    (tmp_path / "a.mat").write_bytes(head + element + packed)
    with pytest.raises(FileFormatError, match=r"announces 2.15e\+09 bytes"):
        read_mat(tmp_path / "a.mat", "a model")
