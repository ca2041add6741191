#!/usr/bin/env python3
"""Writes docs/python-parity.md: each public name of ngff-zarr, called here. A name counts as `same`, `better` or
`partly` only when its call below went well and no field or parameter is missing (`partly`: some are). Run: ./dev python tools/python_parity.py"""

import dataclasses
import inspect
import pathlib
import sys
import tempfile

import numpy as np

import ngff

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEED_ONLY = {"NgffProgress", "NgffProgressCallback", "config"}
BETTER = {
    "NgffScene": "written whole or not at all; also to mappings, read from archives; images may not lie in each other",
    "open_array": "also steps and single numbers, mappings and zarr-python's stores; processes that change parts of the same "
                  "chunk take turns; without a path level 0",
    "to_multiscales": "nothing is read or written while planning; single planes and odd factors do not fail",
    "write_store_to_zip": "one pass, whole or not at all; the comment names the version that the store has",
    "validate": "the official schemas, applied without another package",
    "ValidateOptions": "`allow_unknown_fields=False` is heeded",
    "compute_omero_from_ngff_image": "quantiles are exact; 8 and 16 bits in slabs, other types a channel at once",
    "compute_omero_from_multiscales": "quantiles are exact; 8 and 16 bits in slabs, other types a channel at once",
    "itk_image_to_ngff_image": "pixels are not copied; of four dimensions the fourth is the axis t with its spacing, "
                               "where theirs calls x the channel; dictionaries, SimpleITK, regions that start elsewhere",
    "ngff_image_to_itk_image": "axes in any order keep their spacing, `wasm=False` keeps all components, no direction "
                               "matrix of determinant 0, either byte order",
    "from_hcs_zarr": "also from mappings and addresses; a store without a plate is an error, not an empty plate",
    "to_hcs_zarr": "what is written is valid or refused; a directory with other files is never cleared; mappings and "
                   "addresses too",
    "write_hcs_well_image": "a field is named when it is there, `overwrite=False` keeps one; creates the plate's "
                            "document where there is none, does not change `well_metadata`, also between processes; into "
                            "mappings and addresses too",
    "HCSPlateWriter": "the .ozx appears whole or not at all, in one pass; `overwrite=False` replaces no field",
    "tiff_file_to_ngff_images": "read by the library: planes of axes without a name are kept, ImageJ's pixel sizes "
                                "and the step of time count, colours are RGBA as the schema says",
    "nibabel_image_to_ngff_image": "units and the step of time; positions follow axes that lie along another world axis; nibabel itself is not needed",
    "cli_input_to_ngff_image": "read by the library, region by region, with what the file says; other kinds through imageio; not ITK's own",
    "itk_transform_to_ngff_matrix": "angles and quaternions without the itk package; dictionaries; what is not finite is refused",
    "itk_transform_to_ngff_transform": "angles and quaternions without the itk package; dictionaries; what is not finite is refused",
    "ngff_transform_to_itk_transform": "an axis that is not of space and depends on one that is, is refused, not dropped",
    "resample": "without Dask and ITK-Wasm too (linear, nearest); whole numbers that are met exactly stay; negative scales; "
                "values that do not fit become the largest or smallest",
    "resample_bounding_box": "without ITK-Wasm; of a field the vectors around the grid count, not whole chunks; negative scales; "
                             "`padded_corners_min` is the smaller one on turned axes",
    "Methods": "every method registered with its declared translation",
    "NgffProgressCallback": "a Dask callback that leaves graphs as they are, several computations at once; without Dask too",
}
WRITER = ("whole or not at all, foreign directories never replaced, one pass; "
          "levels added by `start_level` are computed or as given; not the draft 0.9.dev1")
PARTLY = {
    "to_ngff_zarr": WRITER,
    "to_ome_zarr": WRITER,
    "SUPPORTED_VERSIONS": "0.4 to 0.6, which are written (0.1 to 0.3 are read, and written by neither); 0.9.dev1 is a "
                          "draft that changes",
    "upgrade_ome_zarr": "0.4, 0.5 and 0.6; not 0.9.dev1",
    "config": "`memory_target` is a bound (where one block does not fit, the least that will do, with a warning), and little of it is used "
              "beside lazy data; `task_target` is accepted and needless: no graph of "
              "the whole is made, a call of the scheduler holds the tasks of some chunks; `cache_store` is accepted and not used: what must "
              "wait goes to one unlinked file beside the store",
}
REASONS = {
    "not here": {
        "lif": "Leica files: format without a specification",
        "mosaic": "Leica files: format without a specification",
    },
    "not yet": {},
}


