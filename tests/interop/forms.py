"""The forms an output can have, as one table: what is tested of failures is tested of each.

A form knows its options and where its parts are; what is there is compared byte by byte with what a
quiet run of the same options made (which peers have read), so that half of one and half of another
image cannot pass for either."""

import dataclasses
import functools
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

import documents
from harness import NGFF, run_ngff
from inputs import pixels, save_npy
from peers import need, read_zarr_python
import shim

OPTIONS = ["--dims", "zyx", "--chunks", "16", "--scale-factors", "2,4",
           "--method", "mean", "--quiet"]
LOCK = ".ngff-lock"


@dataclasses.dataclass(frozen=True)
class Form:
    name: str
    options: tuple
    store: str = "out.ome.zarr"
    old: tuple = None  # options of what is overwritten, when they are others
    old_system: bool = False  # renames that know neither "exchange" nor "do not replace"

    def places(self, folder):
        return [pathlib.Path(folder) / self.store]

    def convert(self, source, folder, *more, old=False, layout="flat", threads=2):
        options = self.old if old and self.old is not None else self.options
        return ["convert", str(source), str(self.places(folder)[0]), *OPTIONS, "--layout", layout,
                "--threads", str(threads),
                *options, *more]

    def trees(self, folder):
        """What is at each place: {path below it: bytes}; None: nothing."""
        return self.seen(tuple(tree(place) for place in self.places(folder)))

    def seen(self, trees):
        """Of what is at the places, what a reader takes notice of."""
        return trees

    def unseen(self, folder):
        """Whatever else there is that a killed program may leave."""
        return []

    def read(self, folder):
        return read_zarr_python(self.places(folder)[0], ["0", "1", "2"])

    def leftovers(self, folder):
        return [p for p in pathlib.Path(folder).iterdir() if p not in self.places(folder)]


class Archive(Form):
    def read(self, folder):
        zarr = need("zarr")
        group = zarr.open_group(zarr.storage.ZipStore(self.places(folder)[0], mode="r"), mode="r")
        return [np.asarray(group[path][...]) for path in ("0", "1", "2")]


class ChunkStore(Form):
    """Documents in one place, chunks in another, under a name that is new with every write."""

    def places(self, folder):
        return [pathlib.Path(folder) / self.store, pathlib.Path(folder) / "chunks"]

    def convert(self, source, folder, *more, **how):
        return super().convert(source, folder, "--chunk-store", str(self.places(folder)[1]), *more, **how)

    def seen(self, trees):
        documents_, chunks = trees
        if documents_ is None:
            return None, None
        name = documents_.get(".ngff-chunks", b"").decode().partition("\n")[2].partition("\n")[0] + "/"
        below = {path[len(name):]: data for path, data in (chunks or {}).items() if path.startswith(name)}
        # Where the other half is differs from folder to folder.
        assert below.pop(".ngff-generation", None) is not None, f"{name} is not there: {sorted(chunks or [])}"
        return {path: data for path, data in documents_.items() if path != ".ngff-chunks"}, below

    def read(self, folder):
        with tempfile.TemporaryDirectory(dir=folder) as together:
            store, chunks = self.places(folder)
            shutil.copytree(store, together, dirs_exist_ok=True)
            shutil.copytree(next(chunks.glob("gen-*")), together, dirs_exist_ok=True)
            return read_zarr_python(together, ["0", "1", "2"])

    def leftovers(self, folder):
        store, chunks = self.places(folder)
        if not store.exists():
            return super().leftovers(folder) + ([chunks] if chunks.exists() else [])
        named = (store / ".ngff-chunks").read_text().split("\n")[1]
        return super().leftovers(folder) + [p for p in chunks.iterdir() if p.name not in (named, ".ngff-used")]

    def unseen(self, folder):
        """The directory itself, the lock in it, and one generation."""
        left = [p for p in self.leftovers(folder) if p.is_relative_to(self.places(folder)[1])]
        inside = [q for p in left for q in (p.iterdir() if p.name == "chunks" else [p])]
        assert len([p for p in inside if p.name.startswith("gen-")]) <= 1, inside
        assert all(p.name.startswith("gen-") or p.name == LOCK for p in inside), inside
        return left


V04 = ("--ome-zarr-version", "0.4")
FORMS = {form.name: form for form in (
    Form("0.4", V04),
    Form("0.5", ("--ome-zarr-version", "0.5"), old=V04),
    Form("sharded", ("--chunks-per-shard", "2")),
    Archive("ozx", (), store="out.ozx"),
    ChunkStore("chunk-store", ()),
)}
# Not among the five of the matrix, but with code of their own.
VARIANTS = {form.name: form for form in (
    Form("budget", ("--chunks-per-shard", "2", "--memory-target", "16M")),
    Form("0.5-old-system", ("--ome-zarr-version", "0.5"), old_system=True),
    Archive("ozx-old-system", (), store="out.ozx", old_system=True),
)}

ALL = FORMS | VARIANTS
MOST = [name for name in ALL if name != "budget"]  # for what goes call by call


