"""The examples of ngff-zarr's documentation that are about ITK; see doc_examples. Images are made in
memory where the page reads a file with a reader that is not installed here."""

import numpy as np

from conftest import need
from doc_examples import SEED, absent, example, plane, store, volume


def itk_image(pixels, direction=None):
    itkwasm = need("itkwasm")
    dimension = pixels.ndim
    kind = itkwasm.ImageType(dimension=dimension, componentType=pixels.dtype.name)
    return itkwasm.Image(imageType=kind, data=pixels, size=list(pixels.shape[::-1]),
                         spacing=[0.5, 1.5, 2.0][:dimension], origin=[-3.0, 10.0, 4.0][:dimension],
                         direction=np.eye(dimension) if direction is None else direction)


def itk_facts(image):
    return {"origin": image.origin, "spacing": image.spacing, "size": image.size, "name": image.name,
            "type": image.imageType, "direction": np.asarray(image.direction).tolist(),
            "data": image.data}


@example("ITK", "ITK-Wasm Python")
def itkwasm_there_and_back(nz):
    image = nz.itk_image_to_ngff_image(itk_image(plane()))
    return {"image": image, "back": itk_facts(nz.ngff_image_to_itk_image(image, wasm=True))}


absent("ITK", "ITK Python", "needs the itk package; where it is, tests/python/test_itk.py runs it")


def registration():
    """What a registration of two planes gives: a rotation about a centre, in ITK's order."""
    itkwasm = need("itkwasm")
    turn, center = [0.9553, -0.2955, 0.2955, 0.9553, 2.31, -4.17], [40.0, 30.0]
    kind = itkwasm.TransformType("Affine", "float64", 2, 2)
    return itkwasm.Transform(kind, numberOfParameters=6, numberOfFixedParameters=2,
                             parameters=np.array(turn), fixedParameters=np.array(center))


def planes(nz):
    """A block of a fixed image and a moving one."""
    fixed = nz.to_ngff_image(need("dask.array").from_array(plane(shape=(40, 50)), chunks=16), dims=["y", "x"],
                             scale={"y": 1.0, "x": 1.0}, translation={"y": 31.0, "x": 12.0}, name="fixed")
    moving = nz.to_ngff_image(need("dask.array").from_array(plane("u2", seed=1), chunks=64), dims=["y", "x"],
                              scale={"y": 0.75, "x": 0.5}, translation={"y": 2.0, "x": -3.0}, name="moving")
    return fixed, moving


@example("ITK", "Out-of-core resampling: the region")
def resample_region(nz):
    fixed, moving = planes(nz)
    region = nz.resample_bounding_box(registration(), fixed, moving)
    block = region.crop(moving)
    return {"start": region.start_index, "size": region.size, "clamped": region.clamped(),
            "slices": str(region.slices()), "empty": region.is_empty, "block": block,
            "itk": itk_facts(nz.ngff_image_to_itk_image(block))}


@example("ITK", "Resampling the whole grid", *SEED)
def resample_grid(nz):
    made = nz.resample(registration(), *planes(nz))
    nz.to_ngff_zarr("resampled.zarr", nz.to_multiscales(made, scale_factors=[2], chunks=32))
    return {"image": made, "store": store("resampled.zarr")}


@example("ITK", "Non-linear transforms", "rounding")
def resample_field(nz):
    itkwasm = need("itkwasm")
    vectors = np.random.default_rng(2).normal(scale=4, size=(6, 7, 2))
    field = np.array([7, 6, 0.3, 0.2, 17, 17, 1, 0, 0, 1], dtype="f8")
    bend = itkwasm.Transform(itkwasm.TransformType("DisplacementField", "float64", 2, 2), parameters=vectors.ravel(),
                             fixedParameters=field, numberOfParameters=84, numberOfFixedParameters=10)
    transform, stored = nz.itk_displacement_field_to_ngff_transform(bend, ("y", "x"), path="bend")
    return {"whole": nz.resample([registration(), bend], *planes(nz), interpolator="nearest_neighbor"),
            "stored": nz.resample(transform, *planes(nz), fields={"bend": stored})}


@example("RFC-4", "ITK-Wasm integration", *SEED)
def orientation_of_itk(nz):
    turned = np.array([[0, 1.0, 0], [0, 0, -1], [1, 0, 0]])
    image = nz.itk_image_to_ngff_image(itk_image(volume(), turned), add_anatomical_orientation=True)
    options = {"enabled_rfcs": [4]} if nz.ours else {}
    nz.to_ngff_zarr("output.ome.zarr", nz.to_multiscales(image, [2], chunks=32), **options)
    return {"image": image, "store": store("output.ome.zarr")}


absent("RFC-4", "ITK integration", "needs the itk package; where it is, tests/python/test_itk.py runs it")