def calls(directory):
    """{name: a call that must go well}. A name without one is called with nothing or looked at."""
    data = np.arange(32 * 40 * 48, dtype="u2").reshape(32, 40, 48)
    image = ngff.to_ngff_image(data, dims=("z", "y", "x"))
    levels = ngff.to_multiscales(image, scale_factors=[2], chunks=16)
    store, archive = str(directory / "a.zarr"), str(directory / "a.ozx")
    other = str(directory / "b.zarr")
    ngff.to_ome_zarr(store, levels)
    ngff.to_ome_zarr(other, levels)
    ngff.write_store_to_zip(store, archive)
    axis = {"name": "x", "type": "space"}
    turned = ngff.add_anatomical_orientation_to_axis(axis, ngff.LPS["x"])
    metadata = ngff.from_ome_zarr(store).metadata
    offsets = ngff.to_ngff_image(np.zeros((2, 8, 8), "f4"), dims=("c", "y", "x"))
    offsets.axes_types = {"c": ngff.AxisType.Displacement}
    field = ngff.to_multiscales(offsets, scale_factors=[])
    plate = ngff.Plate([ngff.PlateColumn("1")], [ngff.PlateRow("A")], [ngff.PlateWell("A/1", 0, 0)])
    screen = str(directory / "screen.zarr")

    def plate_written():
        with ngff.HCSPlateWriter(directory / "screen.ozx", dataclasses.replace(plate, version="0.5")) as writer:
            writer.write_well_image(levels, "A", "1")
        return ngff.from_hcs_zarr(directory / "screen.ozx").get_well("A", "1").get_image(0).images[1]

    def field_written():
        ngff.write_hcs_well_image(screen, levels, plate, "A", "1")
        return ngff.from_hcs_zarr(screen, validate=True).get_well("A", "1").images[0].path == "0" or 1 / 0

    return {
        "from_hcs_zarr": field_written,
        "to_hcs_zarr": lambda: ngff.to_hcs_zarr(ngff.HCSPlate(screen, plate), screen, overwrite=False),
        "write_hcs_well_image": field_written,
        "HCSPlateWriter": plate_written,
        "HCSPlate": field_written,
        "HCSWell": plate_written,
        "to_ngff_image": lambda: image.data is data or 1 / 0,
        "to_multiscales": lambda: np.asarray(levels.images[1].data),
        "to_ngff_zarr": lambda: ngff.to_ngff_zarr(store, levels),
        "to_ome_zarr": lambda: ngff.to_ome_zarr(store, levels),
        "from_ngff_zarr": lambda: np.asarray(ngff.from_ngff_zarr(store).images[1].data),
        "from_ome_zarr": lambda: ngff.from_ome_zarr(store, validate=True),
        "open_array": lambda: ngff.open_array(store, "scale1/image")[0, 0, 0],
        "validate": lambda: ngff.validate({"multiscales": [{
            "axes": [{"name": d, "type": "space"} for d in "yx"],
            "datasets": [{"path": "0", "coordinateTransformations": [
                {"type": "scale", "scale": [1, 1]}]}]}]}),
        "validate_plate": lambda: ngff.validate_plate(plate),
        "validate_well": lambda: ngff.validate_well(plate, ngff.Well([ngff.WellImage("0")])),
        "validate_structural": lambda: ngff.validate_structural(metadata),
        "codec_from_name": lambda: ngff.codec_from_name("zstd", 3),
        "get_available_codecs": ngff.get_available_codecs,
        "update_root_attributes": lambda: ngff.update_root_attributes(store, {"mine": 1}),
        "upgrade_ome_zarr": lambda: ngff.upgrade_ome_zarr(other, version="0.6"),
        "compute_omero_from_ngff_image": lambda: ngff.compute_omero_from_ngff_image(image),
        "compute_omero_from_multiscales": lambda: ngff.compute_omero_from_multiscales(levels),
        "memory_usage": lambda: ngff.memory_usage(image),
        "task_count": lambda: ngff.task_count(image),
        "is_ozx_path": lambda: ngff.is_ozx_path(archive) or 1 / 0,
        "write_store_to_zip": lambda: ngff.write_store_to_zip(store, archive),
        "read_ozx_version": lambda: ngff.read_ozx_version(archive) == "0.5" or 1 / 0,
        "read_ozx_json_first": lambda: ngff.read_ozx_json_first(archive) or 1 / 0,
        "declare_field_transform": lambda: ngff.declare_field_transform(field).metadata.coordinateSystems[1],
        "itk_image_to_ngff_image": lambda: same_pixels(ngff.itk_image_to_ngff_image(itk_image(image)), data),
        "ngff_image_to_itk_image": lambda: itk_image(image).size == [48, 40, 32] or 1 / 0,
        "itk_direction_to_anatomical_orientation":
            lambda: ngff.itk_direction_to_anatomical_orientation([0, -1, 0]).value == "posterior-to-anterior" or 1 / 0,
        "anatomical_orientation_to_itk_direction":
            lambda: ngff.anatomical_orientation_to_itk_direction("left-to-right") == [-1.0, 0.0, 0.0] or 1 / 0,
        "tiff_file_to_ngff_images": lambda: image_files(directory)[0],
        "nibabel_image_to_ngff_image": lambda: image_files(directory)[1],
        "extract_omero_metadata_from_nibabel": lambda: image_files(directory)[2].channels[0],
        "cli_input_to_ngff_image": lambda: image_files(directory)[3],
        "detect_cli_io_backend": lambda: ngff.detect_cli_io_backend(["a.tif"]).name == "TIFFFILE" or 1 / 0,
        **itk_calls(data),
        "orientation_from_name": lambda: ngff.orientation_from_name("RAS"),
        "itk_lps_to_anatomical_orientation": lambda: ngff.itk_lps_to_anatomical_orientation("x"),
        "add_anatomical_orientation_to_axis": lambda: turned["orientation"]["value"],
        "remove_anatomical_orientation_from_axis":
            lambda: ngff.remove_anatomical_orientation_from_axis(turned) == axis or 1 / 0,
    }


