"""Plates in stores that are no directories: mappings, stores of zarr-python, of fsspec."""

import asyncio

import numpy as np
import pytest

import ngff
from conftest import need
from test_plates import check_pixels, image, layout, pixels, write


class Failing(dict):
    """Takes so many values, then none."""

    left = 1 << 30

    def __setitem__(self, key, value):
        self.left -= 1
        if self.left < 0:
            raise OSError("the store is full")
        super().__setitem__(key, value)


def mapping():
    store = {}
    return store, lambda: set(store)


def zarr_memory():
    need("zarr")
    from zarr.storage import MemoryStore

    store = MemoryStore()

    async def listed():
        return {key async for key in store.list()}
    return store, lambda: asyncio.run(listed())


def fsspec_memory():
    fsspec = need("fsspec")
    fs = fsspec.filesystem("memory")
    if fs.exists("/plates"):
        fs.rm("/plates", recursive=True)
    return "memory://plates/screen.zarr", lambda: {
        key.removeprefix("/plates/screen.zarr/") for key in fs.find("/plates/screen.zarr")}


STORES = [mapping, zarr_memory, fsspec_memory]


@pytest.mark.parametrize("version", ["0.4", "0.5", "0.6"])
@pytest.mark.parametrize("make", STORES)
def test_the_same_as_in_a_directory(tmp_path, make, version):
    store, keys = make()
    write(store, version)
    write(tmp_path / "same.zarr", version)
    check_pixels(ngff.from_hcs_zarr(store, validate=True), 2, ["1", "0"])
    files = {str(p.relative_to(tmp_path / "same.zarr")) for p in (tmp_path / "same.zarr").rglob("*") if p.is_file()}
    assert keys() == files


def test_documents_are_those_of_a_directory(tmp_path):
    store = {}
    write(store, "0.5")
    write(tmp_path / "same.zarr", "0.5")
    for key, value in store.items():
        assert bytes(value) == (tmp_path / "same.zarr" / key).read_bytes(), key


@pytest.mark.parametrize("make", STORES)
def test_a_field_is_replaced_or_kept(make):
    store, keys = make()
    plate = write(store, "0.5")
    before = keys()
    with pytest.raises(FileExistsError, match="A/1/0: exists already"):
        ngff.write_hcs_well_image(store, image("A", 1, 5), plate, "A", "1", 0, version="0.5", overwrite=False)
    check_pixels(ngff.from_hcs_zarr(store), 2, ["1", "0"])
    assert keys() == before
    ngff.write_hcs_well_image(store, image("B", 2, 7, factors=()), plate, "A", "1", 0, version="0.5")
    well = ngff.from_hcs_zarr(store).get_well("A", "1")
    np.testing.assert_array_equal(np.asarray(well.get_image(1).images[0].data), pixels("B", 2, 7))
    assert {key for key in before - keys()} == {key for key in before if key.startswith("A/1/0/scale1/")} != set()


@pytest.mark.parametrize("make", STORES)
def test_a_plate_is_replaced_or_kept(make):
    store, keys = make()
    write(store, "0.5")
    before = keys()
    plate = layout("0.5")
    plate.name = "again"
    ngff.to_hcs_zarr(ngff.HCSPlate(store, plate), store, overwrite=False)
    assert keys() == before and ngff.from_hcs_zarr(store).metadata.name == "again"
    check_pixels(ngff.from_hcs_zarr(store), 2, ["1", "0"])
    ngff.to_hcs_zarr(ngff.HCSPlate(store, plate), store)
    assert keys() == {"zarr.json"}


@pytest.mark.parametrize("make", STORES)
@pytest.mark.parametrize("old,new", [("0.4", "0.5"), ("0.5", "0.4")])
def test_a_plate_of_the_other_format_is_replaced_whole(make, old, new):
    store, keys = make()
    write(store, old)
    ngff.to_hcs_zarr(ngff.HCSPlate(store, layout(new)), store)
    assert keys() == ({".zgroup", ".zattrs"} if new == "0.4" else {"zarr.json"})
    assert ngff.from_hcs_zarr(store).metadata.version == new


def test_what_is_not_ours_is_left_alone():
    store = {"notes.txt": b"mine"}
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match="other things"):
            ngff.to_hcs_zarr(ngff.HCSPlate(store, layout("0.5")), store, overwrite=overwrite)
        with pytest.raises(FileExistsError, match="other things"):
            ngff.write_hcs_well_image(store, image("A", 1, 0), layout("0.5"), "A", "1", version="0.5",
                                      overwrite=overwrite)
    assert store == {"notes.txt": b"mine"}


def test_a_field_that_fails_is_not_named():
    """Whatever value is the first that the store does not take."""
    whole = Failing()
    plate = layout("0.5")
    ngff.to_hcs_zarr(ngff.HCSPlate(whole, plate), whole)
    ngff.write_hcs_well_image(whole, image("A", 1, 0), plate, "A", "1", 0, version="0.5")
    for n in range(len(whole) - 1):
        store = Failing()
        ngff.to_hcs_zarr(ngff.HCSPlate(store, plate), store)
        store.left = n
        with pytest.raises(OSError, match="full"):
            ngff.write_hcs_well_image(store, image("A", 1, 0), plate, "A", "1", 0, version="0.5")
        if "A/1/zarr.json" in store:  # what names the field came after it
            for found in ngff.from_hcs_zarr(store).get_well("A", "1").images:
                level = ngff.open_array(store, f"A/1/{found.path}/scale0/image")
                np.testing.assert_array_equal(np.asarray(level), pixels("A", 1, 0))
        store.left = 1 << 30
        ngff.write_hcs_well_image(store, image("A", 1, 0), plate, "A", "1", 0, version="0.5")
        assert {k: bytes(v) for k, v in store.items()} == {k: bytes(v) for k, v in whole.items()}


def test_an_archive_is_written_to_a_path():
    need("fsspec")
    with pytest.raises((NotImplementedError, ValueError), match="archive|ozx"):
        ngff.write_hcs_well_image("memory://plates/a.ozx", image("A", 1, 0), layout("0.5"), "A", "1", version="0.5")
