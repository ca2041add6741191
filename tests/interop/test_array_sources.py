"""NumPy and NIfTI sources against numpy and nibabel: every value, type, axis and position."""

import gzip
import itertools
import json
import pathlib
import shutil
import subprocess

import numpy as np
import pytest

import harness

nib = pytest.importorskip("nibabel")

DUMP = harness.NGFF.parent / "source_dump"
WORDS = {
    "R": "left-to-right", "L": "right-to-left",
    "A": "posterior-to-anterior", "P": "anterior-to-posterior",
    "S": "inferior-to-superior", "I": "superior-to-inferior",
}  # fmt: skip


def dump(path, *args):
    """The description as JSON and the pixels."""
    out = pathlib.Path(f"{path}.raw")
    done = subprocess.run(
        [str(c) for c in (DUMP, path, *args, "--out", out)], capture_output=True, timeout=120
    )
    assert not done.stderr, done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    pixels = np.fromfile(out, answer["dtype"]).reshape(answer["shape"])
    out.unlink()
    return answer, pixels


def same(got, want):
    assert got.dtype == want.dtype.newbyteorder("=")
    assert got.shape == want.shape
    np.testing.assert_array_equal(got, want)


def names(answer):
    return "".join(a["name"] for a in answer["axes"])


# ---- npy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", "?bBhHiIqQefdFD")
def test_npy(tmp_path, dtype, order):
    rng = np.random.default_rng(ord(dtype))
    for shape, end in itertools.product([(7, 9), (3, 40, 70), (2, 3, 4, 5, 6)], "<>"):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        data = rng.integers(0, 2 if dtype == "?" else 120, size, np.uint8).view(dtype)
        data = np.asarray(data.reshape(shape).astype(np.dtype(dtype).newbyteorder(end)), order=order)
        np.save(tmp_path / "a.npy", data)
        answer, pixels = dump(tmp_path / "a.npy")
        same(pixels, data)
        assert names(answer) == "tczyx"[5 - len(shape) :]


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_npy_versions(tmp_path, version):
    data = np.arange(24, dtype="<u2").reshape(4, 6)
    with open(tmp_path / "a.npy", "wb") as f:
        np.lib.format.write_array(f, data, version)
    same(dump(tmp_path / "a.npy")[1], data)


# ---- NIfTI --------------------------------------------------------------------------------------


def canonical(data):
    """nibabel's x, y, z, t, c to t, c, z, y, x."""
    data = data.transpose(range(data.ndim)[::-1])
    return data.transpose(1, 0, 2, 3, 4) if data.ndim == 5 else data


def write(path, data, cls=nib.Nifti1Image, end="<", scaling=None):
    """Stores the numbers of `data` as they are, whatever the scaling."""
    header = cls.header_class(endianness=end)
    header.set_data_dtype(data.dtype.newbyteorder(end))
    header.set_data_shape(data.shape)
    header["vox_offset"] = 352 if cls is nib.Nifti1Image else 544
    if scaling:
        header["scl_slope"], header["scl_inter"] = scaling
    stored = data.astype(data.dtype.newbyteorder(end)).tobytes(order="F")
    blob = header.binaryblock + bytes(4) + stored
    path.write_bytes(gzip.compress(blob) if path.suffix == ".gz" else blob)


def compare(path):
    with np.errstate(all="ignore"):
        want = canonical(np.asanyarray(nib.load(path).dataobj))
    answer, pixels = dump(path)
    same(pixels, want)
    return answer


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("cls", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("dtype", "u1 i2 i4 f4 c8 f8 i1 u2 u4 i8 u8 c16".split())
def test_nifti_values(tmp_path, dtype, cls, name):
    rng = np.random.default_rng(1)
    path = tmp_path / name
    for shape, end in itertools.product([(7, 5, 3), (6, 5, 4, 3), (5, 4, 3, 2, 3)], "<>"):
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        data = rng.integers(0, 256, size, np.uint8).view(dtype).reshape(shape)
        write(path, data, cls, end)
        compare(path)
        if dtype[0] == "c":
            continue
        for scaling in [(0.1, 3.0), (1.0, -2.5), (2.0, 0.0), (0.0, 7.0), (np.nan, 0.0)]:
            write(path, data, cls, end, scaling)
            compare(path)
    same(dump(path, "--raw", 1)[1], canonical(data))


def test_nifti_rgb(tmp_path):
    rng = np.random.default_rng(2)
    data = rng.integers(0, 256, (6, 5, 4, 3), np.uint8)
    record = np.ascontiguousarray(data).view([(c, "u1") for c in "RGB"])[..., 0]
    nib.save(nib.Nifti1Image(record, np.eye(4)), tmp_path / "rgb.nii.gz")
    answer, pixels = dump(tmp_path / "rgb.nii.gz")
    same(pixels, data.transpose(3, 2, 1, 0))
    assert names(answer) == "czyx"
    assert [c["color"] for c in answer["channels"]] == ["FF0000", "00FF00", "0000FF"]


def check_geometry(path):
    image = nib.load(path)
    answer, pixels = dump(path)
    same(pixels, canonical(np.asanyarray(image.dataobj)))
    affine = image.affine
    axes = answer["axes"][::-1][:3]
    world = nib.io_orientation(affine)[:, 0].astype(int)
    assert [a["orientation"] for a in axes] == [WORDS[c] for c in nib.aff2axcodes(affine)]
    np.testing.assert_allclose(
        [a["scale"] for a in axes], np.linalg.norm(affine[:3, :3], axis=0), rtol=2e-5
    )
    np.testing.assert_allclose([a["translation"] for a in axes], affine[world, 3])
    return answer


@pytest.mark.parametrize("form", ["qform", "sform"])
@pytest.mark.parametrize("seed", range(24))
def test_nifti_geometry(tmp_path, seed, form):
    rng = np.random.default_rng(seed)
    turn = np.eye(3)[rng.permutation(3)] * rng.choice([-1, 1], 3)
    if seed % 2:
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = turn * rng.uniform(0.3, 4, 3)
    affine[:3, 3] = rng.uniform(-99, 99, 3)
    image = nib.Nifti1Image(np.zeros((2, 3, 4), np.uint8), None)
    image.header.set_xyzt_units("mm", "sec")
    image.set_qform(affine if form == "qform" else None, int(form == "qform"))
    image.set_sform(affine if form == "sform" else None, int(form == "sform"))
    nib.save(image, tmp_path / "a.nii")
    answer = check_geometry(tmp_path / "a.nii")
    assert [a["unit"] for a in answer["axes"]] == ["millimeter"] * 3
    assert ("oblique" in answer["note"]) == bool(seed % 2)


def test_templates(tmp_path):
    """The brain templates that nilearn brings along."""
    nilearn = pytest.importorskip("nilearn")
    folder = pathlib.Path(nilearn.__file__).parent / "datasets" / "data"
    found = sorted(folder.glob("*.nii.gz"))
    assert found or not harness.IN_CI, f"no templates in {folder}"
    for path in found:
        copy = tmp_path / path.name
        shutil.copyfile(path, copy)
        check_geometry(copy)
