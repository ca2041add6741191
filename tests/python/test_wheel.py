"""The wheel: what is in it, and that it runs with NumPy alone, on every CPython that is here, in a
system tree that has no library beyond the run-time of C, C++ and CPython."""

import glob
import json
import os
import pathlib
import re
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from conftest import need

HERE = pathlib.Path(__file__).parent
# The C library of the machine; and the C++ run-time, for two libraries that Debian builds from C++
# (Snappy in Blosc, LERC in TIFF). The policies of the Python packaging authority name all of them.
RUN_TIME = {"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2",
            "librt.so.1", "libstdc++.so.6", "libgcc_s.so.1"}
# What CPython's own modules need (binascii, zlib).
INTERPRETER = {"libz.so.1"}
MAX_SIZE = 5 * 1000 * 1000
PYTHONS = [p for p in os.environ.get("NGFF_WHEEL_PYTHONS", "").split(":") if p]


def missing(what):
    """What keeps a test from running is a failure in CI, a skip elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}: the stage cannot show what it is for")
    pytest.skip(what)


@pytest.fixture(scope="session")
def wheel():
    path = os.environ.get("NGFF_WHEEL", "")
    if not os.path.isfile(path):
        missing("no wheel (NGFF_WHEEL): run this as ./dev test python")
    return pathlib.Path(path)


@pytest.fixture(scope="session")
def content(wheel, tmp_path_factory):
    where = tmp_path_factory.mktemp("wheel")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(where)
    return where


def binaries(content):
    return [p for p in sorted(content.rglob("*")) if p.is_file() and p.read_bytes()[:4] == b"\x7fELF"]


def dynamic(path):
    """([needed], [run paths]) of an ELF file."""
    done = subprocess.run(["readelf", "-dW", path], check=True, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"})
    return (re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout),
            [p for paths in re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", done.stdout)
             for p in paths.split(":")])


def test_tag_and_size(wheel, content):
    assert re.fullmatch(r"ngff-[\d.]+-cp311-abi3-(manylinux|linux)\w*\.whl", wheel.name)
    assert wheel.stat().st_size <= MAX_SIZE
    tags = next(content.glob("*.dist-info/WHEEL")).read_text(encoding="utf-8")
    assert "Tag: cp311-abi3-" in tags and "Root-Is-Purelib: false" in tags
    needs = next(content.glob("*.dist-info/METADATA")).read_text(encoding="utf-8")
    assert [r for r in re.findall(r"^Requires-Dist: (.*)$", needs, re.M) if "extra ==" not in r] == ["numpy"]
    assert (content / "ngff/py.typed").exists()
    assert [p.name for p in content.glob("*.data/scripts/*")] == ["ngff"]


def test_needs_nothing_but_the_run_time(content):
    bundled = {p.name for p in (content / "ngff/_libs").iterdir()}
    files = binaries(content)
    assert {"_core.abi3.so", "ngff", "libblosc.so.1", "libzstd.so.1"} <= {p.name for p in files}
    wanted = set()
    for path in files:
        needed, run_paths = dynamic(path)
        wanted |= set(needed)
        strange = set(needed) - RUN_TIME - bundled
        assert not strange, f"{path.name} needs {strange}"
        assert all(p.startswith("$ORIGIN") for p in run_paths), f"{path.name}: {run_paths}"
    assert bundled <= wanted, f"bundled in vain: {bundled - wanted}"
    assert not [p.name for p in files if p.name.startswith("libpython")]


# ---- environments -------------------------------------------------------------------------------


def environment(python, wheel):
    """A virtual environment with NumPy, kept between runs, and the wheel, installed anew."""
    house = pathlib.Path(os.environ["NGFF_WHEELHOUSE"])
    version = subprocess.run([python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])"],
                             check=True, capture_output=True, text=True).stdout.strip()
    minor = "".join(version.split(".")[:2])
    numpy = glob.glob(str(house / f"numpy-*-cp{minor}-*.whl"))
    if not numpy:
        missing(f"NumPy for CPython {version} could not be had")
    where = house.parent / f"wheel-env-{version}"
    inner = where / "bin/python"
    install = [sys.executable, "-m", "pip", "--python", str(inner), "install", "--no-index", "--no-deps",
               "--no-compile", "--quiet", "--no-input", "--disable-pip-version-check"]
    done = where / pathlib.Path(numpy[0]).name
    if not done.exists() or subprocess.run([inner, "-c", "import numpy"], check=False).returncode:
        subprocess.run([python, "-m", "venv", "--without-pip", "--clear", where], check=True)
        subprocess.run([*install, numpy[0]], check=True)
        done.touch()
    subprocess.run([*install, "--force-reinstall", str(wheel)], check=True)
    return where, pathlib.Path(os.path.realpath(python)).parents[1]


def libraries():
    """{name: path} of the libraries of the bare tree on this machine."""
    found = {}
    for line in subprocess.run(["ldconfig", "-p"], check=True, capture_output=True,
                               text=True).stdout.splitlines():
        match = re.match(r"\s*(\S+) \(.*x86-64.*\) => (\S+)", line)
        if match and match[1] in RUN_TIME | INTERPRETER:
            found.setdefault(match[1], match[2])
    return found


def bare_system(tree, folders, words):
    """The shell lines that run a command in a file system of its own: the run-time's libraries, and
    `folders` where they are. Mounts are seen by this command only and go with it."""
    lines = ["set -e", f"mount -t tmpfs none '{tree}'", f"cd '{tree}'",
             "mkdir -p lib/x86_64-linux-gnu lib64 proc dev tmp"]
    for path in libraries().values():
        lines.append(f"cp -L '{path}' lib/x86_64-linux-gnu/")
    lines += ["cp -L /lib64/ld-linux-x86-64.so.2 lib64/", "mount --rbind /proc proc",
              "mount --rbind /dev dev"]
    for folder, how in folders.items():
        lines += [f"mkdir -p '.{folder}'", f"mount --bind '{folder}' '.{folder}'"]
        if how == "ro":
            lines.append(f"mount -o remount,ro,bind '.{folder}'")
    quoted = " ".join(f"'{word}'" for word in words)
    lines.append(f"exec chroot . {quoted}")
    return "\n".join(lines)


def can_build_trees(tmp):
    return subprocess.run(["unshare", "-m", "sh", "-c", f"mount -t tmpfs none '{tmp}' && chroot / true"],
                          check=False, capture_output=True).returncode == 0


def test_interpreters():
    """What the tests below cover; with one version alone the stage says so."""
    if not PYTHONS:
        missing("no list of interpreters (NGFF_WHEEL_PYTHONS): run this as ./dev test python")
    assert all(os.access(p, os.X_OK) for p in PYTHONS)


@pytest.mark.parametrize("python", PYTHONS, ids=[pathlib.Path(p).parts[-3] for p in PYTHONS])
def test_runs_with_numpy_alone(python, wheel, tmp_path):
    where, prefix = environment(python, wheel)
    if str(prefix) == "/usr":
        missing(f"{python} is the system's own: it cannot be taken out of its tree")
    tree, work = tmp_path / "tree", tmp_path / "work"
    tree.mkdir()
    work.mkdir()
    if not can_build_trees(tree):
        missing("no right to mount and to change the root: the bare system tree cannot be made")
    pixels = np.random.default_rng(4).integers(0, 999, (9, 64, 96)).astype("u2")
    np.save(work / "cells.npy", pixels)
    need("tifffile").imwrite(work / "cells.tif", pixels, compression="zstd", imagej=False,
                             metadata={"axes": "ZYX"}, tile=(32, 32), photometric="minisblack")
    (work / "inside.py").write_bytes((HERE / "wheel_inside.py").read_bytes())
    script = bare_system(tree, {str(prefix): "ro", str(where): "ro", str(work): "rw"}, [
        str(where / "bin/python"), "-X", "dev", "-W", "error", "-I", str(work / "inside.py")])
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script], check=False,
                          capture_output=True, text=True, env={"HOME": "/tmp", "PATH": os.environ["PATH"]})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    check(json.loads(done.stdout.splitlines()[-1]), where, prefix)


def check(seen, where, prefix):
    site = os.path.dirname(os.path.dirname(seen["module"]))
    assert site.startswith(str(where))
    assert seen["packages"] == ["ngff", "numpy"]
    assert not [p for p in seen["before"] if "/ngff/" in p]
    foreign = [p for p in seen["all"] if not p.startswith((str(where), str(prefix)))
               and os.path.basename(p) not in RUN_TIME | INTERPRETER]
    assert not foreign, f"loaded from the system: {foreign}"
    ours = {os.path.basename(p) for p in seen["all"] if p.startswith(f"{site}/ngff/_libs/")}
    assert {"libblosc.so.1", "libzstd.so.1", "libtiff.so.6"} <= ours
    assert "ngff" in seen["command"]
