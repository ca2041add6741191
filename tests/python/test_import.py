"""What importing costs, counted in modules, not in seconds."""

import subprocess
import sys

import ngff

COUNT = """
import sys
import numpy
before = set(sys.modules)


def loaded():  # names that ngff-zarr has modules of are no modules here
    return sorted(n for n in set(sys.modules) - before if sys.modules[n].__spec__.loader)


import ngff
print(*loaded())
{}
print(*loaded())
"""
WRITE = """
levels = ngff.to_multiscales(numpy.zeros((8, 64, 64), "u1"), scale_factors=[2], chunks=8)
ngff.to_ngff_zarr({}, levels)
"""


def modules(code):
    made = subprocess.run([sys.executable, "-c", COUNT.format(code)], text=True, check=True,
                          capture_output=True)
    return [line.split() for line in made.stdout.splitlines()]


def test_import_loads_the_extension_only():
    assert modules("")[0] == ["ngff", "ngff._core", "ngff._modules"]


def test_writing_an_array_loads_little():
    loaded = modules(WRITE)[1]
    heavy = {"dask", "zarr", "numcodecs", "tensorstore", "rich", "tempfile", "shutil", "zipfile",
             "asyncio", "concurrent", "importlib.metadata", "pathlib", "inspect", "ngff._ahead"}
    assert not heavy & set(loaded)
    assert len(loaded) <= 40, loaded


def test_every_public_name_is_there():
    assert set(ngff.__all__) <= set(dir(ngff))
    for name in ngff.__all__:
        assert getattr(ngff, name) is not None
    names = {}
    exec("from ngff import *", names)
    assert set(ngff.__all__) <= set(names)
