"""Names, parameters, their order and defaults are those of ngff-zarr: of 0.50, by looking at it, and of 0.21,
by its documentation. What is otherwise stands below, with its reason."""

import ast
import dataclasses
import enum
import inspect
import os
import pathlib
import re

import pytest

import ngff
from conftest import need

SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"

# {what: why}; each has to be there, or the line goes.
OTHER = {
    "default Axis type": "may be left out here",
    "default Metadata coordinateTransformations": "may be left out here",
    "default ValidationError location": "an empty text instead of None",
    "default to_ngff_zarr version": "0.4, as in 0.21; to_ome_zarr has 0.50's",
    "default to_ngff_zarr scale_strategy": "levels have the size that they declare, as in 0.21",
    "order to_ngff_zarr": "enabled_rfcs stands where 0.21 has it",
    "value GLASBEY_COLORS": "256 colours of our own",
    "value SUPPORTED_VERSIONS": "those that are written",
    "value __version__": "our own",
    "missing has_mosaic_dimension": "Leica files: format without a specification",
    "missing lif_file_to_ngff_images": "Leica files: format without a specification",
    "missing lif_to_hcs_plate": "Leica files: format without a specification",
    "missing lif_to_ngff_image": "Leica files: format without a specification",
}
# Names that another change is bringing; a line that is no longer true is not an error.
COMING = {"missing ResampleBoundingBox", "missing resample", "missing resample_bounding_box"}


def parameters(item):
    try:
        return {p.name: p for p in inspect.signature(item).parameters.values() if p.name != "self"}
    except (TypeError, ValueError):
        return None


def same(theirs, ours):
    if theirs is inspect.Parameter.empty or ours is inspect.Parameter.empty:
        return theirs is ours
    if type(theirs).__name__ == "_HAS_DEFAULT_FACTORY_CLASS":
        return type(ours) is type(theirs)
    return getattr(theirs, "value", theirs) == getattr(ours, "value", ours)


def of_calls(name, theirs, ours):
    """Differences of two things that are called."""
    theirs, ours = parameters(theirs), parameters(ours)
    if theirs is None or ours is None:
        return
    for key, parameter in theirs.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            if not any(p.kind is p.VAR_KEYWORD for p in ours.values()):
                yield f"kwargs {name}"
        elif key not in ours:
            yield f"parameter {name} {key}"
        elif not same(parameter.default, ours[key].default):
            yield f"default {name} {key}"
    places = [[k for k, p in side.items() if p.kind is p.POSITIONAL_OR_KEYWORD] for side in (theirs, ours)]
    if places[0] != places[1][:len(places[0])]:
        yield f"order {name}"


def of_classes(name, theirs, ours):
    if issubclass(theirs, enum.Enum):
        members = getattr(ours, "__members__", {})
        for key, member in theirs.__members__.items():
            if key not in members or members[key].value != member.value:
                yield f"member {name} {key}"
        return
    yield from of_calls(name, theirs, ours)
    for key, member in inspect.getmembers(theirs):
        if key.startswith("_"):
            continue
        if not hasattr(ours, key):
            fields = ours.__dataclass_fields__ if dataclasses.is_dataclass(ours) else ()
            if key not in fields:
                yield f"member {name} {key}"
        elif callable(member):
            yield from of_calls(f"{name}.{key}", member, getattr(ours, key))


def of_values(name, theirs, ours):
    plain = (str, int, float, tuple, list)
    if isinstance(theirs, plain) and not isinstance(theirs, enum.Enum):
        if list(theirs) != list(ours):
            yield f"value {name}"
    elif isinstance(theirs, enum.Enum) and theirs.value != ours.value:
        yield f"value {name}"
    elif dataclasses.is_dataclass(theirs):
        for field in dataclasses.fields(theirs):
            if not hasattr(ours, field.name):
                yield f"field {name} {field.name}"


def differences(theirs):
    for name in sorted([*theirs.__all__, "Multiscales"]):
        ours, item = getattr(ngff, name, None), getattr(theirs, name)
        if ours is None:
            yield f"missing {name}"
        elif isinstance(item, type):
            yield from of_classes(name, item, ours)
        elif inspect.isfunction(item):
            yield from of_calls(name, item, ours)
        else:
            yield from of_values(name, item, ours)


def test_signatures_of_050():
    found = set(differences(need("ngff_zarr")))
    assert found - COMING == set(OTHER)


# What scripts for 0.21 call by position, beside the function whose page is in the reference folder.
SEED = {
    "to_ngff_image": ["data", "dims", "scale", "translation", "name", "axes_units"],
    "to_multiscales": ["data", "scale_factors", "method", "chunks", "progress", "cache"],
    "from_ngff_zarr": ["store", "validate", "version", "storage_options"],
    "NgffImage": ["data", "dims", "scale", "translation", "name", "axes_units"],
    "Multiscales": ["images", "metadata", "scale_factors", "method", "chunks"],
    "validate": ["ngff_dict", "version", "model", "strict"],
}


@pytest.mark.parametrize("name", SEED)
def test_positions_of_021(name):
    names = list(parameters(getattr(ngff, name)))
    assert names[:len(SEED[name])] == SEED[name]


def test_signature_of_to_ngff_zarr_in_021():
    page = SHARED / "reference/seed-api.txt"
    if not page.exists() and os.environ.get("CI") != "true":
        pytest.skip("reference folder: looked in ../shared")
    text = page.read_text(encoding="utf-8")
    text = re.search(r"^ngff_zarr\.to_ngff_zarr\.to_ngff_zarr(\(.*?^\)) None", text, re.M | re.S)[1]
    node = ast.parse(f"def f{text}: ...").body[0].args
    names = [argument.arg for argument in node.args]
    defaults = [ast.literal_eval(value) for value in node.defaults]
    assert len(names) == 9 and len(defaults) == 7 and node.kwarg.arg == "kwargs"
    ours = list(parameters(ngff.to_ngff_zarr).values())
    assert [p.name for p in ours[:9]] == names
    assert [p.default for p in ours[2:9]] == defaults
    assert ours[-1].kind is inspect.Parameter.VAR_KEYWORD
