"""The examples of ngff-zarr's documentation that are about files and the command line, plates,
transformations and other libraries; see doc_examples."""

import pathlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from conftest import need
from doc_examples import WRITTEN, absent, example, failure, head, head_store, plane, store, volume

# ---- command line -------------------------------------------------------------------------------

COMMAND = (*WRITTEN, "named image", "channel members")
ONE_LEVEL = ("codec", "one level", "named image", "channel members")


@example("quick start", "Command line conversion", *ONE_LEVEL, "their reader")
@example("command line", "Convert an image file", *ONE_LEVEL, "their reader")
def convert_png(nz):
    nz.notes.add("their reader")
    need("PIL.Image").fromarray(plane()).save("head.png")
    words = ("-i", "./head.png", "-o", "./head.ome.zarr")
    nz.cli(*words, theirs=(*words, "--input-backend", "imageio"))
    return store("head.ome.zarr")


def ome_tiff(name="cells.ome.tif", count=1):
    """Series of their own shapes, with pixel sizes."""
    tifffile = need("tifffile")
    with tifffile.TiffWriter(name, ome=True) as file:
        for n in range(count):
            file.write(volume(shape=(10 + n, 64, 96), seed=n), metadata={
                "axes": "ZYX", "Name": f"part{n}", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 2.0,
                "PhysicalSizeZUnit": "µm"})
    return name


@example("command line", "Convert a TIFF file", *ONE_LEVEL)
def convert_tiff(nz):
    nz.cli("-i", ome_tiff(), "-o", "cells.ome.zarr")
    return store("cells.ome.zarr")


@example("command line", "Convert a series by its index", *ONE_LEVEL)
def convert_series(nz):
    nz.cli("-i", ome_tiff(count=2), "-o", "cells.ome.zarr", "--series", "1")
    return store("cells.ome.zarr")


@example("command line", "Convert all series of a file", *ONE_LEVEL)
def convert_all_series(nz):
    """Their page gives a folder as the output, which 0.50 takes for an unknown image format."""
    nz.cli("-i", ome_tiff(count=2), "-o", "cells.ome.zarr")
    return {name: store(f"cells_{name}.ome.zarr") for name in ("part0", "part1")}


@example("command line", "Convert series by a pattern", *ONE_LEVEL)
def convert_matching_series(nz):
    nz.cli("-i", ome_tiff(count=2), "-o", "cells.ome.zarr", "--series", "*PART1*")
    return store("cells.ome.zarr")


@example("command line", "Convert a series of slices", *ONE_LEVEL, "their reader")
def convert_slices(nz):
    nz.notes.add("their reader")
    tifffile, slices = need("tifffile"), [plane(seed=n, shape=(64, 96)) for n in range(5)]
    store("series").mkdir()
    for n, pixels in enumerate(slices):
        tifffile.imwrite(f"series/{n:02}.tif", pixels)
    tifffile.imwrite("slices.tif", np.stack(slices), imagej=True, metadata={"axes": "ZYX"})
    nz.cli("-i", "series/*.tif", "-o", "slices.ome.zarr",
           theirs=("-i", "slices.tif", "-o", "slices.ome.zarr"))
    return store("slices.ome.zarr")


@example("command line", "Print information about a store")
def information(nz):
    path = head_store(nz, version="0.5")
    text = nz.cli("-i", str(path))
    return {n: str(n) in text for n in (200, 220, 100, 110, 55)}


@example("command line", "Specify output chunks", *COMMAND, "window of a level")
def command_chunks(nz):
    nz.cli("-c", "32", "-i", ome_tiff(), "-o", "cells.ome.zarr")
    return store("cells.ome.zarr")


@example("command line", "Specify metadata", "codec", "one level", "channel members")
def command_metadata(nz):
    need("tifffile").imwrite("plain.tif", volume(shape=(10, 64, 96)), imagej=True,
                             metadata={"axes": "ZYX"})
    nz.cli("--dims", "z", "y", "x", "--scale", "x", "1.4", "y", "1.4", "z", "2.5", "--translation",
           "x", "6.24", "y", "360.0", "z", "332.5", "--name", "LIDC2", "-i", "plain.tif",
           "-o", "out.ome.zarr")
    return store("out.ome.zarr")


@example("command line", "Limit memory consumption", *ONE_LEVEL)
def command_memory(nz):
    nz.cli("--memory-target", "50M", "-i", ome_tiff(), "-o", "cells.ome.zarr")
    return store("cells.ome.zarr")


