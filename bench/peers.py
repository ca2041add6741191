"""One peer in a process of its own: warms up on a crop, then writes the volume once for every line on
standard input and prints the seconds, its peak memory and the bytes on disk.

    peers.py PEER VOLUME.npy OUTDIR"""

import pathlib
import resource
import shutil
import sys
import time

import numpy as np

CHUNK, LEVELS = 64, 4


def ngff_zarr(method):
    import ngff_zarr as nz
    from ngff_zarr import Methods

    codec = {"name": "blosc", "configuration": {"cname": "lz4", "clevel": 1, "shuffle": "shuffle",
                                                "typesize": 2, "blocksize": 0}}

    def write(volume, out):
        image = nz.to_ngff_image(volume, dims=("z", "y", "x"))
        levels = nz.to_multiscales(image, [2, 4, 8], chunks=CHUNK, method=Methods(method))
        nz.to_ngff_zarr(str(out), levels, version="0.5", compressors=[codec])

    return write


def acquire_zarr(volume, out):
    """Its default: mean levels, every file flushed when it is complete."""
    import acquire_zarr as az

    z, y, x = volume.shape
    kinds = {"z": z, "y": y, "x": x}
    dimensions = [az.Dimension(name=n, kind=az.DimensionType.SPACE, array_size_px=s,
                               chunk_size_px=CHUNK, shard_size_chunks=1) for n, s in kinds.items()]
    settings = az.StreamSettings(
        store_path=str(out), max_threads=2, overwrite=True,
        arrays=[az.ArraySettings(
            output_key="image", data_type=np.uint16, dimensions=dimensions,
            downsampling_method=az.DownsamplingMethod.MEAN,
            compression=az.CompressionSettings(
                compressor=az.Compressor.BLOSC1, codec=az.CompressionCodec.BLOSC_LZ4, level=1,
                shuffle=1))])
    stream = az.ZarrStream(settings)
    stream.append(volume)
    stream.close()


PEERS = {"ngff-zarr bin_shrink": ngff_zarr("itkwasm_bin_shrink"),
         "ngff-zarr gaussian": ngff_zarr("itkwasm_gaussian"),
         "acquire-zarr mean": acquire_zarr}


def tree_bytes(path):
    return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def main():
    write = PEERS[sys.argv[1]]
    volume = np.load(sys.argv[2])
    out = pathlib.Path(sys.argv[3])
    shutil.rmtree(out, ignore_errors=True)
    write(np.ascontiguousarray(volume[:64, :128, :128]), out)
    print("ready", flush=True)
    for _ in sys.stdin:
        shutil.rmtree(out, ignore_errors=True)
        start = time.perf_counter()
        write(volume, out)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - volume.nbytes
        print(seconds, peak, tree_bytes(out), flush=True)
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
