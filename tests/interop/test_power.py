"""Power loss: the calls of a real run, in their order, are replayed to every prefix, and what was not
flushed by then is lost. What is at the destination is the complete old output, the complete new one, or
nothing; once the program has ended with success it is the new one.

The disk (`Disk`) promises no more than POSIX does: the bytes of a file last from the fsync of that file
on, the names in a directory from the fsync of that directory on, everything from a syncfs on. What was
not flushed may be lost or not, and not in the order in which it was done (`LOSSES`)."""

import dataclasses
import json
import pathlib

import pytest

from forms import ALL, FORMS, LOCK, tree
from harness import EXISTS, plain_or_not
from inputs import pixels
import shim

PROGRAM = plain_or_not()

FOLLOWED = 6  # of the states after a loss, how many a next run must cope with


# ---- a disk that forgets ------------------------------------------------------------------------


@dataclasses.dataclass(eq=False)
class File:
    data: bytearray
    safe: bytes = b""

    def flush(self):
        self.safe = bytes(self.data)


@dataclasses.dataclass(eq=False)
class Folder:
    names: dict
    safe: dict

    def flush(self):
        self.safe = dict(self.names)


class Disk:
    """What is below `root`: as it was, then as the calls change it."""

    def __init__(self, root):
        self.root = str(root)
        self.top = self._load(pathlib.Path(root))
        self.nodes = []
        self._collect(self.top)

    def _load(self, path):
        if path.is_dir():
            names = {p.name: self._load(p) for p in path.iterdir()}
            return Folder(names, dict(names))
        data = path.read_bytes()
        return File(bytearray(data), data)

    def _collect(self, node):
        self.nodes.append(node)
        for child in getattr(node, "names", {}).values():
            self._collect(child)

    def _find(self, path):
        node = self.top
        for part in pathlib.PurePosixPath(path).relative_to(self.root).parts:
            node = node.names[part]
        return node

    def _place(self, path):
        """The folder a path is in, and its name there."""
        path = pathlib.PurePosixPath(path)
        return self._find(path.parent), path.name

    def _make(self, path, node):
        folder, name = self._place(path)
        folder.names[name] = node
        self.nodes.append(node)

    def apply(self, call):
        getattr(self, f"_{call.op}")(call)

    def _create(self, call):
        self._make(call.path, File(bytearray()))

    def _mkdir(self, call):
        self._make(call.path, Folder({}, {}))

    def _write(self, call):
        data = self._find(call.path).data
        end = call.offset + len(call.data)
        data.extend(bytes(max(0, end - len(data))))
        data[call.offset:end] = call.data

    def _truncate(self, call):
        data = self._find(call.path).data
        del data[call.offset:]
        data.extend(bytes(call.offset - len(data)))

    def _rename(self, call):
        folder, name = self._place(call.path)
        target, other = self._place(call.other)
        target.names[other] = folder.names.pop(name)

    def _exchange(self, call):
        folder, name = self._place(call.path)
        target, other = self._place(call.other)
        folder.names[name], target.names[other] = target.names[other], folder.names[name]

    def _link(self, call):
        target, other = self._place(call.other)
        target.names[other] = self._find(call.path)

    def _unlink(self, call):
        folder, name = self._place(call.path)
        del folder.names[name]

    _rmdir = _unlink

    def _fsync(self, call):
        self._find(call.path).flush()

    _fdatasync = _fsync

    def _syncfs(self, _):
        for node in self.nodes:
            node.flush()


# Which names and which bytes there are after a loss: (of the folder that holds the destination, of the
# folders elsewhere, of files); True: also what was not flushed.
LOSSES = {
    "all of it lost": (False, False, False),
    "bytes lost": (True, True, False),
    "names beside the destination lost": (False, True, True),
    "names elsewhere lost": (True, False, True),
    "names elsewhere and bytes lost": (True, False, False),
    "nothing lost": (True, True, True),
}


def remains(disk, loss, beside):
    """{path: bytes} and a set of the folders, after a loss. `beside`: the folder of the destination."""
    here, elsewhere, data = LOSSES[loss]
    files, folders = {}, set()

    def walk(node, path):
        if isinstance(node, File):
            files[path] = bytes(node.data) if data else node.safe
            return
        folders.add(path)
        names = node.names if (here if path == beside else elsewhere) else node.safe
        for name, child in names.items():
            walk(child, f"{path}/{name}" if path else name)

    walk(disk.top, "")
    return files, folders


