"""Structural validation: what the specification demands beyond a JSON schema. The first rule that is
broken is raised."""

import re
from dataclasses import dataclass
from enum import StrEnum

from ._orientation import NAMED


class SpecRule(StrEnum):
    AXIS_COUNT = "axis-count"
    AXIS_TYPE = "axis-type"
    AXIS_ORDER = "axis-order"
    AXIS_NAMES_UNIQUE = "axis-names-unique"
    SCALE_LENGTH_MISMATCH = "scale-length-mismatch"
    GLOBAL_COORD_TRANSFORM_AFTER_PER_LEVEL = "global-coord-transform-after-per-level"
    DATASET_ORDER_HIGHEST_TO_LOWEST = "dataset-order-highest-to-lowest"
    OMERO_CHANNEL_COLOR_FORMAT = "omero-channel-color-format"
    AXIS_ORIENTATION_ANATOMICAL_TYPE = "axis-orientation-anatomical-type"
    AXIS_ORIENTATION_ON_NON_SPACE = "axis-orientation-on-non-space"
    AXIS_ORIENTATION_UNIQUE_AXIS = "axis-orientation-unique-axis"
    ZARR_FORMAT = "zarr-format"
    OME_NAMESPACE = "ome-namespace"
    PLATE_ROW_INDEX_CONSISTENCY = "plate-row-index-consistency"
    WELL_ACQUISITION_MISSING = "well-acquisition-missing"


class ValidationLevel(StrEnum):
    SCHEMA_ONLY = "schema_only"
    STRICT = "strict"


@dataclass
class ValidateOptions:
    level: ValidationLevel = ValidationLevel.STRICT
    # False: members of `Metadata.extra` are an error.
    allow_unknown_fields: bool = True


class ValidationError(ValueError):
    """`.rule` and `.location` say what is broken and where."""

    def __init__(self, rule, message, location=""):
        where = f" (at {location})" if location else ""
        super().__init__(f"Spec rule [{rule}] violated: {message}{where}")
        self.rule, self.message, self.location = SpecRule(rule), message, location


def _axes(axes, version=None):
    if not 2 <= len(axes) <= 5:
        raise ValidationError("axis-count", f"{len(axes)} axes, 2 to 5 are allowed", "axes")
    types = [axis.type for axis in axes]
    for kind in ("time", "channel"):
        if types.count(kind) > 1:
            raise ValidationError("axis-type", f"more than one {kind} axis", "axes")
    rank = {"time": 0, "channel": 1, "space": 2}
    ranks = [rank.get(kind, 1) for kind in types]
    if ranks != sorted(ranks):
        raise ValidationError("axis-order", f"time, channel, space is the order, not {types}", "axes")
    space = [axis.name for axis in axes if axis.type == "space"]
    if not space and str(version).startswith("0.6") and types.count("array") >= 2:
        return  # the coordinate system of an array
    if len(space) not in (2, 3) or space != ["z", "y", "x"][-len(space):]:
        raise ValidationError("axis-order", f"space axes are (z,) y, x, not {space}", "axes")


def check_axes(axes, version):
    """The rules about axes alone, which hold for each coordinate system of OME-Zarr 0.6."""
    version = getattr(version, "value", version)
    if version is None or str(version) < "0.9":
        _axes(axes, version)
    _unique_names(axes)


def _unique_names(axes):
    names = [axis.name for axis in axes]
    if len(set(names)) != len(names):
        raise ValidationError("axis-names-unique", f"a name is repeated: {names}", "axes")


def check_orientations(axes):
    """RFC-4: only space axes are oriented, with a known value, no two along one anatomical axis."""
    seen = {}
    for n, axis in enumerate(axes):
        found, where = axis.orientation, f"axes[{n}].orientation"
        if found is None or found == {}:
            continue
        if axis.type != "space":
            raise ValidationError("axis-orientation-on-non-space", axis.name, where)
        kind, value = ((found.get("type"), found.get("value")) if isinstance(found, dict)
                       else (getattr(found, "type", None), getattr(found, "value", found)))
        value = str(getattr(value, "value", value))
        if kind != "anatomical" or value not in NAMED:
            raise ValidationError("axis-orientation-anatomical-type",
                                  f"{kind} {value!r} of axis {axis.name}", where)
        pair = frozenset(value.split("-to-"))
        if pair in seen:
            raise ValidationError("axis-orientation-unique-axis",
                                  f"axes {seen[pair]!r} and {axis.name!r} both run along "
                                  f"{' and '.join(sorted(pair))}", where)
        seen[pair] = axis.name


def _transforms(items, count, where):
    rule = "global-coord-transform-after-per-level"
    scales = [t for t in items or [] if t.type == "scale"]
    if len(scales) != 1:
        raise ValidationError(rule, f"{len(scales)} scales, exactly one is needed", where)
    for item in items:
        values = getattr(item, item.type, None) if item.type in ("scale", "translation") else None
        if values is not None and len(values) != count:
            raise ValidationError("scale-length-mismatch",
                                  f"{item.type} has {len(values)} values for {count} axes", where)
    kinds = [item.type for item in items]
    if "translation" in kinds and kinds.index("translation") < kinds.index("scale"):
        raise ValidationError(rule, "translation stands before scale", where)
    return scales[0].scale


def _steps(transforms, count):
    """Scales and translations as 0.4 lists them; identity of OME-Zarr 0.6 is the scale 1."""
    from ._metadata import Scale

    for item in transforms or ():
        if item.type == "sequence":
            yield from _steps(item.transformations, count)
        elif item.type == "identity":
            yield Scale([1.0] * count)
        else:
            yield item


