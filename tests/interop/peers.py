"""Readers and validators that are not ours. Each reader answers the arrays at `paths` of a store."""

import importlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

from documents import attributes, version_of, zarr_format
from harness import PEERS_NODE, missing


def need(module):
    """The peer's module; its absence is a failure in continuous integration."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        return missing(f"peer {module}: {error}")


def read_zarr_python(store, paths):
    zarr = need("zarr")
    group = zarr.open_group(str(store), mode="r", zarr_format=zarr_format(store))
    return [np.asarray(group[path][...]) for path in paths]


def read_tensorstore(store, paths):
    tensorstore = need("tensorstore")
    driver = "zarr3" if zarr_format(store) == 3 else "zarr"
    arrays = []
    for path in paths:
        spec = {"driver": driver,
                "kvstore": {"driver": "file", "path": f"{pathlib.Path(store).resolve()}/{path}/"}}
        arrays.append(np.asarray(tensorstore.open(spec, open=True, read=True).result().read().result()))
    return arrays


def read_zarrs(store, paths):
    """The Rust crate zarrs through zarrista."""
    zarrista = need("zarrista")
    files = need("zarrista.store").FilesystemStore(str(pathlib.Path(store).resolve()))
    arrays = []
    for path in paths:
        array = zarrista.Array.open(files, f"/{path}")
        arrays.append(np.array(array.retrieve_array_subset(...)))
    return arrays


def read_ngff_zarr(store, paths):
    ngff_zarr = need("ngff_zarr")
    multiscales = ngff_zarr.from_ngff_zarr(str(store))
    assert len(multiscales.images) == len(paths)
    return [np.asarray(image.data.compute()) for image in multiscales.images]


def read_zarrita(store, paths):
    """JavaScript: zarrita in node."""
    node = shutil.which("node")
    if not node or not (PEERS_NODE / "node_modules" / "zarrita").exists():
        missing("peer zarrita: no node, or no build/peers-node (./dev setup)")
    with tempfile.TemporaryDirectory() as work:
        arrays = [{"path": path, "out": f"{work}/{i}.bin"} for i, path in enumerate(paths)]
        request = {"store": str(pathlib.Path(store).resolve()), "format": zarr_format(store),
                   "arrays": arrays}
        done = subprocess.run([node, str(pathlib.Path(__file__).parent / "node" / "read.mjs")],
                              input=json.dumps(request).encode(), capture_output=True, check=False,
                              env={**os.environ, "ZARRITA": str(PEERS_NODE)}, timeout=120)
        assert done.returncode == 0, f"zarrita: {done.stderr.decode()}"
        answer = json.loads(done.stdout)
        assert answer["attributes"] == attributes(store)
        # "int64" as v3 spells it, or "<i8" of numpy: both are numpy's to parse.
        return [np.fromfile(a["out"], dtype=np.dtype(b["dtype"]).newbyteorder("=")).reshape(b["shape"])
                for a, b in zip(arrays, answer["arrays"])]


READERS = {
    "zarr-python": read_zarr_python,
    "tensorstore": read_tensorstore,
    "zarrs": read_zarrs,
    "ngff-zarr": read_ngff_zarr,
    "zarrita": read_zarrita,
}
# Data types a reader does not know (documented in the interoperability traps T13).
UNREADABLE = {
    "zarrita": {"float16", "complex64", "complex128"},
    "ngff-zarr": {"complex64", "complex128"},
}


def can_read(reader, dtype):
    return np.dtype(dtype).name not in UNREADABLE.get(reader, set())


# ---- validators ---------------------------------------------------------------------------------


def check_ome_zarr_models(store):
    models = need("ome_zarr_models")
    zarr = need("zarr")
    models.open_ome_zarr(zarr.open_group(str(store), mode="r"))


def check_yaozarrs(store):
    yaozarrs = need("yaozarrs")
    if version_of(store) == "0.5":
        yaozarrs.validate_zarr_store(str(store))
    else:
        yaozarrs.validate_ome_object(attributes(store))


def check_ngff_zarr(store):
    ngff_zarr = need("ngff_zarr")
    ngff_zarr.validate(attributes(store), version=version_of(store), model="image", strict=True)
    ngff_zarr.from_ngff_zarr(str(store), validate=True)


# OME-Zarr versions a validator has no model of (0.6 is of September 2026).
UNKNOWN_VERSIONS = {"ome-zarr-models": ("0.6",), "yaozarrs": ("0.6",)}
VALIDATORS = {
    "ome-zarr-models": check_ome_zarr_models,
    "yaozarrs": check_yaozarrs,
    "ngff-zarr": check_ngff_zarr,
}
