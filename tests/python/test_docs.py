"""The documentation runs: every Python block of the page, top to bottom, in one namespace."""

import pathlib
import re

import ngff

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_coming_from_ngff_zarr(tmp_path, monkeypatch):
    page = ROOT / "docs/coming-from-ngff-zarr.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 5
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ngff.config, "memory_target", ngff.config.memory_target)
    space = {}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), space)


def test_parity_page_names_everything():
    """Each public name of the peer stands in the table, and none of ours is claimed in vain."""
    theirs = __import__("conftest").need("ngff_zarr")
    page = (ROOT / "docs/python-parity.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", page, re.M))
    assert not set(theirs.__all__) - set(rows)
    for name, state in rows.items():
        assert hasattr(ngff, name) == (state in ("same", "better", "partly")), name
