"""What scripts import from ngff-zarr's modules is found in modules of the same names here."""

import importlib
import importlib.util
import inspect
import pkgutil
import subprocess
import sys

import pytest

import ngff
from conftest import need

# The command line is `ngff`; Leica's files have no public specification; 0.9 is a draft; the rest are parts of
# their reader and checker that scripts have no use for.
NOT_HERE = {"cli", "lif_to_ngff_image", "parse_metadata", "rfc4_conformance", "transformation", "v09",
            "v09.zarr_metadata", "zarr_metadata"}
# Public in a module of theirs, but not of the package.
INTERNAL = {
    "CliInputError", "get_default_colors", "field_image", "check_unoriented_field", "FieldBound", "field_window",
    "field_displacement_bound", "non_default_axes_types", "decompose_affine_with_shear", "extract_spatial_metadata",
    "load_rfc4_orientation_schema", "ZipReadStore", "load_schema", "is_dimension_supported", "is_unit_supported"}


def theirs():
    need("ngff_zarr")
    import ngff_zarr

    for found in pkgutil.walk_packages(ngff_zarr.__path__, "ngff_zarr."):
        name = found.name.removeprefix("ngff_zarr.")
        if not name.startswith("_") and "._" not in name and name not in NOT_HERE:
            importlib.import_module(found.name)
            yield name, sys.modules[found.name]


def defined(module):
    """Public functions and classes of a module."""
    return {name for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
            and (inspect.isclass(value) or inspect.isfunction(value))}


def test_names_are_where_theirs_are():
    checked, missing = 0, []
    for name, module in theirs():
        ours = importlib.import_module(f"ngff.{name}")
        for what in sorted(defined(module) - INTERNAL):
            if name == "structural_validation" and what.startswith(("validate_", "is_rfc")) and not hasattr(ours, what):
                continue  # theirs has a function a rule; `validate_structural` applies them
            checked += 1
            if not hasattr(ours, what):
                missing.append(f"{name}.{what}")
    assert checked > 100 and not missing


def test_functions_stay_functions():
    """`import ngff.to_multiscales` must not put a module in the function's place."""
    code = ("import ngff.to_multiscales, ngff.validate, ngff.config, ngff\n"
            "from ngff.to_multiscales import to_multiscales\n"
            "assert callable(ngff.to_multiscales) and ngff.to_multiscales is to_multiscales\n"
            "assert callable(ngff.validate) and ngff.config.memory_target > 0\n"
            "import ngff.to_ngff_zarr as write\n"
            "assert write is ngff.to_ngff_zarr\n"
            "import ngff.rfc4, ngff.ngff_image\n"
            "assert ngff.rfc4.LPS is ngff.LPS and ngff.ngff_image.NgffImage is ngff.NgffImage\n")
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_not_there():
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from ngff.ngff_image import nothing  # noqa: F401
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("ngff.nothing")
    with pytest.raises(AttributeError):
        ngff.nothing  # noqa: B018
    assert importlib.util.find_spec("ngff.multiscales").name == "ngff.multiscales"


AXES = [{"name": "c", "type": "channel"}] + [
    {"name": name, "type": "space", "orientation": {"type": "anatomical", "value": value}}
    for name, value in zip("zyx", ("inferior-to-superior", "anterior-to-posterior", "right-to-left"))]


def changed(n, **orientation):
    return [{**axis, "orientation": {**axis.get("orientation", {}), **orientation}} if i == n else axis
            for i, axis in enumerate(AXES)]


@pytest.mark.parametrize("axes", [
    AXES, AXES[:1], AXES[:3], [{**AXES[0], "orientation": {}}, *AXES[1:]], [{**AXES[1], "orientation": None}],
    changed(0, type="anatomical", value="left-to-right"), changed(2, type="other"), changed(3, value="up"),
    changed(3, value="posterior-to-anterior"), changed(3, value=["left"]), [{**AXES[3], "orientation": "left"}]])
def test_rfc4(axes):
    """Both packages, by the same names."""
    need("ngff_zarr")
    answers = []
    for package in ("ngff_zarr", "ngff"):
        rules, names = (importlib.import_module(f"{package}.{m}") for m in ("rfc4_validation", "rfc4"))
        try:
            rules.validate_rfc4_orientation(axes)
            verdict = "valid"
        except Exception as error:
            assert isinstance(error, ValueError) or type(error).__name__ == "ValidationError"
            verdict = "invalid"
        turns = names.axes_orientations_from_axes(axes)
        answers.append((verdict, rules.has_any_rfc4_orientation(axes), rules.has_rfc4_orientation_metadata(axes),
                        turns and {k: str(v.value.value) for k, v in turns.items()}))
    assert answers[0] == answers[1]
    assert ngff.rfc4.is_rfc4_enabled([4]) and not ngff.rfc4.is_rfc4_enabled(None)
