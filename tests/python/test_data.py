"""Every kind of input array gives the same store."""

import numpy as np
import pytest

import ngff
from conftest import need

DTYPES = ["bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", ">u2", ">f4",
          ">i8"]


def level(store, n=0):
    return np.asarray(ngff.from_ngff_zarr(store).images[n].data)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_round_trip_of_each_type(tmp_path, pyramid, volume, dtype, version):
    data = (volume > 100 if dtype == "bool" else volume).astype(dtype)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data), version=version)
    back = level(tmp_path / "a.zarr")
    assert back.dtype == data.dtype.newbyteorder("=")
    np.testing.assert_array_equal(back, data)


@pytest.mark.parametrize("dtype", ["c8", "c16"])
def test_complex_has_level_0_only(tmp_path, pyramid, volume, dtype):
    data = volume.astype(dtype) * (1 + 2j)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data, factors=[]), version="0.5")
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), data)


def test_structured_type_is_refused(pyramid):
    with pytest.raises(ValueError, match="cannot be mapped to Zarr v3 core dtype"):
        pyramid(np.zeros((4, 4), [("a", "u1")]))


VIEWS = {
    "fortran": np.asfortranarray,
    "reversed": lambda a: a[::-1, :, ::-1],
    "strided": lambda a: a[::2, 1:, ::3],
    "transposed": lambda a: a.transpose(2, 0, 1),
    "broadcast": lambda a: np.broadcast_to(a[0], (10, *a[0].shape)),
    "read-only": lambda a: (a.setflags(write=False), a)[1],
    "bytearray": lambda a: memoryview(bytearray(a.tobytes())).cast("B", a.shape),
}


@pytest.mark.parametrize("view", VIEWS)
def test_any_strides(tmp_path, pyramid, volume, view):
    data = VIEWS[view](volume)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), np.asarray(data))


def test_numpy_is_not_copied(pyramid, volume):
    assert np.shares_memory(np.asarray(pyramid(volume).images[0].data), volume)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_memmap_is_read_through_its_file(tmp_path, pyramid, volume, dtype, monkeypatch):
    path = tmp_path / "pixels.raw"
    made = np.memmap(path, dtype, "w+", offset=128, shape=volume.shape)
    made[:] = volume
    made.flush()
    mapped = np.memmap(path, dtype, "r", offset=128, shape=volume.shape)
    used = []
    real = ngff._core.file_source
    monkeypatch.setattr(ngff._core, "file_source", lambda *a: used.append(a[-1]) or real(*a))
    for data, offset in ((mapped, 128), (mapped[3:20], 128 + 3 * 64 * 96 * 2)):
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data))
        np.testing.assert_array_equal(level(tmp_path / "a.zarr"), data)
        assert used.pop() == offset
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(mapped[:, 3:9]))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), mapped[:, 3:9])
    assert not used


def test_copy_on_write_memmap_keeps_its_changes(tmp_path, pyramid, volume):
    np.save(tmp_path / "a.npy", volume)
    data = np.load(tmp_path / "a.npy", mmap_mode="c")
    data[0] = 9
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), data)


def test_dask_chunks_of_any_size(tmp_path, pyramid, volume):
    array = need("dask.array")
    data = array.from_array(volume, chunks=((7, 33), (30, 34), (50, 46)))
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data))
    ngff.to_ngff_zarr(tmp_path / "b.zarr", pyramid(volume))
    for n in range(3):
        np.testing.assert_array_equal(level(tmp_path / "a.zarr", n), level(tmp_path / "b.zarr", n))


def test_zarr_arrays(tmp_path, pyramid, volume):
    zarr = need("zarr")
    data = zarr.create_array(str(tmp_path / "src.zarr"), data=volume, chunks=(16, 16, 16))
    ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), volume)


