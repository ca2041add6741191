"""The documentation runs: every Python block of the page, top to bottom, in one namespace."""

import pathlib
import re

import ngff

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_coming_from_ngff_zarr(tmp_path, monkeypatch):
    page = ROOT / "docs/coming-from-ngff-zarr.md"
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) > 5
    assert text.count("```") == 2 * len(blocks), "a block that is not run"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ngff.config, "memory_target", ngff.config.memory_target)
    space, done = {}, []
    for number, block in enumerate(blocks, 1):
        exec(compile(f"{block}\nDONE = {number}\n", f"{page.name}, block {number}", "exec"), space)
        done.append(space.pop("DONE"))
    assert done == list(range(1, len(blocks) + 1))
    written = {p.name for p in tmp_path.iterdir()}
    assert set(re.findall(r'to_ngff_zarr\("([\w.]+)"', text)) - {"other.ome.zarr"} <= written


def test_parity_page_names_everything():
    """Each public name of the peer stands in the table, and none of ours is claimed in vain."""
    theirs = __import__("conftest").need("ngff_zarr")
    page = (ROOT / "docs/python-parity.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| ([\w ]+) \|", page, re.M))
    assert not set(theirs.__all__) - set(rows)
    for name, state in rows.items():
        assert hasattr(ngff, name) == (state in ("same", "better", "partly")), name