@example("command line", "Write and inspect .ozx", *ONE_LEVEL)
def command_ozx(nz):
    nz.cli("-i", ome_tiff(), "-o", "cells.ozx")
    text = nz.cli("-i", "cells.ozx")
    return {"store": store("cells.ozx"), "shown": [str(n) in text for n in (10, 64, 96)]}


@example("command line", "Attach orientation", *ONE_LEVEL)
def command_orientation(nz):
    nz.cli("-i", ome_tiff(), "-o", "a.ome.zarr", "--orientation", "LPS")
    nz.cli("-i", ome_tiff(), "-o", "b.ome.zarr", "--orientation", "x", "left-to-right", "y",
           "anterior-to-posterior", "z", "superior-to-inferior")
    return {"preset": store("a.ome.zarr"), "axes": store("b.ome.zarr")}


@example("command line", "Upgrade a store into a new one", *WRITTEN)
def command_upgrade(nz):
    head_store(nz, version="0.4")
    words = ("upgrade", "head.ome.zarr", "-o", "new.ome.zarr", "--to", "0.5")
    nz.cli(*words, ours=words)
    return store("new.ome.zarr")


@example("command line", "Upgrade a store in place", *WRITTEN)
def command_upgrade_in_place(nz):
    nz.cli("upgrade", str(head_store(nz, version="0.4")), "--to", "0.5")
    return store("head.ome.zarr")


@example("command line", "Check orientation (`conformance`)")
def command_conformance(nz):
    nz.to_ome_zarr("a.ome.zarr", nz.to_multiscales(volume(), [], chunks=32, orientation="LPS"))
    assert "inferior-to-superior" in nz.cli("conformance", "a.ome.zarr")


absent("command line", "Leica files (three examples)", "the format has no public specification")
absent("command line", "Public inputs on S3", "the command reads files; from_ome_zarr reads addresses")

# ---- TIFF ---------------------------------------------------------------------------------------


@example("TIFF", "Convert all series", *WRITTEN)
def tiff_all(nz):
    for name, image in nz.tiff_file_to_ngff_images(ome_tiff(count=2)):
        nz.to_ome_zarr(f"{name}.ome.zarr", nz.to_multiscales(image, scale_factors=[2]))
    return {p.name: p for p in sorted(pathlib.Path.cwd().glob("*.zarr"))}


@example("TIFF", "Convert series by index and by pattern")
def tiff_some(nz):
    path = ome_tiff(count=2)
    return {str(series): nz.tiff_file_to_ngff_images(path, series=series)
            for series in (0, "*t1*", [0, "*t1*"])}


@example("TIFF", "Access OME metadata")
def tiff_metadata(nz):
    image = nz.tiff_file_to_ngff_images(ome_tiff())[0][1]
    assert image.scale["z"] == 2.0
    return {"scale": image.scale, "units": image.axes_units}


# ---- plates -------------------------------------------------------------------------------------


def layout(nz, version="0.4"):
    return nz.Plate(
        name="Screen", columns=[nz.PlateColumn("1"), nz.PlateColumn("2")], rows=[nz.PlateRow("A")],
        wells=[nz.PlateWell("A/1", 0, 0), nz.PlateWell("A/2", 0, 1)], field_count=2, version=version,
        acquisitions=[nz.PlateAcquisition(id=0, name="before"), nz.PlateAcquisition(id=1, name="after")])


def field(nz, seed=0):
    image = nz.NgffImage(volume(shape=(1, 2, 6, 32, 48), seed=seed), ["t", "c", "z", "y", "x"],
                         {"t": 1.0, "c": 1.0, "z": 0.3, "y": 0.325, "x": 0.325},
                         dict.fromkeys("tczyx", 0.0), name="field")
    return nz.to_multiscales(image, scale_factors=[2])


def screen(nz, version="0.4"):
    plate, hcs = layout(nz, version), nz.sub("hcs")
    hcs.to_hcs_zarr(hcs.HCSPlate(store="screen.ome.zarr", plate_metadata=plate), "screen.ome.zarr")
    for n, (column, index) in enumerate((("1", 0), ("1", 1), ("2", 0))):
        nz.write_hcs_well_image(store="screen.ome.zarr", multiscales=field(nz, n), plate_metadata=plate,
                                row_name="A", column_name=column, field_index=index,
                                acquisition_id=index, version=version)
    return store("screen.ome.zarr")


@example("plates", "Creating plate metadata")
def plate_metadata(nz):
    return {version: layout(nz, version) for version in ("0.4", "0.5")}


