"""One peer in a process of its own. It maps the input, warms up on a crop, says "ready" with its
version, then writes the input once for every line on standard input and answers with a line of JSON:
wall and CPU seconds of the writing alone, peak memory beyond the mapped input, bytes on disk.

    peers.py PEER INPUT.npy OUTDIR THREADS

INPUT.npy's neighbours input.1.npy … hold the coarser levels for the peers that only write chunks."""

import importlib.metadata
import json
import os
import pathlib
import shutil
import sys
import time

import numpy as np

CHUNK = 64
FACTORS = [2, 4, 8]
BLOSC = {"cname": "lz4", "clevel": 1, "shuffle": "shuffle", "typesize": 2, "blocksize": 0}
BLOSC_CODEC = {"name": "blosc", "configuration": BLOSC}


def ngff_zarr(method):
    """to_ngff_image, to_multiscales, to_ngff_zarr, as its documentation has them."""

    def write(levels, out, threads):
        import dask
        import ngff_zarr as nz

        with dask.config.set(num_workers=threads):
            image = nz.to_ngff_image(levels[0], dims=("z", "y", "x"))
            scales = nz.to_multiscales(image, FACTORS, chunks=CHUNK, method=nz.Methods(method))
            nz.to_ngff_zarr(str(out), scales, version="0.5", compressors=[BLOSC_CODEC])

    return write, "ngff-zarr"


def acquire_zarr():
    """Mean levels. It flushes every file it completes; on a memory file system that costs nothing."""

    def write(levels, out, threads):
        import acquire_zarr as az

        dimensions = [az.Dimension(name=name, kind=az.DimensionType.SPACE, array_size_px=size,
                                   chunk_size_px=CHUNK, shard_size_chunks=1)
                      for name, size in zip("zyx", levels[0].shape)]
        codec = az.CompressionSettings(compressor=az.Compressor.BLOSC1, level=1, shuffle=1,
                                       codec=az.CompressionCodec.BLOSC_LZ4)
        array = az.ArraySettings(output_key="", data_type=np.uint16, dimensions=dimensions,
                                 downsampling_method=az.DownsamplingMethod.MEAN,
                                 max_levels=len(FACTORS), compression=codec)
        stream = az.ZarrStream(az.StreamSettings(store_path=str(out), max_threads=threads,
                                                 overwrite=True, arrays=[array]))
        stream.append(levels[0])
        stream.close()

    return write, "acquire-zarr"


def tensorstore():
    """Writes levels that were computed beforehand, not flushed."""

    def write(levels, out, threads):
        import tensorstore as ts

        context = {"data_copy_concurrency": {"limit": threads},
                   "file_io_concurrency": {"limit": threads}, "file_io_sync": False}
        futures = []
        for n, level in enumerate(levels):
            spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{out}/{n}"},
                    "metadata": {"shape": level.shape, "data_type": "uint16",
                                 "chunk_grid": {"name": "regular",
                                                "configuration": {"chunk_shape": [CHUNK] * 3}},
                                 "codecs": [{"name": "bytes", "configuration": {"endian": "little"}},
                                            BLOSC_CODEC]},
                    "context": context, "create": True}
            futures.append(ts.open(spec).result().write(level))
        for future in futures:
            future.result()

    return write, "tensorstore"


def zarrs():
    """Writes levels that were computed beforehand, through zarr-python's pipeline in Rust."""

    def write(levels, out, threads):
        import zarr
        import zarrs  # noqa: F401 (registers the pipeline)

        zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline",
                         "threading.max_workers": threads})
        group = zarr.open_group(str(out), mode="w")
        codec = zarr.codecs.BloscCodec(**BLOSC)
        for n, level in enumerate(levels):
            array = group.create_array(str(n), shape=level.shape, dtype=level.dtype,
                                       chunks=(CHUNK,) * 3, compressors=[codec])
            array[...] = level

    return write, "zarrs"


PEERS = {"ngff-zarr bin_shrink": ngff_zarr("itkwasm_bin_shrink"),
         "ngff-zarr gaussian": ngff_zarr("itkwasm_gaussian"),
         "ngff-zarr gaussian, eighth": ngff_zarr("itkwasm_gaussian"),
         "acquire-zarr mean": acquire_zarr(), "acquire-zarr mean, on disk": acquire_zarr(),
         "tensorstore": tensorstore(), "zarrs": zarrs()}


def peak_memory():
    """VmHWM, not ru_maxrss: that one remembers the parent."""
    with open("/proc/self/status") as lines:
        return next(int(l.split()[1]) for l in lines if l.startswith("VmHWM")) * 1024


def tree_bytes(path):
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def mapped_levels(path, name):
    """Level 0, and the coarser ones for those who do not compute them; mapped, every page touched."""
    paths = [path]
    if name in ("tensorstore", "zarrs"):
        paths += sorted(path.parent.glob(path.stem + ".[0-9].npy"))
    levels = [np.asarray(np.load(p, mmap_mode="r")) for p in paths]
    for level in levels:
        level.max()
    return levels


def once(write, levels, out, threads):
    start, cpu = time.perf_counter(), time.process_time()
    write(levels, out, threads)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = peak_memory()
    return {"wall": seconds, "cpu": cpu, "bytes": tree_bytes(out),
            "peak": peak - sum(level.nbytes for level in levels)}


def main():
    name, path, out, threads = sys.argv[1:]
    write, package = PEERS[name]
    out, threads = pathlib.Path(out), int(threads)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a peer prints is not an answer
    levels = mapped_levels(pathlib.Path(path), name)
    shutil.rmtree(out, ignore_errors=True)
    write([np.ascontiguousarray(level[:64, :128, :128]) for level in levels], out, threads)
    print(json.dumps({"ready": importlib.metadata.version(package)}), file=answers, flush=True)
    for _ in sys.stdin:
        shutil.rmtree(out, ignore_errors=True)
        answer = once(write, levels, out, threads)
        shutil.rmtree(out, ignore_errors=True)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
