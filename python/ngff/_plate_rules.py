"""What a plate's or a well's document must hold, by the specification's text and its JSON schemas
(0.4 to 0.6). The first rule that is broken is a ValueError that says where."""

import re

_NAME = re.compile(r"[A-Za-z0-9]+")
_NAME_06 = re.compile(r"(?!\.+$)(?!__)[A-Za-z0-9_.-]+")
_NUMBERS = {"id": 0, "maximumfieldcount": 1, "starttime": 0, "endtime": 0, "rowIndex": 0,
            "columnIndex": 0, "field_count": 1, "acquisition": None}


def _fail(where, what):
    raise ValueError(f"{where}: {what}")


def _is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool) or \
        isinstance(value, float) and value.is_integer()


def _member(entry, name, where):
    """An optional member is of its type; numbers are in their range."""
    if name not in entry:
        return
    value = entry[name]
    if name in _NUMBERS:
        least = _NUMBERS[name]
        if not _is_integer(value) or least is not None and value < least:
            _fail(f"{where}.{name}", f"{value!r}, expected an integer"
                  f"{'' if least is None else f' of at least {least}'}")
    elif not isinstance(value, str):
        _fail(f"{where}.{name}", f"{value!r}, expected a string")


def _entries(holder, name, where, required, least=1):
    """The objects of a list, each with the members that are required."""
    items = holder.get(name)
    if not isinstance(items, list):
        _fail(f"{where}.{name}", "expected a list")
    if len(items) < least:
        _fail(f"{where}.{name}", "is empty")
    for n, item in enumerate(items):
        here = f"{where}.{name}[{n}]"
        if not isinstance(item, dict):
            _fail(here, f"{item!r}, expected an object")
        for key in required:
            if key not in item:
                _fail(here, f"{key!r} is missing")
        for key in item:
            if key in _NUMBERS or key in ("name", "path", "description"):
                _member(item, key, here)
        if least and item in items[:n]:
            _fail(here, "stands twice in the list")
    return items


def _entry(attributes, name, version, strict):
    """(the entry, where it is)"""
    holder, where = attributes, name
    if version >= "0.5":
        holder, where = attributes.get("ome"), f"ome.{name}"
        if not isinstance(holder, dict):
            _fail("ome", "is missing")
        if holder.get("version") != version:
            _fail("ome.version", f"{holder.get('version')!r}, expected {version!r}")
    entry = holder.get(name)
    if not isinstance(entry, dict):
        _fail(where, "is missing")
    if version < "0.5" and (strict or "version" in entry) and entry.get("version") != version:
        _fail(f"{where}.version", f"{entry.get('version')!r}, expected {version!r}")
    return entry, where


def check_plate(attributes, version, strict=False):
    """The attributes of a plate's root group. `strict`: with what the specification only recommends."""
    _check_plate(attributes, version, strict)
    if strict:
        _recommended(*_entry(attributes, "plate", version, strict))


def check_plate_to_write(plate, attributes):
    """A plate that is written also places its wells where they belong, on any file system."""
    from ._structural import validate_plate

    check_plate(attributes, str(getattr(plate.version, "value", plate.version)))
    for axis in ("columns", "rows"):
        names = [item.name.lower() for item in getattr(plate, axis)]
        for n, name in enumerate(names):
            if name in names[:n]:
                _fail(f"plate.{axis}[{n}].name", f"{getattr(plate, axis)[n].name!r} differs in case only "
                      "from another one: one directory on some file systems")
    validate_plate(plate)


def _recommended(plate, where):
    if "name" not in plate:
        _fail(where, "'name' is missing")
    for n, item in enumerate(plate.get("acquisitions", ())):
        for key in ("name", "maximumfieldcount"):
            if key not in item:
                _fail(f"{where}.acquisitions[{n}]", f"{key!r} is missing")


def _check_plate(attributes, version, strict):
    plate, where = _entry(attributes, "plate", version, strict)
    for name in ("name", "field_count"):
        _member(plate, name, where)
    for axis in ("columns", "rows"):
        seen = set()
        for n, item in enumerate(_entries(plate, axis, where, ("name",))):
            here = f"{where}.{axis}[{n}].name"
            if not _NAME.fullmatch(item["name"]):
                _fail(here, f"{item['name']!r}, expected letters and digits")
            if item["name"] in seen:
                _fail(here, f"{item['name']!r} stands twice")
            seen.add(item["name"])
    for n, well in enumerate(_entries(plate, "wells", where, ("path", "rowIndex", "columnIndex"))):
        parts = well["path"].split("/")
        if len(parts) != 2 or not all(_NAME.fullmatch(part) for part in parts):
            _fail(f"{where}.wells[{n}].path", f"{well['path']!r}, expected ROW/COLUMN")
    if "acquisitions" in plate:
        ids = [item["id"] for item in _entries(plate, "acquisitions", where, ("id",), least=0)]
        if len(set(ids)) != len(ids):
            _fail(f"{where}.acquisitions", f"an id is repeated: {ids}")


def check_well(attributes, version, strict=False):
    """The attributes of a well's group."""
    well, where = _entry(attributes, "well", version, strict)
    name = _NAME_06 if version >= "0.6" else _NAME
    for n, image in enumerate(_entries(well, "images", where, ("path",))):
        if not name.fullmatch(image["path"]):
            _fail(f"{where}.images[{n}].path", f"{image['path']!r}, expected letters and digits")