@example("validation", "Checking plates and wells")
def plate_rules(nz):
    plate, rules = layout(nz), []
    well = nz.Well(images=[nz.WellImage("0", acquisition=0), nz.WellImage("1", acquisition=1)])
    nz.validate_plate(plate)
    nz.validate_well(plate, well)
    well.images[1].acquisition = None
    rules.append(failure(lambda: nz.validate_well(plate, well), nz.ValidationError).rule)
    nz.validate_well(nz.Plate(plate.columns, plate.rows, plate.wells), well)
    for path, row, column in (("A/2", 0, 0), ("B/1", 0, 0), ("A/1", 1, 0), ("A/1/0", 0, 0)):
        plate.wells[0] = nz.PlateWell(path, row, column)
        rules.append(failure(lambda: nz.validate_plate(plate), nz.ValidationError).rule)
    nz.validate_plate(plate, nz.ValidateOptions(level=nz.ValidationLevel.SCHEMA_ONLY))
    return rules


@example("plates", "Writing a plate field by field (0.4)", *WRITTEN, "leaked member")
def plate_04(nz):
    return screen(nz)


@example("plates", "Writing a plate field by field (0.5)", *WRITTEN)
def plate_05(nz):
    return screen(nz, "0.5")


@example("plates", "Accessing wells, fields and acquisitions", "method text", "rounding")
@example("quick start", "High content screening", "method text", "rounding")
@example("python", "Reading and validating plates (five examples)", "method text", "rounding")
def plate_read(nz):
    plate = nz.from_hcs_zarr(str(screen(nz)), validate=True)
    well = plate.get_well("A", "1")
    return {"name": plate.metadata.name, "fields": len(well.images), "first": well.get_image(0),
            "after": well.get_image_by_acquisition(acquisition_id=1, field_index=0)}


@example("plates", "HCSPlateWriter: many wells into one .ozx, also from threads", *WRITTEN)
def plate_writer(nz):
    with nz.sub("hcs").HCSPlateWriter("screen.ozx", layout(nz, "0.5")) as writer:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda column: writer.write_well_image(
                multiscales=field(nz, int(column)), row_name="A", column_name=column, field_index=0),
                ("1", "2")))
    well = nz.from_hcs_zarr("screen.ozx").get_well("A", "2")
    return {"store": store("screen.ozx"), "read": well.get_image(0)}


@example("plates", "Invalid rows are refused")
def plate_errors(nz):
    error = failure(lambda: nz.write_hcs_well_image(
        store="a.zarr", multiscales=field(nz), plate_metadata=layout(nz), row_name="Z",
        column_name="1"), ValueError)
    return str(error)


def field_path(nz, name):
    """A field of a plate, which theirs wrote."""
    import parity

    return f"{screen(parity.Module('ngff_zarr') if nz.ours else nz)}/{name}"


@example("plates", "One image of a plate by its path", "codec", "default version", "leaked member")
def plate_image(nz):
    path = field_path(nz, "A/1/1")
    nz.to_ngff_zarr("again.ome.zarr", nz.from_ngff_zarr(path))
    return {"read": nz.from_ngff_zarr(path), "written": store("again.ome.zarr")}


@example("plates", "One image of a plate on the command line", "codec")
def plate_image_command(nz):
    words = ("-i", field_path(nz, "A/1/0"), "-o", "field.ome.zarr", "--no-omero")
    nz.cli(*words, ours=words)
    assert len(nz.from_ngff_zarr("field.ome.zarr").images) == 2
    return store("field.ome.zarr")


# ---- transformations, other libraries -----------------------------------------------------------

ONE_LEVEL = ("one level", "codec")


@example("RFC-5", "An image and an affine", *WRITTEN)
def affine(nz):
    v06 = nz.sub("v06.zarr_metadata")
    levels = head(nz)
    target = v06.CoordinateSystem(name="output", axes=[v06.Axis(name=d, type="space") for d in "yx"])
    metadata = levels.metadata
    metadata.coordinateTransformations = [v06.Affine(
        affine=[[1.0, 0.0, 5.0], [0.0, 1.0, 10.0]], name="to_output",
        input=v06.CoordinateSystemIdentifier(name=metadata.intrinsic_coordinate_system.name),
        output=v06.CoordinateSystemIdentifier(name="output"))]
    metadata.coordinateSystems.append(target)
    nz.to_ome_zarr("affine.ome.zarr", levels, version="0.6")
    return store("affine.ome.zarr")


@example("RFC-5", "Displacement and coordinate fields", *ONE_LEVEL)
def displacement(nz):
    image = nz.NgffImage(np.zeros((2, 64, 64), "f4"), ("c", "y", "x"), dict.fromkeys("cyx", 1.0),
                         dict.fromkeys("cyx", 0.0), axes_types={"c": nz.AxisType.Displacement})
    nz.to_ome_zarr("field.ome.zarr", nz.to_multiscales(image, scale_factors=[]), version="0.6")
    return store("field.ome.zarr")