def trees_of(state, places):
    """As forms.tree says it, of a state that is on no disk."""
    files, folders = state
    out = []
    for place in places:
        if place in files:
            out.append({"": files[place]})
        elif place in folders:
            out.append({path[len(place) + 1:]: data for path, data in files.items()
                        if path.startswith(place + "/") and pathlib.PurePosixPath(path).name != LOCK})
        else:
            out.append(None)
    return tuple(out)


def lay_out(state, root):
    files, folders = state
    for path in sorted(folders):
        (root / path).mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (root / path).write_bytes(data)


# ---- the test -----------------------------------------------------------------------------------


class Replay:
    """The calls of one run, with what is left of them after each kind of loss at each prefix."""

    def __init__(self, pair, work, overwrite, durability):
        self.pair = pair
        self.overwrite = overwrite
        root = work / "disk"
        root.mkdir()
        # The folder is new as well: its name must last, too.
        self.below = "" if overwrite else "made/for/it"
        folder = root / self.below
        if overwrite:
            pair.lay_out_old(root)
        self.disk = Disk(root)
        options = ["--durability", durability] + (["--overwrite"] if overwrite else [])
        self.calls = shim.record(root, work / "log", *pair.form.convert(pair.new_file, folder, *options),
                                 old_system=pair.form.old_system, program=pair.program)
        self.places = [str(p.relative_to(root)) for p in pair.form.places(folder)]
        assert pair.judge(pair.form.trees(folder)) == "new"

    def states(self):
        """(calls done, loss, what is left) in the order of the calls."""
        for done in range(len(self.calls) + 1):
            if done:
                self.disk.apply(self.calls[done - 1])
            for loss in LOSSES:
                yield done, loss, remains(self.disk, loss, self.below)

    def check(self):
        """Judges every state; answers how often each was found, and every distinct state."""
        outcomes = {"old": 0, "new": 0, "absent": 0}
        distinct = {}
        for done, loss, state in self.states():
            where = f"after {done} of {len(self.calls)} calls, {loss}"
            try:
                found = self.pair.judge(self.pair.form.seen(trees_of(state, self.places)))
            except AssertionError as error:
                raise AssertionError(f"{where}: {error}") from error
            assert done < len(self.calls) or found == "new", f"ended with success, {where}: {found}"
            assert found != "absent" or not self.overwrite or self.pair.form.old_system, where
            outcomes[found] += 1
            distinct[repr(sorted(state[0].items())), repr(sorted(state[1]))] = (where, found, state)
        return outcomes, list(distinct.values())

    def check_next_run(self, distinct, work):
        """The next run copes with what is left: some of the states, evenly taken."""
        step = max(1, len(distinct) // FOLLOWED)
        for number, (where, found, state) in enumerate(distinct[step // 2::step]):
            root = work / f"next{number}"
            root.mkdir()
            lay_out(state, root)
            folder = root / self.below
            folder.mkdir(parents=True, exist_ok=True)
            more = ["--overwrite"] if found != "absent" else []
            code, err = self.pair.run(folder, "--durability", "none", *more)
            # What came back from beside (two renames) exists as well.
            if code == EXISTS and self.pair.form.old_system and found == "absent":
                code, err = self.pair.run(folder, "--durability", "none", "--overwrite")
            assert code == 0, f"{where}: {err}"
            assert self.pair.judge(self.pair.form.trees(folder)) == "new", where
            assert self.pair.form.leftovers(folder) == [], where


@pytest.mark.parametrize("durability", ("publish", "each"))
@pytest.mark.parametrize("overwrite", (False, True), ids=("new", "overwrite"))
@pytest.mark.parametrize("name", ALL)
def test_power_loss(small_pairs, report, place, name, overwrite, durability):
    replay = Replay(small_pairs(name), place, overwrite, durability)
    outcomes, distinct = replay.check()
    assert outcomes["new"] > 0 and outcomes["old" if overwrite else "absent"] > 0
    replay.check_next_run(distinct, place)
    report(f"power lost, {name}, {'overwrite' if overwrite else 'new'}, durability {durability}: "
           f"{len(replay.calls)} calls, {sum(outcomes.values())} states, {len(distinct)} distinct: {outcomes}")


@pytest.mark.parametrize("name", FORMS)
def test_without_flushing_it_would_be_lost(small_pairs, place, name):
    """The replay sees what durability none gives up: else it would show nothing about the others."""
    replay = Replay(small_pairs(name), place, False, "none")
    with pytest.raises(AssertionError):
        replay.check()


# ---- levels added to a store --------------------------------------------------------------------


def check_levels(state, store, old, new):
    """What the root names is there: level 0 as it was, every other level whole, old or new."""
    (now,) = trees_of(state, [store])
    # A value being renamed into place may be left beside it, under a name that no reader looks at.
    now = {path: data for path, data in now.items() if ".ngff-" not in path}
    root = now["zarr.json"] if "zarr.json" in now else now[".zattrs"]
    named = json.loads(root)["attributes"]["ome"] if "zarr.json" in now else json.loads(root)
    paths = [d["path"] for d in named["multiscales"][0]["datasets"]]
    assert paths in (["0"], ["0", "1", "2"]), paths
    for path in paths:
        level = {key: data for key, data in now.items() if key.startswith(path + "/")}
        assert level in ([{key: data for key, data in tree.items() if key.startswith(path + "/")}
                          for tree in (old, new)]), f"level {path} is neither old nor new"
    return len(paths)


@pytest.mark.parametrize("durability", ("publish", "each"))
@pytest.mark.parametrize("name", ("0.4", "0.5", "sharded"))
def test_power_loss_while_levels_are_replaced(small_pairs, report, place, name, durability):
    pair = small_pairs(name)
    root = place / "disk"
    root.mkdir()
    code, err = pair.run(root)
    assert code == 0, err
    (store,) = pair.form.places(root)
    old, disk = tree(store), Disk(root)
    calls = shim.record(root, place / "log", "levels", store, "--scale-factors", "2,4", "--method", "median",
                        "--durability", durability, "--quiet", program=pair.program)
    new = tree(store)
    assert new != old
    seen = {1: 0, 3: 0}
    for done in range(len(calls) + 1):
        if done:
            disk.apply(calls[done - 1])
        for loss in LOSSES:
            try:
                levels = check_levels(remains(disk, loss, store.name), store.name, old, new)
            except (AssertionError, KeyError, ValueError) as error:
                raise AssertionError(f"after {done} of {len(calls)} calls, {loss}: {error!r}") from error
            seen[levels] += 1
    assert all(seen.values())
    assert check_levels(remains(disk, "all of it lost", store.name), store.name, new, new) == 3
    report(f"power lost, levels of {name}, durability {durability}: {len(calls)} calls: {seen[3]} states "
           f"with all levels, {seen[1]} with the kept one")


# ---- frames appended in sight -------------------------------------------------------------------


def frames_told(files, level):
    """Along axis 0, by the array's own document and by the consolidated ones of the root."""
    own = json.loads(files[f"{level}/zarr.json"])["shape"][0]
    root = json.loads(files["zarr.json"])
    return max(own, root["consolidated_metadata"]["metadata"][level]["shape"][0])


def check_frames(state, store, whole):
    """Every chunk of every frame that some document speaks of is there; the fewest frames told, or
    None where there is nothing to see."""
    (now,) = trees_of(state, [store])
    if now is None:
        return None
    told = [frames_told(now, level) for level in "012"]
    for level, frames in zip("012", told):
        for key, data in whole.items():
            if key.startswith(f"{level}/c/") and int(key.split("/")[2]) < frames:
                assert now.get(key) == data, f"{key} of {frames} frames"
    return min(told)


@pytest.mark.parametrize("durability", ("publish", "each"))
def test_power_loss_while_frames_appear(report, place, durability):
    image = pixels((9, 20, 24), "uint16", seed=5)
    root = place / "disk"
    root.mkdir()
    store, disk = root / "made" / "out.ome.zarr", Disk(root)
    calls = shim.record(root, place / "log", "convert", "-", store, "--shape", "0,20,24", "--dtype", "uint16",
                        "--dims", "tyx", "--chunks", "1,16,16", "--scale-factors", "y=2,x=2;y=4,x=4", "--layout",
                        "flat", "--live", "--threads", "1", "--durability", durability, "--quiet",
                        program=PROGRAM, data=image.tobytes())
    whole, seen = tree(store), set()
    for done in range(len(calls) + 1):
        if done:
            disk.apply(calls[done - 1])
        for loss in LOSSES:
            try:
                frames = check_frames(remains(disk, loss, "made"), "made/out.ome.zarr", whole)
            except (AssertionError, KeyError, ValueError) as error:
                raise AssertionError(f"after {done} of {len(calls)} calls, {loss}: {error!r}") from error
            seen.add(frames)
    assert frames == len(image) and None in seen and len(seen) > 3, seen
    assert trees_of(remains(disk, "all of it lost", "made"), ["made/out.ome.zarr"]) == (whole,)
    report(f"power lost, frames in sight, durability {durability}: {len(calls)} calls; "
           f"seen: {sorted(n for n in seen if n is not None)}")
