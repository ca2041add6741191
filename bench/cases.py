"""What is measured, and which ratios are asked for."""

CODECS = {
    "lz4": ["--codec", "blosc:lz4", "--compression-level", "1", "--shuffle", "byte"],
    "zstd": ["--codec", "zstd", "--compression-level", "1"],
    "blosc-zstd": ["--codec", "blosc:zstd", "--compression-level", "1", "--shuffle", "byte"],
    "none": ["--codec", "none"],
}
FLOOR_CODECS = {"lz4": "blosc:lz4", "zstd": "zstd", "blosc-zstd": "blosc:zstd", "none": "none"}


def ours(method="bin_shrink", codec="lz4", threads=2, data="volume", **more):
    """A run of `ngff convert`."""
    return {"kind": "ours", "method": method, "codec": codec, "threads": threads, "data": data,
            "factors": "2,4,8", "shard": 1, "durability": "none", "suffix": ".zarr",
            "disk": False, **more}


def floor(method="bin_shrink", codec="lz4", threads=2, data="volume", shard=1):
    return {"kind": "floor", "method": method, "codec": codec, "threads": threads, "data": data,
            "shard": shard}


def peer(rounds=99, disk=False, data="volume"):
    return {"kind": "peer", "rounds": rounds, "disk": disk, "data": data}


CASES = {
    "floor": floor(),
    "ngff bin_shrink": ours(),
    "acquire-zarr mean": peer(),
    "ngff gaussian": ours("gaussian"),
    "floor, gaussian levels": floor("gaussian"),
    "tensorstore": peer(),
    "zarrs": peer(),
    "ngff level 0 alone": ours(factors="none"),
    "ngff bin_shrink, 1 thread": ours(threads=1),
    "floor, 1 thread": floor(threads=1),
    "ngff mode, labels": ours("mode", data="labels"),
    "floor, labels": floor("mode", data="labels"),
    "ngff 2-D": ours(data="flat"),
    "ngff 2-D, level 0 alone": ours(data="flat", factors="none"),
    "ngff zstd": ours(codec="zstd"),
    "floor, zstd": floor(codec="zstd"),
    "ngff blosc-zstd": ours(codec="blosc-zstd"),
    "floor, blosc-zstd": floor(codec="blosc-zstd"),
    "ngff no codec": ours(codec="none"),
    "floor, no codec": floor(codec="none"),
    "ngff 2 chunks a shard": ours(shard=2),
    "ngff 8 chunks a shard": ours(shard=8),
    "ngff .ozx": ours(shard=2, suffix=".ozx"),
    "ngff bin_shrink, each, on disk": ours(durability="each", disk=True),
    "acquire-zarr mean, on disk": peer(disk=True),
    "ngff-zarr bin_shrink": peer(),
    "ngff gaussian, eighth": ours("gaussian", data="eighth"),
    "ngff-zarr gaussian, eighth": peer(data="eighth"),
    "ngff-zarr gaussian": peer(rounds=1),
}
FULL = {"ngff-zarr gaussian"}  # only when asked for: most of a minute on two idle cores

# (numerator, denominator, what is asked of the quotient, the limit)
RATIOS = [
    ("ngff bin_shrink", "floor", "<=", 1.25),
    ("ngff gaussian", "floor, gaussian levels", "<=", 1.6),
    ("ngff mode, labels", "floor, labels", "<=", 1.6),
    ("acquire-zarr mean", "ngff bin_shrink", ">=", 2.5),
    ("acquire-zarr mean, on disk", "ngff bin_shrink, each, on disk", ">=", 1.8),
    ("ngff-zarr bin_shrink", "ngff bin_shrink", ">=", 12),
    ("ngff-zarr gaussian, eighth", "ngff gaussian, eighth", ">=", 40),
    ("ngff-zarr gaussian", "ngff gaussian", ">=", 40),
    ("tensorstore", "ngff bin_shrink", "", 0),
    ("zarrs", "ngff bin_shrink", "", 0),
    ("ngff level 0 alone", "ngff bin_shrink", ">=", 0.75),
    ("ngff 2-D, level 0 alone", "ngff 2-D", ">=", 0.65),
    ("ngff zstd", "floor, zstd", "<=", 1.25),
    ("ngff blosc-zstd", "floor, blosc-zstd", "<=", 1.25),
    ("ngff no codec", "floor, no codec", "<=", 1.25),
    ("ngff 2 chunks a shard", "ngff bin_shrink", "<=", 1.1),
    ("ngff 8 chunks a shard", "ngff bin_shrink", "<=", 1.1),
    ("ngff .ozx", "ngff 2 chunks a shard", "<=", 1.1),
]
# Speed-up of two threads over one, ours over the floor's.
SCALING = ("ngff bin_shrink, 1 thread", "ngff bin_shrink", "floor, 1 thread", "floor", 0.95)


def convert_words(case):
    """The options of `ngff convert` for CASE."""
    dims = "yx" if case["data"] == "flat" else "zyx"
    words = ["--dims", dims, "--chunks", "512" if dims == "yx" else "64", "--scale-factors",
             case["factors"], "--method", case["method"], "--threads", str(case["threads"]),
             "--durability", case["durability"], *CODECS[case["codec"]], "-q"]
    if case["shard"] > 1:
        words += ["--chunks-per-shard", str(case["shard"])]
    return words
