"""`compressor=` and `compressors=`: names, numcodecs objects, zarr-python codecs, JSON, to JSON."""

import json

_BLOSC = ("blosclz", "lz4", "lz4hc", "snappy", "zlib", "zstd")


def get_available_codecs():
    """Names for `codec_from_name`."""
    return ["none", "gzip", "lz4", "zstd", "blosc", *(f"blosc:{name}" for name in _BLOSC)]


class Codec:
    """What a codec of numcodecs says about itself, where that is not installed: `codec_id`, its parameters as
    attributes, `get_config`. The work is done natively, so it has no `encode`."""

    def __init__(self, codec_id, **parameters):
        self.codec_id = codec_id
        vars(self).update(parameters)

    def get_config(self):
        config = dict(vars(self))
        return {"id": config.pop("codec_id"), **config}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        return cls(config.pop("id"), **config)

    def __eq__(self, other):
        return hasattr(other, "get_config") and self.get_config() == other.get_config()

    def __hash__(self):
        return hash(tuple(sorted(self.get_config().items())))

    def __repr__(self):
        inside = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if k != "codec_id")
        return f"{self.codec_id}({inside})"


def codec_from_name(name, level=None):
    """A compressor for `compressor=`: numcodecs' object when it is installed, else one that says the same."""
    if name == "none":
        return None
    kind, _, inner = name.partition(":")
    configs = {
        "gzip": {"id": "gzip", "level": 6 if level is None else level},
        "lz4": {"id": "lz4", "acceleration": 1},
        "zstd": {"id": "zstd", "level": 3 if level is None else level},
        "blosc": {"id": "blosc", "cname": inner or "lz4", "clevel": 5 if level is None else level,
                  "shuffle": 1, "blocksize": 0},
    }
    if kind not in configs or (inner and (kind != "blosc" or inner not in _BLOSC)):
        raise ValueError(f"Unknown codec: {name!r}. "
                         f"Available codecs: {', '.join(get_available_codecs())}")
    try:
        import numcodecs
    except ImportError:
        extra = {"checksum": False} if kind == "zstd" else {}
        return Codec.from_config({**configs[kind], **extra})
    return numcodecs.get_codec(configs[kind])


def as_dict(codec):
    """The JSON of one codec object, whoever made it."""
    if codec is None or isinstance(codec, dict):
        return codec
    if isinstance(codec, str):
        return as_dict(codec_from_name(codec))
    for method in ("to_dict", "get_config"):
        if hasattr(codec, method):
            return dict(getattr(codec, method)())
    raise TypeError(f"not a codec: {codec!r}")


def v2_json(codec):
    config = as_dict(codec)
    if config is not None and "name" in config and "id" not in config:
        config = {"id": config["name"].removeprefix("numcodecs."),
                  **config.get("configuration", {})}
    if config is not None and config.get("checksum") is False:
        config = {k: v for k, v in config.items() if k != "checksum"}  # old readers do not know it
    return json.dumps(config)


def v3_json(codecs, dtype):
    """A v3 codec list: `bytes` first, then what was asked for."""
    if codecs is None or isinstance(codecs, (str, dict)) or not hasattr(codecs, "__iter__"):
        codecs = [] if codecs is None else [codecs]
    chain = [_v3_codec(_tuned(codec, as_dict(codec), dtype), dtype) for codec in codecs]
    if not any(codec["name"] == "bytes" for codec in chain):
        head = {"name": "bytes"}
        if dtype.itemsize > 1:
            head["configuration"] = {"endian": "little"}
        chain.insert(0, head)
    return json.dumps(chain)


def _tuned(codec, config, dtype):
    """What zarr-python's Blosc leaves open until it knows the array."""
    open_ends = getattr(codec, "_tunable_attrs", None) or ()
    best = {"typesize": dtype.itemsize, "shuffle": "bitshuffle" if dtype.itemsize == 1 else "shuffle"}
    chosen = {name: best[name] for name in open_ends if name in best}
    return {**config, "configuration": {**config["configuration"], **chosen}} if chosen else config


def _v3_codec(config, dtype):
    if "name" in config:
        return _plain(config)
    options = {k: v for k, v in config.items() if k != "id"}
    if config["id"] == "blosc":
        shuffle = options.get("shuffle", 1)
        if not isinstance(shuffle, str):
            shuffle = {0: "noshuffle", 1: "shuffle", 2: "bitshuffle"}.get(
                shuffle, "bitshuffle" if dtype.itemsize == 1 else "shuffle")
        options = {"cname": options.get("cname", "lz4"), "clevel": options.get("clevel", 5),
                   "shuffle": shuffle, "typesize": dtype.itemsize,
                   "blocksize": options.get("blocksize", 0)}
    elif config["id"] == "zstd":
        options = {"level": options.get("level", 3), "checksum": bool(options.get("checksum"))}
    elif config["id"] == "gzip":
        options = {"level": options.get("level", 6)}
    elif config["id"] == "zlib":
        return {"name": "numcodecs.zlib", "configuration": {"level": options.get("level", 1)}}
    else:
        return {"name": "numcodecs." + config["id"], "configuration": options}
    return {"name": config["id"], "configuration": options}


def _plain(value):
    """Enums and tuples of zarr-python's codec dictionaries as plain JSON."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return getattr(value, "value", value)
