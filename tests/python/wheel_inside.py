"""Runs inside an environment that has the wheel and NumPy and nothing else, in an empty directory with
cells.tif and cells.npy; the last line of its output is what the test looks at."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import sysconfig


def mapped():
    """Every shared library that this process has loaded."""
    with open("/proc/self/maps", encoding="utf-8") as file:
        return sorted(set(re.findall(r" (/.*\.so[.\d]*)$", file.read(), re.M)))


def command(*words):
    tool = os.path.join(sysconfig.get_path("scripts"), "ngff")
    return subprocess.run([tool, *words], check=True, capture_output=True, text=True).stdout


os.chdir(os.path.dirname(os.path.abspath(__file__)))
before = mapped()

import numpy as np  # noqa: E402

import ngff as nz  # noqa: E402

after_import = mapped()
for name in nz.__all__:
    getattr(nz, name)

data = np.random.default_rng(3).integers(0, 999, (40, 64, 96)).astype("u2")
levels = nz.to_multiscales(nz.to_ngff_image(data), scale_factors=[2, 4], chunks=32)
nz.to_ngff_zarr("old.ome.zarr", levels)
nz.to_ngff_zarr("new.ome.zarr", levels, version="0.5", chunks_per_shard=2,
                compressors=[{"name": "zstd", "configuration": {"level": 3, "checksum": True}}])
nz.to_ngff_zarr("one.ozx", levels, compressor=nz.codec_from_name("gzip", 4))
for store in ("old.ome.zarr", "new.ome.zarr", "one.ozx"):
    back = nz.from_ngff_zarr(store, validate=True)
    assert np.array_equal(np.asarray(back.images[0].data), data)
    assert [image.data.shape for image in back.images] == [(40, 64, 96), (20, 32, 48), (10, 16, 24)]
    assert "40 x 64 x 96" in command("info", store), command("info", store)

command("convert", "cells.tif", "cells.ome.zarr", "--chunks", "32", "--quiet")
cells = np.asarray(nz.from_ngff_zarr("cells.ome.zarr").images[0].data)
assert np.array_equal(cells, np.load("cells.npy"))
command("thumbnail", "old.ome.zarr", "old.png")
with open("old.png", "rb") as picture:
    assert picture.read(4) == b"\x89PNG"

for name in ("dask", "zarr", "numcodecs", "tensorstore", "rich"):
    assert name not in sys.modules
    try:
        __import__(name)
    except ImportError:
        continue
    raise AssertionError(f"{name} is here: this is no empty environment")
try:
    nz.to_ngff_zarr("t.ome.zarr", levels, use_tensorstore=True)
    raise AssertionError("TensorStore is not installed")
except ImportError as error:
    assert "tensorstore" in str(error)

# Another interpreter of the same process is refused, under whatever name this Python has them.
REFUSED = f"""
import sys
sys.path[:] = {sys.path!r}
try:
    import ngff._core
except ImportError as error:
    open("refused.txt", "w").write(str(error))
"""
for module in ("_interpreters", "_xxsubinterpreters"):
    try:
        interpreters = __import__(module)
    except ImportError:
        continue
    made = interpreters.create("legacy") if module == "_interpreters" else interpreters.create(isolated=False)
    interpreters.run_string(made, REFUSED)
    interpreters.destroy(made)
    break
with open("refused.txt", encoding="utf-8") as words:
    assert "subinterpreter" in words.read()
assert np.array_equal(np.asarray(nz.from_ngff_zarr("one.ozx").images[0].data), data)

with nz.open_writer("frames.ome.zarr", {"shape": (0, 64, 96), "dtype": "u2", "dims": "tyx"}, live=True,
                    scale_factors=[2]) as writer:
    for frame in data:
        writer.append(frame)
assert np.array_equal(np.asarray(nz.open_array("frames.ome.zarr")), data)
nz.open_array("frames.ome.zarr")[3, 5:9] = 7
assert (nz.open_array("frames.ome.zarr")[3, 5:9] == 7).all()
with open("frames.ome.zarr/zarr.json", encoding="utf-8") as document:
    nz.validate(json.load(document)["attributes"], "0.5", strict=True)

print(json.dumps({
    "python": list(sys.version_info[:3]), "module": nz.__file__, "before": before,
    "import": after_import, "all": mapped(), "command": command("--version"),
    "packages": sorted({d.metadata["Name"] for d in importlib.metadata.distributions()})}))