def tree(place):
    place = pathlib.Path(place)
    if not os.path.lexists(place):
        return None
    if place.is_file():
        return {"": place.read_bytes()}
    return {str(p.relative_to(place)): p.read_bytes()
            for p in sorted(place.rglob("*")) if p.is_file() and p.name != LOCK}


class Pair:
    """An old and a new image of one form: files to convert, and what converting them makes."""

    def __init__(self, form, work, small=False, program=NGFF):
        self.form, self.program = form, program
        old = pixels((12, 24, 20) if small else (20, 30, 40), "uint8", seed=1)
        new = pixels((12, 20, 24) if small else (48, 100, 110), "uint16", seed=2)
        self.work = pathlib.Path(work)
        self.old_file = save_npy(self.work / "old.npy", old)
        self.new_file = save_npy(self.work / "new.npy", new)
        self.old = self._reference("old", self.old_file, old)
        self.new = self._reference("new", self.new_file, new)
        assert self.old != self.new

    @property
    def other_file(self):
        return self.work / "other.npy"

    @functools.cached_property
    def other(self):
        """A third image, for a second writer."""
        image = pixels((20, 36, 40), "uint16", seed=3)
        return self._reference("other", save_npy(self.other_file, image), image)

    def _reference(self, name, source, image):
        folder = self.work / name
        folder.mkdir()
        form = self.form
        run_ngff(*form.convert(source, folder, old=name == "old"))
        levels = form.read(folder)
        np.testing.assert_array_equal(levels[0], image)
        assert len(levels) == 3 and all(level.any() for level in levels[1:])
        if form.places(folder)[0].is_dir():
            documents.check_consolidated(form.places(folder)[0])
        return form.trees(folder)

    def lay_out_old(self, folder):
        """The old output, in place."""
        for place in self.form.places(self.work / "old"):
            target = pathlib.Path(folder) / place.relative_to(self.work / "old")
            if place.is_dir():
                shutil.copytree(place, target)
            else:
                shutil.copyfile(place, target)

    def judge(self, trees):
        """old, new or absent; anything else is the failure that these tests look for."""
        if trees == self.old:
            return "old"
        if trees == self.new:
            return "new"
        if "other" in self.__dict__ and trees == self.other:
            return "other"
        if all(t is None for t in trees):
            return "absent"
        raise AssertionError(f"{self.form.name}: neither old nor new nor absent: {self._against(trees)}")

    def _against(self, trees):
        said = []
        for place, now, old, new in zip(self.form.places("."), trees, self.old, self.new):
            if now is None:
                said.append(f"{place} absent")
                continue
            for word, other in (("old", old), ("new", new)):
                gone = sorted(set(other) - set(now))
                more = sorted(set(now) - set(other))
                differ = sorted(k for k in set(now) & set(other) if now[k] != other[k])
                said.append(f"{place} against {word}: missing {gone[:4]} ({len(gone)}), more {more[:4]} "
                            f"({len(more)}), other bytes {differ[:4]} ({len(differ)})")
        return "; ".join(said)

    def start(self, folder, *more, source=None, threads=2, **how):
        """Starts a conversion of the new image (or `source`) into the folder; `how`: what
        shim.environment takes."""
        command = [str(self.program), *self.form.convert(source or self.new_file, folder, *more, threads=threads)]
        env = shim.environment(folder, old_system=self.form.old_system, **how)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)

    def size(self):
        """Bytes of the new output."""
        return sum(len(data) for tree in self.new for data in tree.values())

    def old_pages(self):
        """Bytes that the old output takes of a file system with pages of 4 KiB."""
        return sum(-(-len(data) // 4096) * 4096 for tree in self.old for data in tree.values())

    def run(self, folder, *more, source=None, **how):
        """The same to its end: exit code and standard error. A run that hangs fails."""
        with self.start(folder, *more, source=source, **how) as run:
            try:
                _, err = run.communicate(timeout=120)
            finally:
                run.kill()
        return run.returncode, err.decode()


def scratch():
    """Where test data is best: in memory, where there is such a place."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


class Pairs:
    """Pairs by form, made when first asked for."""

    def __init__(self, work, small, program):
        self.work, self.small, self.program, self.made = pathlib.Path(work), small, program, {}

    def __call__(self, name):
        if name not in self.made:
            folder = self.work / name
            folder.mkdir()
            self.made[name] = Pair(ALL[name], folder, self.small, self.program)
        return self.made[name]


def check_leftovers(form, folder):
    """At most one partial output (and one aside), plainly named, and the empty lock file, when the
    program was killed in the short moments of opening and publishing."""
    names = [place.name for place in form.places(folder)]
    unseen = form.unseen(folder)
    left = [p for p in form.leftovers(folder) if p not in unseen
            and not (p.name in [f".{n}{LOCK}" for n in names] and p.stat().st_size == 0)]
    partial = [p for p in left if any(p.name.startswith(f".{n}.ngff-partial-") for n in names)]
    aside = [p for p in left if any(p.name.startswith(f".{n}.ngff-old-") for n in names)]
    assert len(partial) <= len(names) and len(aside) <= (len(names) if form.old_system else 0), left
    assert len(left) == len(partial) + len(aside), f"left behind: {left}"
