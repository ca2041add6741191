"""The JSON documents of a store: finding them, and the rules every one of them must obey."""

import functools
import json
import math
import pathlib

from harness import need_shared

V2_NAMES = {".zgroup", ".zattrs", ".zarray", ".zmetadata"}
V3_NAMES = {"zarr.json"}


def reject_constant(text):
    raise ValueError(f"{text} is not JSON")


def load(path):
    """Strict JSON: no NaN, no Infinity, no repeated key."""

    def unique(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError(f"repeated key in {path}: {names}")
        return dict(pairs)

    text = pathlib.Path(path).read_text(encoding="utf-8")
    return json.loads(text, parse_constant=reject_constant, object_pairs_hook=unique)


def store_documents(store):
    """{relative path: document} of every metadata file below a directory."""
    store = pathlib.Path(store)
    return {str(p.relative_to(store)): load(p) for p in sorted(store.rglob("*"))
            if p.name in V2_NAMES | V3_NAMES}


def zarr_format(store):
    return 3 if (pathlib.Path(store) / "zarr.json").exists() else 2


def attributes(store, node=""):
    """The attributes of a node, whichever format."""
    directory = pathlib.Path(store) / node
    if (directory / "zarr.json").exists():
        return load(directory / "zarr.json").get("attributes", {})
    path = directory / ".zattrs"
    return load(path) if path.exists() else {}


def ome(store):
    """The OME-Zarr metadata of the root, without the 0.5 namespace."""
    found = attributes(store)
    return found.get("ome", found)


def multiscale(store):
    return ome(store)["multiscales"][0]


def dataset_paths(store):
    return [d["path"] for d in multiscale(store)["datasets"]]


def axes(store):
    """The axes; since 0.6 they are those of a coordinate system, here the only one."""
    entry = multiscale(store)
    if "axes" in entry:
        return entry["axes"]
    system, = entry["coordinateSystems"]
    return system["axes"]


def scale_and_translation(dataset):
    """Both vectors of a dataset; a missing translation is zeros."""
    steps = dataset["coordinateTransformations"]
    if steps[0]["type"] == "sequence":
        assert len(steps) == 1 and steps[0]["input"] == {"path": dataset["path"]}
        steps = steps[0]["transformations"]
    kinds = {t["type"]: t for t in steps}
    scale = kinds["scale"]["scale"]
    return scale, kinds.get("translation", {}).get("translation", [0.0] * len(scale))


# ---- rules --------------------------------------------------------------------------------------


def nulls(value, place="attributes"):
    """Places of null below a value."""
    if value is None:
        yield place
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from nulls(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nulls(item, f"{place}[{index}]")


def check_no_null(store):
    """No null inside attributes (a .zarray has nulls of its own)."""
    for name, document in store_documents(store).items():
        if name.endswith(".zattrs"):
            found = list(nulls(document))
        elif name.endswith("zarr.json"):
            found = list(nulls(document.get("attributes", {})))
        else:
            continue
        assert not found, f"{name}: null at {found}"


def check_one_format(store):
    """Every node of a store is of one Zarr format, and every group on the way down is a node."""
    store = pathlib.Path(store)
    names = {pathlib.PurePath(name).name for name in store_documents(store)}
    if zarr_format(store) == 3:
        assert names == V3_NAMES, f"a v3 store with {sorted(names - V3_NAMES)}"
    else:
        assert not names & V3_NAMES, "a v2 store that holds zarr.json"
    for path in dataset_paths(store):
        node = pathlib.PurePosixPath(path)
        for parent in list(node.parents):
            marker = "zarr.json" if zarr_format(store) == 3 else ".zgroup"
            assert (store / parent / marker).exists(), f"{parent} is no group"


def check_consolidated(store, expected=True):
    """The consolidated form is there and says what the nodes say."""
    store = pathlib.Path(store)
    documents = store_documents(store)
    if zarr_format(store) == 3:
        section = documents["zarr.json"].get("consolidated_metadata")
        if not expected:
            assert section is None
            return
        assert section["kind"] == "inline" and section["must_understand"] is False
        nodes = {str(pathlib.PurePosixPath(name).parent): d for name, d in documents.items()
                 if name != "zarr.json"}
        assert set(section["metadata"]) == set(nodes)
        for path, document in nodes.items():
            copy = dict(section["metadata"][path])
            copy.pop("consolidated_metadata", None)
            assert copy == document, f"consolidated copy of {path} is stale"
        return
    if not expected:
        assert ".zmetadata" not in documents
        return
    consolidated = documents.pop(".zmetadata")
    assert consolidated["zarr_consolidated_format"] == 1
    assert consolidated["metadata"] == documents


def check_metadata_sane(store):
    """Numbers are finite, scales positive, vectors as long as the axes; names match axes."""
    entry = multiscale(store)
    names = [axis["name"] for axis in axes(store)]
    for dataset in entry["datasets"]:
        scale, translation = scale_and_translation(dataset)
        assert len(scale) == len(translation) == len(names)
        assert all(math.isfinite(v) and v > 0 for v in scale)
        assert all(math.isfinite(v) for v in translation)
        if zarr_format(store) == 3:
            document = load(pathlib.Path(store) / dataset["path"] / "zarr.json")
            assert document["dimension_names"] == names
            assert len(document["shape"]) == len(names)


# ---- schemas ------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def schema_validator(version, name):
    """A validator of the official schemas; references between them are resolved on disk."""
    import jsonschema
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    folder = need_shared("schemas", version, "schemas")
    resources = []
    for path in sorted(folder.glob("*.schema")):
        document = json.loads(path.read_text(encoding="utf-8"))
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        resources.append((document.get("$id", path.name), resource))
        resources.append((f"https://ngff.openmicroscopy.org/{version}/schemas/{path.name}", resource))
    registry = Registry().with_resources(resources)
    schema = json.loads((folder / f"{name}.schema").read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema, registry=registry)


def check_schema(store, name="image", strict=True):
    """The root attributes satisfy the official schema, and its strict form."""
    version = version_of(store)
    found = attributes(store)
    for schema in [name] + ([f"strict_{name}"] if strict else []):
        errors = [e.message for e in schema_validator(version, schema).iter_errors(found)]
        assert not errors, f"{schema} of {version}: {errors}"


def version_of(store):
    found = attributes(store)
    if "ome" in found:
        return found["ome"]["version"]
    return found["multiscales"][0]["version"]
