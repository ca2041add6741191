"""The programs around the library: the examples run, the man page is the command line's own, and a
program outside the tree can be built against an installed copy."""

import os
import re
import shutil
import subprocess

import numpy as np
import pytest

import documents
import twins
from harness import NGFF, ROOT, missing, run_ngff
from peers import read_zarr_python


def example(name):
    program = NGFF.parent / f"example_{name}"
    if not os.access(program, os.X_OK):
        missing(f"example program {name}: build with NGFF_EXAMPLES=ON")
    return program


def test_example_writes_a_buffer(tmp_path):
    store = tmp_path / "out.ome.zarr"
    subprocess.run([example("write_buffer"), store], check=True)
    i = np.arange(40 * 300 * 200, dtype="uint64")
    want = (i * i * 2654435761 >> 20).astype("uint16").reshape(40, 300, 200)
    levels = read_zarr_python(store, documents.dataset_paths(store))
    np.testing.assert_array_equal(levels[0], want)
    assert len(levels) > 1
    factors = twins.automatic(want.shape, "zyx", scale=(2.0, 1.0, 1.0))
    for got, expected in zip(levels, twins.pyramid(want, "zyx", factors), strict=True):
        twins.assert_same(got, expected, "gaussian")
    datasets = documents.multiscale(store)["datasets"]
    assert documents.scale_and_translation(datasets[0])[0] == [2.0, 1.0, 1.0]


def test_example_writes_from_a_callback_and_reads_back(tmp_path):
    store = tmp_path / "out.ome.zarr"
    done = subprocess.run([example("callback_source"), store], check=True, capture_output=True)
    level1 = read_zarr_python(store, documents.dataset_paths(store))[1]
    numbers = [int(n) for n in re.findall(rb"\d+", done.stdout)[1:]]
    assert numbers == level1[0, 0, :4].tolist()


def test_examples_say_what_is_wrong(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    done = subprocess.run([example("write_buffer"), tmp_path], check=False, capture_output=True)
    assert done.returncode == 1 and done.stderr.strip()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_man_page_is_that_of_the_command_line():
    """`ngff --man` makes it from the same tables as --help: `./dev man` writes it again."""
    assert (ROOT / "docs" / "man" / "ngff.1").read_text() == run_ngff("--man").out


def test_man_page_renders():
    if shutil.which("man") is None:
        pytest.skip("man is not installed: nothing here can render the page")
    done = subprocess.run(["man", "--warnings", "-l", ROOT / "docs" / "man" / "ngff.1"], check=True,
                          capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "100"})
    assert b"--memory-target" in done.stdout
    assert not done.stderr


def test_every_option_is_in_the_help():
    for command in ("convert", "info", "thumbnail", "sample", "methods", "codecs"):
        text = run_ngff(command, "--help").out
        assert text.startswith(f"usage: ngff {command}")
    for name in ("--dims", "--units", "--scale", "--translation", "--name", "--chunks",
                 "--chunks-per-shard", "--method", "--ome-zarr-version", "--codec",
                 "--compression-level", "--memory-target", "--quiet", "--overwrite", "--durability",
                 "--threads", "--dry-run", "--json"):
        assert name in run_ngff("convert", "--help").out


def test_methods_lists_the_peers_names():
    names = {row["name"] for row in run_ngff("methods", "--json").json()["methods"]}
    ngff_zarr = pytest.importorskip("ngff_zarr")
    assert {m.value for m in ngff_zarr.Methods} <= names
