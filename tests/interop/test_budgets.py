"""The budget that a refusal names does: all that a job may have to hold is in it, and nothing is written
before that is known."""

import numpy as np
import pytest

from harness import LIMIT, run_ngff, smallest_budget
from inputs import save_npy

OUTPUTS = {
    "display windows": ("out.zarr", ["--omero-quantiles", "0.02,0.98"]),
    "display windows, sharded": ("out.zarr", ["--omero-quantiles", "0.1,0.9", "--chunks-per-shard", "2"]),
    "no spill": ("out.zarr", ["--no-spill"]),
    "no spill, sharded": ("out.zarr", ["--no-spill", "--chunks-per-shard", "2"]),
    "no spill, shards of 3": ("out.zarr", ["--no-spill", "--chunks-per-shard", "3"]),
    "no spill, flat shards": ("out.zarr", ["--no-spill", "--chunks-per-shard", "1,4,4"]),
    "no spill, archive": ("out.ozx", ["--no-spill"]),
    "no spill, archive of chunks": ("out.zip", ["--no-spill"]),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Pixels that no codec makes smaller."""
    noise = np.random.default_rng(5).integers(0, 1 << 16, (56, 112, 120), dtype="uint16")
    return save_npy(tmp_path_factory.mktemp("noise") / "noise.npy", noise)


@pytest.mark.parametrize("threads", (1, 4))
@pytest.mark.parametrize("name", OUTPUTS)
def test_the_named_budget_does(tmp_path, source, name, threads):
    store, options = OUTPUTS[name]
    command = ["convert", source, tmp_path / store, "--dims", "zyx", "--chunks", "16", "--scale-factors", "2,4",
               "--threads", str(threads), *options]
    least = int(smallest_budget(*command))
    run_ngff(*command, "--memory-target", str(least - 1), expect=LIMIT)
    assert list(tmp_path.iterdir()) == []
    report = run_ngff(*command, "--memory-target", str(least), "--json").json()["stats"]
    assert report["peak_bytes"] <= least
    if "--no-spill" in options:
        assert report["spill_bytes"] == 0


def test_windows_of_many_channels_are_refused_by_the_plan(tmp_path):
    """Counts for 200 channels of 16 bits, far beyond the budget."""
    source = save_npy(tmp_path / "many.npy", np.ones((200, 8, 8), dtype="uint16"))
    command = ["convert", source, tmp_path / "out.zarr", "--dims", "cyx", "--omero-quantiles", "0,1"]
    least = int(smallest_budget(*command))
    assert least > 200 * 65536 * 4
    run_ngff(*command, "--memory-target", "32M", expect=LIMIT)
    run_ngff(*command, "--memory-target", str(least))