def itk_calls(data):
    """Those of ITK's transforms."""
    dims, about = ("z", "y", "x"), {"translation": [0] * 3, "spacing": [1] * 3}
    field = ngff.NgffImage(np.ones((3, 4, 4, 4), "f4"), ("c", *dims), {}, {}, axes_types={"c": "displacement"})
    moved = ngff.Displacements(path="field")
    affine = ngff.ngff_transform_to_itk_transform(ngff.Translation([1.0, 2.0, 3.0]), dims)
    space = ngff.to_ngff_image(data, dims=dims)
    made = ngff.ngff_displacement_field_to_itk_transform(moved, field, dims)
    return {
        "ngff_transform_to_itk_transform": lambda: list(affine[0].parameters[9:]) == [3, 2, 1] or 1 / 0,
        "itk_transform_to_ngff_matrix":
            lambda: list(ngff.itk_transform_to_ngff_matrix(affine, dims)[1]) == [1, 2, 3] or 1 / 0,
        "itk_transform_to_ngff_transform":
            lambda: ngff.itk_transform_to_ngff_transform(affine, dims).translation == [1, 2, 3] or 1 / 0,
        "ngff_displacement_field_to_itk_transform": lambda: made[0].parameters.size == 192 or 1 / 0,
        "itk_displacement_field_to_ngff_transform": lambda: np.array_equal(
            ngff.itk_displacement_field_to_ngff_transform(made, dims, path="field")[1].data, field.data) or 1 / 0,
        "resample_bounding_box": lambda: ngff.resample_bounding_box(affine, space, space).start_index["x"] == 2 or 1 / 0,
        "resample": lambda: np.array_equal(
            ngff.resample(affine, space, space).data[:5, :4, :3], data[1:6, 2:6, 3:6]) or 1 / 0,
        "convert_itk_field_block": lambda: ngff.convert_itk_field_block(field.data, dims, **about)[0, 0, 0, 0] == 1 or 1 / 0,
    }


