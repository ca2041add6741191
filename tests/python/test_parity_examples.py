"""Each example of ngff-zarr's documentation, run with ngff-zarr 0.50 and with this package, the
results compared. What the examples do stands in doc_examples and doc_examples_files."""

import gc
import pathlib
import warnings

import pytest

import doc_examples_files  # noqa: F401 (fills the table)
import doc_examples_itk  # noqa: F401
import parity
from conftest import need
from doc_examples import TABLE, line

need("ngff_zarr")
ROWS = [row for row in TABLE if row.run]


CANNOT = (AttributeError, NotImplementedError, TypeError, ValueError, ImportError, AssertionError)


def run(row, name, where, monkeypatch):
    """What the example returns, with the pixels in memory, and what it says it did otherwise."""
    where.mkdir()
    monkeypatch.chdir(where)
    module = parity.Module(name)
    if module.ours:
        return parity.realize(row.run(module)), module.notes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = parity.realize(row.run(module))
        if row.page == "TIFF":
            gc.collect()  # it leaves its files open
    return result, module.notes


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.page}: {row.section}" for row in ROWS])
def test_example(row, tmp_path, monkeypatch):
    theirs, notes = run(row, "ngff_zarr", tmp_path / "theirs", monkeypatch)
    try:
        ours, more = run(row, "ngff", tmp_path / "ours", monkeypatch)
    except CANNOT:
        if row.missing:
            return
        raise
    assert not row.missing, f"this works now, take its mark away ({row.missing!r})"
    left, unused = parity.unexplained(parity.compare("", ours, theirs), row.differences)
    assert not left, "\n".join(["not explained:", *map(parity.show, left)])
    notes |= more
    assert not set(unused) - notes, "these did not occur"
    assert notes <= set(row.differences), "not listed"


def test_page_lists_every_example():
    page = pathlib.Path(__file__).parents[2].joinpath("docs/python-parity.md").read_text("utf-8")
    for row in TABLE:
        assert line(row) in page, "run: ./dev python tools/python_parity.py"
