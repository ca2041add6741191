# ./dev demo: the main job, from nothing to a picture.
# shellcheck shell=bash
source tools/dev/build.sh

# Prints the command as a person would type it, then runs it.
shown() {
    printf '\n$ %s\n' "$*"
    "$@"
}

dev_demo() {
    dev_build
    local dir=build/demo
    rm -rf "$dir"
    mkdir -p "$dir"
    shown build/ngff sample "$dir/sample.ome.tiff"
    shown build/ngff convert "$dir/sample.ome.tiff" "$dir/sample.ome.zarr"
    shown build/ngff info "$dir/sample.ome.zarr"
    shown build/ngff thumbnail "$dir/sample.ome.zarr" "$dir/sample.png"
    cat <<TEXT

The result is $dir/sample.ome.zarr, a thumbnail of it $dir/sample.png. To open it:
  napari        napari --plugin napari-ome-zarr $dir/sample.ome.zarr
  Fiji          File > Import > HDF5/N5/Zarr/OME-NGFF ...
  Python        zarr.open_group("$dir/sample.ome.zarr")["scale0/cells"]
Your own image:  build/ngff convert scan.ome.tiff scan.ome.zarr
TEXT
}