def itk_image(image):
    return ngff.ngff_image_to_itk_image(image)


def same_pixels(image, data):
    return np.array_equal(image.data, data) or 1 / 0


def image_files(directory):
    """Small files, read by the functions that read files."""
    import nibabel
    import tifffile

    data = np.arange(4 * 5 * 6, dtype="u2").reshape(4, 5, 6)
    tifffile.imwrite(directory / "a.tif", data, imagej=True, metadata={"axes": "ZYX"})
    scan = nibabel.Nifti1Image(data, np.diag([1.0, 2.0, 3.0, 1.0]))
    scan.header["cal_max"] = 100
    backend, paths = ngff.ConversionBackend.TIFFFILE, [str(directory / "a.tif")]
    results = [image for _, image in ngff.tiff_file_to_ngff_images(paths[0])]
    results += [ngff.nibabel_image_to_ngff_image(scan), ngff.extract_omero_metadata_from_nibabel(scan),
                ngff.cli_input_to_ngff_image(backend, paths)]
    assert all(np.array_equal(results[i].data, data) for i in (0, 1, 3))
    return results


def reason(name):
    for state, reasons in REASONS.items():
        for word, why in reasons.items():
            if word in name:
                return state, why
    return "not yet", "not done"


def lacking(name):
    """Fields of the peer's dataclass, or parameters of its function, that ours does not have."""
    import ngff_zarr

    pair = [getattr(module, name, None) for module in (ngff_zarr, ngff)]
    if all(dataclasses.is_dataclass(item) for item in pair):
        names = [{field.name for field in dataclasses.fields(item)} for item in pair]
    elif all(inspect.isfunction(item) for item in pair):
        names = [set(inspect.signature(item).parameters) for item in pair]
    else:
        return []
    return sorted(names[0] - names[1])


def rows(names, tests):
    for name in sorted(names, key=str.lower):
        if not hasattr(ngff, name):
            yield name, *reason(name)
            continue
        tests.get(name, lambda: None)()
        remarks = [PARTLY.get(name) or BETTER.get(name) or ("called" if name in tests else "looked at")]
        missing = lacking(name)
        if missing:
            remarks.append("without " + ", ".join(f"`{item}`" for item in missing))
        state = "partly" if missing or name in PARTLY else "better" if name in BETTER else "same"
        yield name, state, "; ".join(remarks)


def examples():
    """The lines about the examples of the peer's documentation, from the table that the tests run."""
    sys.path.insert(0, str(ROOT / "tests/python"))
    import doc_examples_files  # noqa: F401 (fills the table)
    import doc_examples_itk  # noqa: F401
    from doc_examples import TABLE, line
    from parity import EXPLAINED

    yield from ("", "# The examples of its documentation", "",
                "Run with both packages by `tests/python/test_parity_examples.py`, which compares "
                "documents, chunk keys,", "pixels and objects. A difference is one of those explained "
                "below the table, or the test fails.", "",
                "| page | example | compared |", "| --- | --- | --- |")
    for row in sorted(TABLE, key=lambda row: row.page.lower()):
        yield line(row)
    used = {name for row in TABLE for name in row.differences}
    yield from ("", *(f"* *{name}*: {EXPLAINED[name].why}." for name in EXPLAINED if name in used))


def main():
    import ngff_zarr

    with tempfile.TemporaryDirectory() as directory:
        names = set(ngff_zarr.__all__) | SEED_ONLY
        made = list(rows(names, calls(pathlib.Path(directory))))
    lines = ["# Parity with ngff-zarr", "",
             "Each public name of ngff-zarr 0.50, and those of 0.21 that left since, with its state in "
             "`ngff`.", "Written by `tools/python_parity.py`, which calls each one that is here.", "",
             "| name | state | remark |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {state} | {remark} |" for name, state, remark in made]
    counts = {state: sum(row[1] == state for row in made) for state in
              ("same", "better", "partly", "not yet", "not here")}
    lines += ["", ", ".join(f"{count} {state}" for state, count in counts.items()) + "."]
    lines += examples()
    (ROOT / "docs/python-parity.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(counts)


if __name__ == "__main__":
    sys.exit(main())