def field_levels(nz, kind="Displacement"):
    image = nz.NgffImage(np.ones((2, 64, 64), "f4"), ("c", "y", "x"), dict.fromkeys("cyx", 1.0),
                         dict.fromkeys("cyx", 0.0), axes_types={"c": getattr(nz.AxisType, kind)})
    return nz.to_multiscales(image, scale_factors=[])


@example("RFC-5", "A field declared as a transformation", *ONE_LEVEL)
def declared_field(nz):
    nz.to_ome_zarr("field.ome.zarr", nz.declare_field_transform(field_levels(nz)), version="0.6")
    back = nz.from_ome_zarr("field.ome.zarr", validate=True)
    return store("field.ome.zarr"), back.metadata.coordinateTransformations


@example("RFC-5", "A field of coordinates", *ONE_LEVEL)
def coordinate_field(nz):
    levels = nz.declare_field_transform(field_levels(nz, "Coordinate"),
                                        transform_type=nz.FieldTransformType.Coordinates)
    nz.to_ome_zarr("field.ome.zarr", levels, version="0.6")
    return store("field.ome.zarr")


@example("RFC-5", "A field region by region", *ONE_LEVEL)
def field_by_region(nz):
    nz.to_ome_zarr("field.ome.zarr", nz.declare_field_transform(field_levels(nz)), version="0.6",
                   metadata_only=True)
    array = nz.open_array("field.ome.zarr", "scale0/image")
    array[:, :, :] = np.ones((2, 64, 64), "f4")
    return store("field.ome.zarr")


@example("RFC-5", "Image and field in one store")
def image_and_field(nz):
    v06 = nz.sub("v06.zarr_metadata")
    levels = nz.to_multiscales(nz.to_ngff_image(plane()), scale_factors=[2])
    levels.metadata.coordinateSystems.append(
        v06.CoordinateSystem(name="bent", axes=[v06.Axis(name=d, type="space") for d in "yx"]))
    levels = nz.declare_field_transform(levels, path="coordinateTransformations/field",
                                        input_system="intrinsic", output_system="bent")
    nz.to_ome_zarr("image.ome.zarr", levels, version="0.6")
    nz.to_ome_zarr("image.ome.zarr/coordinateTransformations/field", field_levels(nz), version="0.6")
    metadata = nz.from_ome_zarr("image.ome.zarr").metadata
    field = nz.from_ome_zarr(store("image.ome.zarr") / metadata.coordinateTransformations[0].path)
    return metadata.coordinateTransformations, metadata.coordinateSystems, field.metadata.axes


@example("RFC-5", "Scenes", *WRITTEN)
def scene(nz):
    v06 = nz.sub("v06.zarr_metadata")
    end = v06.CoordinateSystemIdentifier
    images = {"tile/0": nz.to_multiscales(nz.to_ngff_image(plane()), scale_factors=[2]),
              "tile/1": nz.to_multiscales(nz.to_ngff_image(plane(seed=1)), scale_factors=[2])}
    world = v06.CoordinateSystem(name="world", axes=[v06.Axis(name=d, type="space") for d in "yx"])
    steps = [v06.Identity(input=end(path="tile/0", name="intrinsic"), output=end(name="world")),
             v06.Affine(affine=[[1.0, 0.0, 5.0], [0.0, 1.0, 180.0]],
                        input=end(path="tile/1", name="intrinsic"), output=end(name="world"))]
    nz.to_ome_zarr("scene.ome.zarr", nz.NgffScene(images, steps, [world]))
    back = nz.from_ome_zarr("scene.ome.zarr", validate=True, kind="scene")
    return store("scene.ome.zarr"), back.coordinateTransformations, back.coordinateSystems, sorted(back.images)


@example("RFC-5", "A transformation alone")
def transformation(nz):
    v06 = nz.sub("v06.zarr_metadata")
    step = v06.TransformSequence(transformations=[v06.Rotation(rotation=[[0.0, -1.0], [1.0, 0.0]]),
                                                  v06.Translation(translation=[4.0, 2.0])])
    nz.to_ome_zarr("step.ome.zarr", step)
    return store("step.ome.zarr"), nz.from_ome_zarr("step.ome.zarr", kind="transformation")
absent("RFC-8", "Collections (all examples)", "newer than 0.50")
absent("LIF", "Leica files in Python (four examples)", "the format has no public specification")
absent("MCP", "The server", "a package of its own")