def test_channel_last_becomes_channel_first(tmp_path, volume):
    data = np.ascontiguousarray(volume[:3].transpose(1, 2, 0))
    image = ngff.to_ngff_image(data, dims=("y", "x", "c"))
    ngff.to_ngff_zarr(tmp_path / "a.zarr", ngff.to_multiscales(image, scale_factors=[2]))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), volume[:3])
    assert image.dims == ("y", "x", "c") and np.shares_memory(np.asarray(image.data), data)


def test_indexing_of_levels(pyramid, volume):
    store = {}
    ngff.to_ngff_zarr(store, pyramid(volume), version="0.5")
    lazy = ngff.from_ngff_zarr(store).images[0].data
    keys = [np.s_[3], np.s_[-1, ..., 5], np.s_[::-2, 3:60:7], np.s_[5:5], np.s_[..., -3:], np.s_[:]]
    for key in keys:
        np.testing.assert_array_equal(lazy[key], volume[key])
    with pytest.raises(IndexError):
        lazy[99]
    np.testing.assert_array_equal(lazy.transpose(2, 1, 0)[1:5, :, 3], volume.transpose(2, 1, 0)[1:5, :, 3])


@pytest.mark.parametrize("chunks", [None, (16, 16, 32), True])
def test_h5py_datasets(tmp_path, pyramid, volume, chunks):
    h5py = need("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("v", data=volume, chunks=chunks, compression="gzip" if chunks else None)
        for method in ("itkwasm_gaussian", "itkwasm_bin_shrink"):
            ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data, method=method))
            ngff.to_ngff_zarr(tmp_path / "b.zarr", pyramid(volume, method=method))
            for n in range(3):
                np.testing.assert_array_equal(level(tmp_path / "a.zarr", n), level(tmp_path / "b.zarr", n))
        assert data.dtype == volume.dtype


def test_h5py_with_channels_last(tmp_path, volume):
    """Axes in another order: still chunk by chunk, each once."""
    h5py = need("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        stored = np.ascontiguousarray(volume[:3].transpose(1, 2, 0))
        data = file.create_dataset("v", data=stored, chunks=(16, 16, 3))
        image = ngff.to_ngff_image(data, dims=("y", "x", "c"))
        ngff.to_ngff_zarr(tmp_path / "a.zarr", ngff.to_multiscales(image, scale_factors=[2]))
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), volume[:3])


class Capsule:
    """An array that speaks DLPack and nothing else."""

    def __init__(self, data):
        self.data, self.asked = data, 0

    def __dlpack__(self, **options):
        self.asked += 1
        return self.data.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.data.__dlpack_device__()


@pytest.mark.parametrize("view", ["as it is", "strided"])
def test_dlpack_is_not_copied(tmp_path, pyramid, volume, view):
    volume = volume if view == "as it is" else volume[::2, :, 1::3]
    capsule = Capsule(volume)
    levels = pyramid(capsule)
    assert capsule.asked == 1 and np.shares_memory(levels.images[0].data, volume)
    ngff.to_ngff_zarr(tmp_path / "a.zarr", levels)
    np.testing.assert_array_equal(level(tmp_path / "a.zarr"), volume)


def test_buffers_of_other_kinds(tmp_path, pyramid):
    """array.array, a memory map of the standard library, a ctypes array: the buffer protocol."""
    import array
    import ctypes
    import mmap

    flat = np.arange(64 * 96, dtype="u1")
    (tmp_path / "raw").write_bytes(flat.tobytes())
    with open(tmp_path / "raw", "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    kinds = [memoryview(array.array("B", flat.tobytes())), memoryview(mapped),
             memoryview((ctypes.c_uint8 * flat.size).from_buffer_copy(flat.tobytes())).cast("B")]
    for data in kinds:
        ngff.to_ngff_zarr(tmp_path / "a.zarr", pyramid(data.cast("B", (64, 96)), factors=[2]))
        np.testing.assert_array_equal(level(tmp_path / "a.zarr"), flat.reshape(64, 96))
