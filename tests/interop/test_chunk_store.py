"""Metadata in one store, chunks in another: read back, refused. Killed, failed, raced: forms.ChunkStore."""

import shutil
import zipfile

import numpy as np
import pytest

import documents
from forms import OPTIONS as COMMON
from harness import EXISTS, INPUT, USAGE, run_ngff
from inputs import pixels, save_npy
from peers import need, read_zarr_python

OPTIONS = [*COMMON, "--layout", "flat"]
FORMS = {
    "0.4": ["--ome-zarr-version", "0.4"],
    "0.5": ["--ome-zarr-version", "0.5"],
    "0.5-sharded": ["--ome-zarr-version", "0.5", "--chunks-per-shard", "2"],
}
LEVELS = ["0", "1", "2"]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """The old image and the new one: different pixels, different shapes."""
    work = tmp_path_factory.mktemp("images")
    old = pixels((20, 30, 40), "uint8", seed=1)
    new = pixels((48, 100, 110), "uint16", seed=2)
    return (old, save_npy(work / "old.npy", old)), (new, save_npy(work / "new.npy", new))


class Place:
    """The two halves in a folder."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.store, self.chunks = folder / "out.ome.zarr", folder / "chunks"
        self.options = ["--chunk-store", self.chunks]

    def convert(self, source, *options, **how):
        return run_ngff("convert", source, self.store, *OPTIONS, *self.options, *options, **how)

    def generations(self):
        return sorted(p for p in self.chunks.iterdir() if not p.name.startswith("."))

    def joined(self, name="joined"):
        """What the library reads through the pair, as an ordinary store."""
        archive, store = self.folder / f"{name}.zip", self.folder / name
        run_ngff("zip", self.store, archive, *self.options, "--quiet", "--durability", "none")
        with zipfile.ZipFile(archive) as z:
            z.extractall(store)
        archive.unlink()
        return store


def holds(store, image):
    assert documents.dataset_paths(store) == LEVELS
    levels = read_zarr_python(store, LEVELS)
    np.testing.assert_array_equal(levels[0], image)
    assert all(level.any() for level in levels[1:])
    documents.check_consolidated(store)
    return True


def pair_of(metadata, chunks):
    """How any program reads a pair with zarr-python: documents from one folder, all else from another."""
    local = need("zarr").storage.LocalStore

    class Pair(local):
        other = local(chunks, read_only=True)

        def side(self, key):
            name = key.rsplit("/", 1)[-1]
            return super() if name in documents.V2_NAMES | documents.V3_NAMES else self.other

        async def get(self, key, prototype=None, byte_range=None):
            return await self.side(key).get(key, prototype, byte_range)

        async def exists(self, key):
            return await self.side(key).exists(key)

    return Pair(metadata, read_only=True)


@pytest.mark.parametrize("form", FORMS)
def test_read_back(tmp_path, images, form):
    _, (new, source) = images
    place = Place(tmp_path / "a")
    place.convert(source, *FORMS[form])
    (generation,) = place.generations()
    names = {p.name for p in place.store.rglob("*") if p.is_file()}
    assert names <= documents.V2_NAMES | documents.V3_NAMES | {".ngff-chunks"}
    assert generation.name in (place.store / ".ngff-chunks").read_text().split("\n")
    assert not [p for p in place.chunks.rglob("*") if p.name in names]
    documents.check_metadata_sane(place.store)
    # Through the library, through zarr-python, and put together by hand.
    assert holds(place.joined(), new)
    group = need("zarr").open_group(pair_of(place.store, generation), mode="r")
    np.testing.assert_array_equal(group["0"][...], new)
    together = tmp_path / "together"
    shutil.copytree(place.store, together)
    shutil.copytree(generation, together, dirs_exist_ok=True)
    assert holds(together, new)
    # The values are those of an ordinary store.
    plain = tmp_path / "plain"
    run_ngff("convert", source, plain, *OPTIONS, *FORMS[form])
    for path in plain.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (together / path.relative_to(plain)).read_bytes(), path
    described = run_ngff("info", place.store, *place.options, "--json").json()
    assert described["levels"] == run_ngff("info", plain, "--json").json()["levels"]
    run_ngff("thumbnail", place.store, tmp_path / "t.png", *place.options)
    run_ngff("thumbnail", plain, tmp_path / "p.png")
    assert (tmp_path / "t.png").read_bytes() == (tmp_path / "p.png").read_bytes()


def test_archives_as_halves(tmp_path, images):
    (old, old_file), (new, source) = images
    place = Place(tmp_path)
    place.chunks = tmp_path / "chunks.zip"
    place.options = ["--chunk-store", place.chunks]
    place.convert(source, "--chunks-per-shard", "2")
    assert holds(place.joined(), new)
    # It has no room for two generations, and is not given up either.
    refused = place.convert(old_file, "--overwrite=all", expect=EXISTS)
    assert str(place.chunks) in refused.err
    assert holds(place.joined("again"), new)
    place.store, place.chunks = tmp_path / "metadata.zip", tmp_path / "chunks"
    place.options = ["--chunk-store", place.chunks]
    place.convert(old_file)
    assert holds(place.joined("third"), old)
    place.convert(source, "--overwrite")
    assert holds(place.joined("fourth"), new)
    for store, chunks in (("m.ozx", "c"), ("m", "c.ozx")):
        refused = run_ngff("convert", source, tmp_path / store, *OPTIONS, "--chunk-store", tmp_path / chunks,
                           expect=None)
        assert refused.code != 0 and ".ozx" in refused.err
        assert not (tmp_path / store).exists() and not (tmp_path / chunks).exists()


def test_unzip_into_a_pair(tmp_path, images):
    _, (new, source) = images
    run_ngff("convert", source, tmp_path / "a.ozx", *OPTIONS)
    place = Place(tmp_path / "b")
    run_ngff("unzip", tmp_path / "a.ozx", place.store, *place.options, "--quiet")
    assert len(place.generations()) == 1 and holds(place.joined(), new)


def test_a_half_is_missing(tmp_path, images):
    _, (_, source) = images
    place, other = Place(tmp_path / "a"), Place(tmp_path / "b")
    place.convert(source)
    other.convert(source)
    for command in (["info", place.store], ["thumbnail", place.store, tmp_path / "t.png"],
                    ["convert", place.store, tmp_path / "c"], ["zip", place.store, tmp_path / "c.zip"],
                    ["convert", place.store / "0", tmp_path / "c"]):
        refused = run_ngff(*command, expect=INPUT)
        assert str(place.store) in refused.err and "chunks are in another store" in refused.err
    assert not (tmp_path / "c").exists() and not (tmp_path / "c.zip").exists()
    # Chunks of another image, of none, and from another time: the message names both places.
    (tmp_path / "empty").mkdir()
    for chunks in (other.chunks, tmp_path / "nowhere", tmp_path / "empty"):
        refused = run_ngff("info", place.store, "--chunk-store", chunks, expect=INPUT)
        assert str(place.store) in refused.err and str(chunks) in refused.err
    place.generations()[0].rename(place.chunks / "gen-0123456789abcdef")
    refused = run_ngff("info", place.store, *place.options, expect=INPUT)
    assert str(place.store) in refused.err and str(place.chunks) in refused.err
    plain = tmp_path / "plain"
    run_ngff("convert", source, plain, *OPTIONS)
    refused = run_ngff("info", plain, *place.options, expect=INPUT)
    assert str(plain) in refused.err and str(place.chunks) in refused.err


def test_what_is_refused(tmp_path, images):
    (old, old_file), (new, source) = images
    place, other = Place(tmp_path / "a"), Place(tmp_path / "b")
    place.convert(old_file)
    place.convert(source, expect=EXISTS)
    # The chunks of another image.
    other.chunks, other.options = place.chunks, place.options
    for option in ([], ["--overwrite"]):
        refused = other.convert(source, *option, expect=EXISTS)
        assert str(place.chunks) in refused.err and str(other.store) in refused.err
        assert not other.store.exists()
    # Foreign files, in either half, at any setting.
    for foreign in (place.chunks / "notes.txt", place.generations()[0] / "0" / "notes.txt",
                    place.store / "notes.txt"):
        foreign.write_text("mine")
        refused = place.convert(source, "--overwrite=all", expect=EXISTS)
        assert str(foreign) in refused.err
        foreign.unlink()
    # One half in the other.
    refused = run_ngff("convert", source, tmp_path / "c", *OPTIONS, "--chunk-store", tmp_path / "c" / "d",
                       expect=USAGE)
    assert "lies in the other" in refused.err and not (tmp_path / "c").exists()
    run_ngff("convert", source, tmp_path / "c" / "d", *OPTIONS, "--chunk-store", tmp_path / "c", expect=EXISTS)
    assert list((tmp_path / "c").iterdir()) == []
    assert holds(place.joined(), old)
    place.convert(source, "--overwrite")
    assert len(place.generations()) == 1 and holds(place.joined("second"), new)
    # One place for both is an ordinary store.
    for store, chunks in (("e", "e"), ("f", f"{tmp_path}/./f/")):
        run_ngff("convert", source, tmp_path / store, *OPTIONS, "--chunk-store",
                 tmp_path / chunks if chunks == store else chunks)
        assert holds(tmp_path / store, new) and not (tmp_path / store / ".ngff-chunks").exists()
