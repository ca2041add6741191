"""The JSON Schemas of OME-Zarr and what is needed of JSON Schema (2020-12) to apply them."""

import functools
import json
import os
import re
import sys

from . import _structural

_TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


class ValidationError(_structural.ValidationError):
    """The first rule of a schema that a document breaks: `.message`, `.path` (keys and indices); no `.rule`."""

    def __init__(self, message, path=()):
        where = "".join(f"[{item!r}]" for item in path)
        ValueError.__init__(self, f"{message}{f' (at {where})' if where else ''}")
        self.rule, self.message, self.path, self.location = None, message, path, where

    def __str__(self):
        return self.args[0]


SchemaError = ValidationError


@functools.cache
def _all():
    with open(os.path.join(os.path.dirname(__file__), "schemas.json"), encoding="utf-8") as file:
        return json.load(file)


def check(document, version, name):
    """Raises ValidationError (for callers that have imported jsonschema also that package's)."""
    version = "0.9" if str(version).startswith("0.9") else str(version)
    if version not in _all():
        raise ValueError(f"Unsupported version: {version}")
    if name not in _all()[version]:
        raise FileNotFoundError(f"OME-Zarr {version} has no schema {name!r}; there are "
                                f"{', '.join(sorted(_all()[version]))}")
    error = next(_broken(document, _all()[version][name], (version, name), ()), None)
    if error is not None:
        raise _known_to_jsonschema(*error)


def _known_to_jsonschema(message, path):
    theirs = sys.modules.get("jsonschema.exceptions")
    if theirs is None:
        return SchemaError(message, path)
    both = type("ValidationError", (SchemaError, theirs.ValidationError), {"__init__": SchemaError.__init__})
    error = both.__new__(both)
    theirs.ValidationError.__init__(error, message, path=path)
    error.args = SchemaError(message, path).args
    return error


def _same(a, b):
    """Equal as JSON: 1 is 1.0, and neither is true."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    return a == b


def _is(value, kind):
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "number":
        return number
    if kind == "integer":
        return number and value == int(value)
    if kind == "array":
        return isinstance(value, (list, tuple))
    return isinstance(value, _TYPES[kind])


def _resolved(reference, base):
    """(schema, its base) of a $ref: of this document, of one beside it, or by its address."""
    place, _, inside = reference.partition("#")
    if place:
        found = re.search(r"([^/]+)/schemas/([^/]+)\.schema$", place)
        version = base[0] if not found else "0.9" if found[1].startswith("0.9") else found[1]
        base = (version, found[2] if found else place.removesuffix(".schema"))
    schema = _all()[base[0]][base[1]]
    for step in inside.strip("/").split("/") if inside else ():
        schema = schema[step]
    return schema, base


def _broken(value, schema, base, path):
    """(message, path) of each rule that `value` breaks."""
    if isinstance(schema, bool):
        if not schema:
            yield f"{value!r} is not allowed", path
        return
    for keyword, rule in schema.items():
        if keyword in ("$id", "$defs", "required", "properties", "minContains", "maxContains"):
            continue
        yield from _RULES[keyword](value, rule, schema, base, path)
    if isinstance(value, dict):
        yield from _members(value, schema, base, path)


def _fits(value, schema, base):
    return next(_broken(value, schema, base, ()), None) is None


def _members(value, schema, base, path):
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{name!r} is a required property", path
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from _broken(value[name], inner, base, (*path, name))


def _type(value, rule, schema, base, path):
    if not any(_is(value, kind) for kind in ([rule] if isinstance(rule, str) else rule)):
        yield f"{value!r} is not of type {rule!r}", path


def _reference(value, rule, schema, base, path):
    inner, inner_base = _resolved(rule, base)
    yield from _broken(value, inner, inner_base, path)


def _items(value, rule, schema, base, path):
    if isinstance(value, (list, tuple)):
        for n, item in enumerate(value):
            yield from _broken(item, rule, base, (*path, n))


def _unique(value, rule, schema, base, path):
    if rule and isinstance(value, (list, tuple)):
        if any(_same(a, b) for n, a in enumerate(value) for b in value[:n]):
            yield f"{value!r} has non-unique elements", path


def _contains(value, rule, schema, base, path):
    if isinstance(value, (list, tuple)):
        count = sum(_fits(item, rule, base) for item in value)
        if not schema.get("minContains", 1) <= count <= schema.get("maxContains", count):
            yield f"{value!r} holds {count} items of the kind that is asked for", path


def _all_of(value, rule, schema, base, path):
    for inner in rule:
        yield from _broken(value, inner, base, path)


def _any_of(value, rule, schema, base, path):
    if not any(_fits(value, inner, base) for inner in rule):
        yield f"{value!r} is not valid under any of the given schemas", path


def _one_of(value, rule, schema, base, path):
    count = sum(_fits(value, inner, base) for inner in rule)
    if count != 1:
        yield f"{value!r} is valid under {count} of the given schemas, expected one", path


def _not(value, rule, schema, base, path):
    if _fits(value, rule, base):
        yield f"{value!r} is of the kind that is excluded", path


def _additional(value, rule, schema, base, path):
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            yield from _broken(value[name], rule, base, (*path, name))


def _limit(kind, good, words):
    """A rule about values of one kind."""
    def rule_of(value, rule, schema, base, path):
        if _is(value, kind) and not good(value, rule):
            yield f"{value!r} {words} {rule!r}", path
    return rule_of


def _anything(good, words):
    def rule_of(value, rule, schema, base, path):
        if not good(value, rule):
            yield f"{value!r} {words} {rule!r}", path
    return rule_of


_RULES = {
    "type": _type, "$ref": _reference, "items": _items, "uniqueItems": _unique, "contains": _contains,
    "allOf": _all_of, "anyOf": _any_of, "oneOf": _one_of, "not": _not, "additionalProperties": _additional,
    "enum": _anything(lambda value, rule: any(_same(value, item) for item in rule), "is not one of"),
    "const": _anything(_same, "is not"),
    "minItems": _limit("array", lambda value, rule: len(value) >= rule, "has fewer items than"),
    "maxItems": _limit("array", lambda value, rule: len(value) <= rule, "has more items than"),
    "minLength": _limit("string", lambda value, rule: len(value) >= rule, "is shorter than"),
    "pattern": _limit("string", lambda value, rule: re.search(rule, value) is not None, "does not match"),
    "minimum": _limit("number", lambda value, rule: value >= rule, "is less than"),
    "maximum": _limit("number", lambda value, rule: value <= rule, "is more than"),
    "exclusiveMinimum": _limit("number", lambda value, rule: value > rule, "is not more than"),
}
