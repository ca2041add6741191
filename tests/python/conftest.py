"""What the tests of the Python package share."""

import importlib
import os
import sys

import numpy as np
import pytest


def pytest_configure(config):
    try:
        import ngff  # noqa: F401
    except ImportError as error:
        if os.environ.get("CI") == "true":
            raise
        print(f"!! ngff is not importable ({error}): run these with ./dev test python",
              file=sys.stderr)
        pytest.exit("ngff is not importable", returncode=4)


def need(name):
    """A peer package; missing is a failure in CI and a skip elsewhere."""
    if os.environ.get("CI") != "true":
        pytest.importorskip(name)
    return importlib.import_module(name)


@pytest.fixture
def volume():
    return np.random.default_rng(7).integers(0, 255, (40, 64, 96)).astype("u1")


@pytest.fixture
def pyramid():
    import ngff

    def make(data, dims=None, factors=(2, 4), **options):
        options.setdefault("chunks", 32)
        image = ngff.to_ngff_image(data, dims=dims)
        return ngff.to_multiscales(image, scale_factors=list(factors), **options)

    return make
