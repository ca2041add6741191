"""Random conversions: read back by a peer, every level equals what the plain Python twins compute.

Cases are numbered; case N is the same on every machine. NGFF_PROPERTY_CASES sets how many run (2000
in continuous integration, 400 elsewhere), NGFF_PROPERTY_FIRST the number of the first one. At the end
the test prints what the cases together exercised, and fails when something was never exercised."""

import collections
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import random
import shutil
import sys
import tempfile
import traceback

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

import twins  # noqa: E402
from harness import IN_CI, LIMIT, run_ngff, smallest_budget  # noqa: E402
from inputs import COMPLEX, DTYPES, pixels, save_npy  # noqa: E402

CASES = int(os.environ.get("NGFF_PROPERTY_CASES", 2000 if IN_CI else 400))
FIRST = int(os.environ.get("NGFF_PROPERTY_FIRST", 0))

METHODS = ("gaussian", "bin_shrink", "mode", "nearest", "min", "max", "median")
DIMS = ("yx", "zyx", "cyx", "tyx", "czyx", "tzyx", "tcyx", "tczyx")
SIZES = (1, 2, 3, 5, 7, 8, 11, 13, 16, 17, 23, 31, 32, 37, 41, 53, 64, 67, 71, 97)
FACTOR_LISTS = ((2,), (2, 4), (3,), (2, 4, 8), (2, 3), (2, 3, 4), (3, 9), (4,), (5,), (2, 6), (8,))
CODECS = ("none", "zstd", "gzip", "blosc:lz4", "blosc:zstd")
MOST_ELEMENTS = 60000
MOST_CHUNKS = 250


