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

absent("ITK", "Out-of-core resampling (four examples)", "RFC-5 transformations are not applied")


@example("RFC-4", "ITK-Wasm integration", *SEED)
def orientation_of_itk(nz):
    turned = np.array([[0, 1.0, 0], [0, 0, -1], [1, 0, 0]])
    image = nz.itk_image_to_ngff_image(itk_image(volume(), turned), add_anatomical_orientation=True)
    options = {"enabled_rfcs": [4]} if nz.ours else {}
    nz.to_ngff_zarr("output.ome.zarr", nz.to_multiscales(image, [2], chunks=32), **options)
    return {"image": image, "store": store("output.ome.zarr")}


absent("RFC-4", "ITK integration", "needs the itk package; where it is, tests/python/test_itk.py runs it")
