"""The zarr room against zarr-python and tensorstore, both ways: zarr_peers.py as one test."""

import pathlib
import subprocess
import sys

import harness

DRIVER = harness.NGFF.parent / "zarr_driver"


def test_arrays_of_the_peers():
    if not DRIVER.exists():
        harness.missing(f"no {DRIVER.name} beside the command line (a program of the unit tests)")
    script = pathlib.Path(__file__).parent / "zarr_peers.py"
    done = subprocess.run([sys.executable, str(script), str(DRIVER)], capture_output=True,
                          text=True, timeout=600, check=False)
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