class Case:
    """Everything about case `number`, from its number alone."""

    def __init__(self, number):
        self.number = number
        rng = random.Random(f"ngff property {number}")
        self.dims = rng.choice(DIMS)
        self.shape = self.choose_shape(rng)
        self.dtype = rng.choice(COMPLEX) if rng.random() < 0.03 else rng.choice(DTYPES)
        self.method = rng.choice(METHODS)
        self.kind = self.choose_kind(rng)
        self.order = rng.choice("CF")
        self.byte_order = rng.choice("<>")
        self.file_dims = self.choose_file_dims(rng)
        self.chunks = self.choose_chunks(rng)
        self.version = rng.choice(("0.4", "0.5", "0.5"))
        self.per_shard = None
        if self.version == "0.5" and rng.random() < 0.6:
            self.per_shard = {d: rng.randint(1, 3) for d in self.dims}
        self.choose_levels(rng)
        self.codec = rng.choice(CODECS)
        self.layout = rng.choice(("flat", "seed"))
        self.threads = rng.choice((1, 2, 3, 7))
        self.budget = rng.choice((None, None, "tight", "tight", "16M"))
        self.empty = rng.random() < 0.2
        self.scale = [round(rng.uniform(0.1, 5), 3) if d in "zyx" else 1.0 for d in self.dims]
        self.translation = [round(rng.uniform(-9, 9), 3) if d in "zyx" else 0.0 for d in self.dims]
        self.labels = self.method == "mode" or rng.random() < 0.1

    def choose_shape(self, rng):
        while True:
            shape = [rng.choice(SIZES) if d in "zyx" else rng.randint(1, 4) for d in self.dims]
            if int(np.prod(shape)) <= MOST_ELEMENTS:
                return shape

    def choose_kind(self, rng):
        """One of the kinds that can hold such an image."""
        kinds = ["npy", "npy", "raw", "zarr"]
        if self.tiff_can(np.dtype(self.dtype)):
            kinds += ["tiff", "tiff"]
        if self.nifti_can(np.dtype(self.dtype)):
            kinds += ["nifti", "nifti.gz"]
        return rng.choice(kinds)

    def choose_chunks(self, rng):
        """Any chunks, as long as level 0 has not too many of them."""
        chunks = {d: rng.randint(1, 24) if d in "zyx" else rng.randint(1, 2) for d in self.dims}
        while np.prod([-(-n // chunks[d]) for d, n in zip(self.dims, self.shape)]) > MOST_CHUNKS:
            small = min((d for d in self.dims if d in "zyx"), key=chunks.get)
            chunks[small] = 2 * chunks[small] + 1
        return chunks

    def choose_file_dims(self, rng):
        """Sometimes the file's axes come in another order than the canonical one."""
        if self.kind in ("tiff", "nifti", "nifti.gz") or rng.random() < 0.75:
            return self.dims
        letters = list(self.dims)
        rng.shuffle(letters)
        return "".join(letters)

    def choose_levels(self, rng):
        self.factor_option = None
        spatial = [d in "zyx" for d in self.dims]
        if self.dtype in COMPLEX:
            self.requested = []
        elif rng.random() < 0.15:
            chunks = [self.chunks[d] for d in self.dims]
            self.requested = twins.automatic(self.shape, self.dims, chunks, 4)
        elif rng.random() < 0.3:
            row = [1] * len(self.dims)
            self.requested = []
            for _ in range(rng.randint(1, 3)):
                row = [n * rng.choice((1, 2, 2, 3)) if s else 1 for n, s in zip(row, spatial)]
                self.requested.append({d: f for d, f in zip(self.dims, row) if d in "zyx"})
            self.factor_option = ";".join(
                ",".join(f"{d}={f}" for d, f in row.items()) for row in self.requested)
        else:
            self.requested = list(rng.choice(FACTOR_LISTS))
            self.factor_option = ",".join(map(str, self.requested))

    def array(self):
        """The pixels in canonical order."""
        return pixels(tuple(self.shape), self.dtype, self.number,
                      "labels" if self.labels else "mixed")

    def named(self, values):
        return ",".join(f"{d}={v}" for d, v in zip(self.dims, values))

    def options(self):
        words = ["--chunks", self.named(self.chunks.values()), "--method", self.method,
                 "--ome-zarr-version", self.version, "--codec", self.codec, "--layout", self.layout,
                 "--threads", str(self.threads), "--durability", "none", "--json", "--quiet",
                 "--scale", self.named(self.scale), "--translation", self.named(self.translation)]
        if self.per_shard:
            words += ["--chunks-per-shard", self.named(self.per_shard.values())]
        if self.factor_option:
            words += ["--scale-factors", self.factor_option]
        else:
            words += ["--min-size", "4"]
        if self.empty:
            words += ["--write-empty-chunks"]
        return words

    def source(self, work, array):
        """Writes the input; returns its path and the options that describe it."""
        dtype = array.dtype.newbyteorder(self.byte_order)
        axes = [self.dims.index(d) for d in self.file_dims]
        stored = array.transpose(axes).astype(dtype)
        if self.kind == "raw":
            path = work / "in.raw"
            stored.tofile(path)
            return path, ["--dims", self.file_dims, "--shape", ",".join(map(str, stored.shape)),
                          "--dtype", self.raw_dtype(array.dtype)]
        if self.kind == "tiff":
            return self.tiff(work, stored), []
        if self.kind.startswith("nifti"):
            return self.nifti(work, array), []
        if self.kind == "zarr":
            return self.zarr(work, stored), ["--dims", self.file_dims]
        return save_npy(work / "in.npy", stored, self.order, self.byte_order), [
            "--dims", self.file_dims]

    def raw_dtype(self, dtype):
        if dtype.itemsize == 1:
            return dtype.name
        return dtype.newbyteorder(self.byte_order).str

    def tiff_can(self, dtype):
        """No axes of size 1, which TIFF has no way to tell from missing ones."""
        return dtype.kind in "iuf" and min(self.shape) > 1 and (
            self.plain_tiff() or dtype.name not in ("float16", "int64", "uint64"))

    def plain_tiff(self):
        return self.dims in ("yx", "zyx") and self.number % 2 == 0

    def tiff(self, work, stored):
        """A plain one for stacks, OME-TIFF for everything else."""
        import tifffile

        rng = random.Random(self.number)
        layout = rng.choice(({}, {"tile": (16, 32)}, {"rowsperstrip": 5}))
        compression = rng.choice((None, "zlib", "lzw")) if stored.dtype.itemsize < 8 else None
        path = work / "in.tif"
        plain = self.plain_tiff()
        tifffile.imwrite(path, stored, compression=compression, photometric="minisblack",
                         byteorder=self.byte_order, ome=not plain,
                         metadata=None if plain else {"axes": self.dims.upper()}, **layout)
        return path

    def nifti_can(self, dtype):
        """No channels, and the types that the header has a code for."""
        return "c" not in self.dims and dtype.name not in ("bool", "float16") and (
            self.dims in ("zyx", "tzyx"))

    def nifti(self, work, array):
        import nibabel

        stored = array.T.astype(array.dtype.newbyteorder(self.byte_order))
        header = nibabel.Nifti1Header(endianness=self.byte_order)
        header.set_data_dtype(stored.dtype)
        path = work / ("in.nii.gz" if self.kind.endswith("gz") else "in.nii")
        nibabel.Nifti1Image(stored, np.eye(4), header).to_filename(path)
        return path

    def zarr(self, work, stored):
        import zarr

        path = work / "in.zarr"
        zarr.create_array(str(path), data=stored.astype(stored.dtype.newbyteorder("=")),
                          chunks=tuple(max(1, n // 2) for n in stored.shape),
                          zarr_format=2 if self.number % 2 else 3)
        return path


# ---- one case -----------------------------------------------------------------------------------


def convert(case, path, store, described):
    """Runs the command line. A tight budget is the one that the refusal of a far too small one names;
    the other budget may be too small as well."""
    words = ["convert", path, store, *described, *case.options()]
    if case.budget is None:
        return run_ngff(*words)
    if case.budget != "tight":
        done = run_ngff(*words, "--memory-target", case.budget, expect=None)
        if done.code == 0:
            return done
        assert done.code == LIMIT, f"expected exit 0 or {LIMIT}, got {done}"
    least = smallest_budget(*words)
    assert not store.exists(), "a refused job left something behind"
    return run_ngff(*words, "--memory-target", least)


def read_levels(case, store, paths):
    from peers import read_tensorstore, read_zarr_python

    return (read_tensorstore if case.number % 4 else read_zarr_python)(store, paths)


def compare(case, levels, array, found):
    """Level 0 is the image; every other level is what its source level, as stored, reduces to."""
    assert [a.shape for a in found] == [level["shape"] for level in levels]
    assert found[0].dtype == array.dtype
    np.testing.assert_array_equal(found[0].view(np.uint8), array.view(np.uint8))
    for index, level in enumerate(levels[1:], 1):
        with np.errstate(all="ignore"):
            want = twins.reduce(found[level["source"]], case.method, level["step"])
        try:
            compare_level(found[index], want, case.method)
        except AssertionError as error:
            raise AssertionError(f"level {index}: {error}") from None


def compare_level(got, want, method):
    """A twin rounds once in a while the other way; in a small level that is more than a share."""
    if method == "gaussian" and want.dtype.kind in "biu" and want.size < 1000:
        assert got.dtype == want.dtype and got.shape == want.shape
        away = np.abs(got.astype(object) - want.astype(object))
        assert away.max(initial=0) <= (4 if want.dtype.itemsize == 8 else 1), f"off by {away.max()}"
        assert want.dtype.itemsize == 8 or (away != 0).sum() <= 2, f"{(away != 0).sum()} differ"
    else:
        twins.assert_same(got, want, method)


def compare_metadata(case, levels, store):
    import documents

    entry = documents.multiscale(store)
    assert "".join(axis["name"] for axis in entry["axes"]) == case.dims
    for level, dataset in zip(levels, entry["datasets"]):
        scale, translation = documents.scale_and_translation(dataset)
        np.testing.assert_allclose(scale, level["scale"], rtol=1e-14)
        np.testing.assert_allclose(translation, level["translation"], rtol=1e-14, atol=1e-14)
    documents.check_consolidated(store)
    documents.check_no_null(store)


def coverage(case, levels, report):
    """Names of what this case exercised."""
    stats = report["stats"]
    seen = {f"{case.method} x {case.dtype}", f"kind {case.kind}", f"codec {case.codec}",
            f"order {case.order}", f"ndim {len(case.dims)}", f"threads {case.threads}"}
    if case.byte_order == ">":
        seen.add("big endian")
    if stats["blocks"] >= 8:
        seen.add("8 work blocks")
    if stats["parked_chunks"] > 0:
        seen.add("a chunk waited for its turn")
    if stats["spill_bytes"] > 0:
        seen.add("spill used")
    blocks = [-(-n // b) for n, b in zip(case.shape, stats["block"])]
    reduced = [len(levels) > 1 and levels[1]["step"][i] > 1 for i in range(len(case.dims))]
    if case.method == "gaussian" and any(b > 1 and r for b, r in zip(blocks, reduced)):
        seen.add("halo across a seam")
    if case.per_shard:
        chunk = [min(case.chunks[d], n) for d, n in zip(case.dims, case.shape)]
        shards = [-(-n // (c * p)) for n, c, p in zip(case.shape, chunk, case.per_shard.values())]
        seen |= {"sharded"} | ({"2 shards on 2 axes"} if sum(s >= 2 for s in shards) >= 2 else set())
    if any(level["source"] not in (0, i - 1) for i, level in enumerate(levels) if i):
        seen.add("source level neither 0 nor the one before")
    if len(case.requested) + 1 > len(levels):
        seen.add("a level left out")
    if any(n == 1 for n, d in zip(case.shape, case.dims) if d in "zyx"):
        seen.add("spatial axis of size 1")
    if case.file_dims != case.dims:
        seen.add("transposed source")
    return seen


def run_case(number, work):
    case = Case(number)
    work = pathlib.Path(work) / str(number)
    work.mkdir()
    try:
        import documents

        array = case.array()
        path, described = case.source(work, array)
        store = work / "out.ome.zarr"
        result = convert(case, path, store, described)
        levels = twins.geometry(case.shape, case.dims, case.requested, case.method, case.scale,
                                case.translation)
        found = read_levels(case, store, documents.dataset_paths(store))
        compare(case, levels, array, found)
        compare_metadata(case, levels, store)
        return number, None, coverage(case, levels, result.json())
    except Exception:
        return number, f"{vars(case)}\n{traceback.format_exc()}", set()
    finally:
        shutil.rmtree(work, ignore_errors=True)


def run_chunk(numbers, work):
    return [run_case(number, work) for number in numbers]


# ---- the test -----------------------------------------------------------------------------------

MUST_SEE = ("8 work blocks", "a chunk waited for its turn", "spill used", "halo across a seam",
            "2 shards on 2 axes", "source level neither 0 nor the one before", "a level left out",
            "spatial axis of size 1", "transposed source", "big endian", "sharded")


def all_cases():
    """Runs the cases in two processes that were started fresh (the readers have threads)."""
    numbers = range(FIRST, FIRST + CASES)
    chunks = [numbers[i : i + 25] for i in range(0, CASES, 25)]
    context = multiprocessing.get_context("spawn")
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=base) as work, concurrent.futures.ProcessPoolExecutor(
            max_workers=os.cpu_count(), mp_context=context) as pool:
        for rows in pool.map(run_chunk, chunks, [work] * len(chunks)):
            yield from rows


def test_random_conversions():
    seen = collections.Counter()
    failures = []
    for number, failure, features in all_cases():
        seen.update(features)
        if failure:
            failures.append(f"case {number} (NGFF_PROPERTY_FIRST={number} NGFF_PROPERTY_CASES=1)\n"
                            f"{failure}")
    pairs = {f"{m} x {d}" for m in METHODS for d in DTYPES}
    print(f"\nproperty: {CASES} cases, {len(failures)} failed; exercised:")
    for name in sorted(set(seen) - pairs | set(MUST_SEE)):
        print(f"  {seen[name]:6d}  {name}")
    print(f"  {len(pairs & set(seen)):6d}  of {len(pairs)} pairs of method and data type, "
          f"each at least {min(seen[p] for p in pairs)} times")
    assert not failures, "\n\n".join(failures[:5]) + f"\n\n{len(failures)} failures"
    if CASES >= 2000:
        never = [name for name in list(MUST_SEE) + sorted(pairs) if not seen[name]]
        assert not never, f"never exercised: {never}"


@pytest.mark.parametrize("number", range(3))
def test_cases_are_reproducible(number):
    assert json.dumps(vars(Case(number)), default=str) == json.dumps(vars(Case(number)), default=str)