def validate_structural(metadata, options=None, version=None):
    """Raises ValidationError for the first broken rule; None when all are kept. The rules about the
    number and order of axes end with OME-Zarr 0.9, where those of RFC-4 begin; without a version
    all are asked for."""
    if _schema_only(options):
        return
    latest = str(getattr(version, "value", version)) >= "0.9" if version is not None else None
    check_axes(metadata.axes, version)
    count, previous = len(metadata.axes), None
    named = bool(getattr(metadata, "coordinateSystems", None))  # 0.6: between systems, of any size
    if metadata.coordinateTransformations and not named:
        for item in metadata.coordinateTransformations:
            values = getattr(item, getattr(item, "type", ""), None)
            if values is not None and len(values) != count:
                raise ValidationError("scale-length-mismatch", "of the whole image",
                                      "coordinateTransformations")
    space = [i for i, axis in enumerate(metadata.axes) if axis.type == "space"]
    for n, dataset in enumerate(metadata.datasets):
        steps = dataset.coordinateTransformations
        scale = _transforms(list(_steps(steps, count)) if named else steps, count, f"datasets[{n}]")
        if previous and any(scale[i] < previous[i] for i in space):
            raise ValidationError("dataset-order-highest-to-lowest",
                                  "a level is finer than the one before it", f"datasets[{n}]")
        previous = scale
    for n, channel in enumerate(metadata.omero.channels if metadata.omero else ()):
        if channel.color and not re.fullmatch(r"[0-9A-Fa-f]{6}", channel.color):
            raise ValidationError("omero-channel-color-format",
                                  f"{channel.color!r} is not six hex digits", f"omero.channels[{n}]")
    if latest is not False:
        check_orientations(metadata.axes)
    extra = getattr(metadata, "extra", None) or {}
    if "zarr_format" in extra and extra["zarr_format"] != 3:
        raise ValidationError("zarr-format", "zarr_format inside a multiscales entry")
    if "ome" in extra or "multiscales" in extra:
        raise ValidationError("ome-namespace", "nested OME-Zarr metadata")
    if extra and options is not None and not options.allow_unknown_fields:
        raise ValidationError("ome-namespace", f"unknown members {sorted(extra)}")


def _schema_only(options):
    return options is not None and options.level == ValidationLevel.SCHEMA_ONLY


def validate_plate(plate, options=None):
    """The wells of a plate lie where their paths say: `row/column`, with the indices of both."""
    if _schema_only(options):
        return
    rows = {row.name: n for n, row in enumerate(plate.rows)}
    columns = {column.name: n for n, column in enumerate(plate.columns)}
    for n, well in enumerate(plate.wells):
        row, _, column = str(well.path).partition("/")
        if (rows.get(row, -1), columns.get(column, -1)) != (well.rowIndex, well.columnIndex):
            raise ValidationError(
                "plate-row-index-consistency", f"{well.path!r} does not stand in row {well.rowIndex} "
                f"and column {well.columnIndex}", f"plate.wells[{n}]")


def validate_well(plate, well, options=None):
    """Each image of a well names its acquisition when the plate has several."""
    if _schema_only(options) or len(plate.acquisitions or ()) < 2:
        return
    for n, image in enumerate(well.images):
        if image.acquisition is None:
            raise ValidationError("well-acquisition-missing", f"the plate has {len(plate.acquisitions)} "
                                  f"acquisitions, {image.path!r} names none", f"well.images[{n}]")


def _axes_of(entry):
    """Those of the entry, since OME-Zarr 0.6 those of the system that its levels lead to."""
    if "coordinateSystems" not in entry:
        return entry["axes"]
    wanted = {step["output"]["name"] for dataset in entry["datasets"]
              for step in dataset["coordinateTransformations"]}
    systems = [s for s in entry["coordinateSystems"] if {s["name"]} == wanted]
    if len(systems) != 1:
        raise ValueError(f"the levels lead to {sorted(wanted)}, expected one coordinate system")
    return systems[0]["axes"]


def validate(ngff_dict, version="0.4", model="image", strict=False):
    """Check attributes against the official JSON schema of a version: `model` is image, plate, well, label,
    bf2raw, ome, …; `strict` asks for what the specification recommends too. ValidationError says what is
    broken and where."""
    from . import _schema

    version = str(getattr(version, "value", version))
    if model in ("plate", "well") and version >= "0.4":
        from . import _plate_rules

        getattr(_plate_rules, f"check_{model}")(ngff_dict, version, strict)
    _schema.check(ngff_dict, version, f"strict_{model}" if strict else model)


def check_image(ngff_dict, version):
    """The rules beyond the schema, of attributes."""
    from ._metadata import Axis, Dataset, Metadata, omero_from_json, transforms_from_json

    ome = ngff_dict.get("ome", {}) if str(version) >= "0.5" else ngff_dict
    for entry in ome["multiscales"]:
        try:
            axes = [Axis(a["name"], a.get("type"), a.get("unit"), a.get("orientation"))
                    for a in _axes_of(entry)]
            datasets = [Dataset(d["path"], transforms_from_json(d["coordinateTransformations"], len(axes)))
                        for d in entry["datasets"]]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not an OME-Zarr {version} image: {error}") from error
        # Those of 0.6 lead between systems, which need not have the axes of the image.
        whole = () if "coordinateSystems" in entry else entry.get("coordinateTransformations")
        validate_structural(Metadata(axes, datasets, transforms_from_json(whole),
                                     omero_from_json(ome.get("omero"))), version=version)
