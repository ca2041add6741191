# What `import ngff` offers, for editors and type checkers; tests/python/test_stubs.py compares it with
# the package itself.
import os
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Literal

from . import v04 as v04
from . import v05 as v05
from . import v06 as v06
from ._config import NgffZarrConfig as NgffZarrConfig
from ._errors import Error as Error
from ._field import FieldTransformType as FieldTransformType
from ._image import Multiscales as Multiscales
from ._image import NgffImage as NgffImage
from ._image import NgffMultiscales as NgffMultiscales
from ._inputs import ConversionBackend as ConversionBackend
from ._lazy import LazyArray
from ._metadata import SUPPORTED_VERSIONS as SUPPORTED_VERSIONS
from ._metadata import V06_ONDISK_VERSION as V06_ONDISK_VERSION
from ._metadata import AxesType as AxesType
from ._metadata import Axis as Axis
from ._metadata import AxisType as AxisType
from ._metadata import AxisUnit as AxisUnit
from ._metadata import Dataset as Dataset
from ._metadata import Identity as Identity
from ._metadata import Metadata as Metadata
from ._metadata import MethodMetadata as MethodMetadata
from ._metadata import NgffVersion as NgffVersion
from ._metadata import Omero as Omero
from ._metadata import OmeroChannel as OmeroChannel
from ._metadata import OmeroWindow as OmeroWindow
from ._metadata import Plate as Plate
from ._metadata import PlateAcquisition as PlateAcquisition
from ._metadata import PlateColumn as PlateColumn
from ._metadata import PlateRow as PlateRow
from ._metadata import PlateWell as PlateWell
from ._metadata import Scale as Scale
from ._metadata import ScaleStrategy as ScaleStrategy
from ._metadata import SpaceUnits as SpaceUnits
from ._metadata import SpatialDims as SpatialDims
from ._metadata import SupportedDims as SupportedDims
from ._metadata import TimeUnits as TimeUnits
from ._metadata import Transform as Transform
from ._metadata import Translation as Translation
from ._metadata import Units as Units
from ._metadata import Well as Well
from ._metadata import WellImage as WellImage
from ._methods import Methods as Methods
from ._orientation import AnatomicalOrientation as AnatomicalOrientation
from ._orientation import AnatomicalOrientationValues as AnatomicalOrientationValues
from ._parts import WritePlan as WritePlan
from ._plate_read import HCSPlate as HCSPlate
from ._plate_read import HCSWell as HCSWell
from ._plate_write import HCSPlateWriter as HCSPlateWriter
from ._progress import NgffProgress as NgffProgress
from ._progress_dask import NgffProgressCallback as NgffProgressCallback
from ._scene import NgffScene as NgffScene
from ._resample_box import ResampleBoundingBox as ResampleBoundingBox
from ._structural import SpecRule as SpecRule
from ._structural import ValidateOptions as ValidateOptions
from ._structural import ValidationError as ValidationError
from ._structural import ValidationLevel as ValidationLevel
from ._systems import CoordinateSystem as CoordinateSystem
from ._systems import CoordinateSystemIdentifier as CoordinateSystemIdentifier
from ._transforms import Coordinates as Coordinates
from ._transforms import Displacements as Displacements
from ._writer import ImageWriter as ImageWriter

Path = str | os.PathLike[str]
# A path, a mapping of keys to bytes, or a store of zarr-python or TensorStore.
Store = Path | MutableMapping[str, bytes] | Any
Version = str | NgffVersion | None
Progress = NgffProgress | Callable[[int, int], object] | Any | None
ScaleFactors = int | Sequence[int | Mapping[str, int]]
Chunks = int | Sequence[int] | Mapping[str, int] | None

__version__: str
config: NgffZarrConfig
methods: list[tuple[str, str]]
methods_values: list[str]
LPS: dict[str, AnatomicalOrientation]
RAS: dict[str, AnatomicalOrientation]
GLASBEY_COLORS: list[str]

def library_info() -> str: ...
def to_ngff_image(
    data: Any,
    dims: Sequence[str] | None = None,
    scale: Mapping[str, float] | None = None,
    translation: Mapping[str, float] | None = None,
    name: str = "image",
    axes_units: Mapping[str, str] | None = None,
    channel_names: Sequence[str] | None = None,
) -> NgffImage: ...
def to_multiscales(
    data: NgffImage | Any,
    scale_factors: ScaleFactors = 128,
    method: Methods | str | None = None,
    chunks: Chunks = None,
    progress: Progress = None,
    cache: bool | None = None,
    orientation: str | Mapping[str, AnatomicalOrientation] | None = None,
    axis_order: Literal["canonical", "preserve"] = "canonical",
) -> NgffMultiscales: ...
def to_ngff_zarr(
    store: Store,
    multiscales: NgffMultiscales | NgffScene | Any,
    version: Version = "0.4",
    overwrite: bool = True,
    use_tensorstore: bool = False,
    chunk_store: Store | None = None,
    progress: Progress = None,
    chunks_per_shard: Chunks = None,
    enabled_rfcs: Sequence[int] | None = None,
    scale_strategy: ScaleStrategy = "exact",
    metadata_only: bool = False,
    start_level: int = 0,
    consolidate_metadata: bool = True,
    **kwargs: Any,
) -> None: ...
def to_ome_zarr(
    store: Store,
    multiscales: NgffMultiscales | NgffScene | Any,
    version: Version = None,
    overwrite: bool = True,
    use_tensorstore: bool = False,
    chunk_store: Store | None = None,
    progress: Progress = None,
    chunks_per_shard: Chunks = None,
    scale_strategy: ScaleStrategy = "pad",
    metadata_only: bool = False,
    start_level: int = 0,
    consolidate_metadata: bool = True,
    **kwargs: Any,
) -> None: ...
def declare_field_transform(
    multiscales: NgffMultiscales,
    *,
    transform_type: FieldTransformType | str = "displacements",
    path: str | None = None,
    input_system: str | None = None,
    output_system: str | None = None,
    coordinate_system: str = "physical",
    interpolation: str = "linear",
) -> NgffMultiscales: ...
def open_writer(
    store: Store,
    image: NgffMultiscales | NgffImage | Mapping[str, Any] | None = None,
    *,
    version: Version = "0.5",
    scale_factors: ScaleFactors | None = None,
    method: Methods | str | None = None,
    chunks: Chunks = None,
    chunks_per_shard: Chunks = None,
    append: bool | None = None,
    live: bool = False,
    no_wait: bool = False,
    overwrite: bool = True,
    chunk_store: Store | None = None,
    progress: Progress = None,
    enabled_rfcs: Sequence[int] = (4,),
    consolidate_metadata: bool = True,
    **kwargs: Any,
) -> ImageWriter: ...
def plan_write(
    store: Path,
    multiscales: NgffMultiscales | Any,
    version: Version = "0.5",
    overwrite: bool = True,
    chunks_per_shard: Chunks = None,
    enabled_rfcs: Sequence[int] | None = None,
    consolidate_metadata: bool = True,
    **kwargs: Any,
) -> WritePlan: ...
def from_ngff_zarr(
    store: Store,
    validate: bool = False,
    version: Version = None,
    storage_options: Mapping[str, Any] | None = None,
    kind: str | None = None,
    chunk_store: Store | None = None,
) -> Any: ...  # NgffMultiscales, with `kind` NgffScene or a transformation
def from_ome_zarr(
    store: Store,
    validate: bool = False,
    version: Version = None,
    storage_options: Mapping[str, Any] | None = None,
    kind: str | None = None,
    chunk_store: Store | None = None,
) -> Any: ...  # NgffMultiscales, with `kind` NgffScene or a transformation
def open_array(
    store: Store,
    path: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    chunk_store: Store | None = None,
) -> LazyArray: ...
def upgrade_ome_zarr(
    input: Store,
    output: Path | None = None,
    *,
    version: str = "0.6",
    validate: bool = False,
    storage_options: Mapping[str, Any] | None = None,
    overwrite: bool = True,
) -> None: ...
def from_hcs_zarr(
    store: Store,
    validate: bool = False,
    well_cache_size: int | None = None,
    image_cache_size: int | None = None,
) -> HCSPlate: ...
def to_hcs_zarr(plate: HCSPlate, store: Path, overwrite: bool = True) -> None: ...
def write_hcs_well_image(
    store: Path,
    multiscales: NgffMultiscales | Any,
    plate_metadata: Plate,
    row_name: str,
    column_name: str,
    field_index: int = 0,
    acquisition_id: int | None = 0,
    well_metadata: Well | None = None,
    version: str = "0.4",
    **kwargs: Any,
) -> None: ...
def update_root_attributes(store: Path, attributes: Mapping[str, Any]) -> None: ...
def write_store_to_zip(
    source_store: Store, zip_path: Path, version: str = "0.5", compression: int = 0
) -> None: ...
def is_ozx_path(path: Any) -> bool: ...
def read_ozx_version(zip_path: Path) -> str | None: ...
def read_ozx_json_first(zip_path: Path) -> bool: ...
def codec_from_name(name: str, level: int | None = None) -> Any: ...
def get_available_codecs() -> list[str]: ...
def compute_omero_from_ngff_image(
    ngff_image: NgffImage | Any,
    quantiles: tuple[float, float] = (0.02, 0.98),
    colors: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    dense: bool = False,
) -> Omero: ...
def compute_omero_from_multiscales(
    multiscales: NgffMultiscales | Any,
    quantiles: tuple[float, float] = (0.02, 0.98),
    colors: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    dense: bool = False,
) -> Omero: ...
def add_anatomical_orientation_to_axis(
    axis_dict: Mapping[str, Any], orientation: AnatomicalOrientation
) -> dict[str, Any]: ...
def remove_anatomical_orientation_from_axis(axis_dict: Mapping[str, Any]) -> dict[str, Any]: ...
def itk_direction_to_anatomical_orientation(
    direction_column: Sequence[float],
) -> AnatomicalOrientation: ...
def anatomical_orientation_to_itk_direction(
    orientation: AnatomicalOrientationValues | str,
) -> list[float] | None: ...
def itk_image_to_ngff_image(itk_image: Any, add_anatomical_orientation: bool = True) -> NgffImage: ...
def ngff_image_to_itk_image(
    ngff_image: NgffImage | Any,
    wasm: bool = True,
    t_index: int | None = None,
    c_index: int | None = None,
) -> Any: ...
def itk_transform_to_ngff_matrix(
    transform: Any,
    dims: Sequence[str],
    *,
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
) -> tuple[Any, Any]: ...
def itk_transform_to_ngff_transform(
    transform: Any,
    dims: Sequence[str],
    simplify: bool = True,
    *,
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
) -> Any: ...
def ngff_transform_to_itk_transform(
    transform: Any,
    dims: Sequence[str],
    *,
    fields: Mapping[str, Any] | None = None,
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
) -> list[Any]: ...
def itk_displacement_field_to_ngff_transform(
    transform: Any,
    dims: Sequence[str],
    *,
    path: str,
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
) -> tuple[Displacements, NgffImage]: ...
def ngff_displacement_field_to_itk_transform(
    transform: Any,
    field: NgffImage | NgffMultiscales | Any,
    dims: Sequence[str],
    *,
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
) -> list[Any]: ...
def convert_itk_field_block(
    values: Any,
    dims: Sequence[str],
    *,
    translation: Sequence[float],
    spacing: Sequence[float],
    fixed: NgffImage | Any = None,
    moving: NgffImage | Any = None,
    transform_type: str = "displacements",
    inverse: bool = False,
) -> Any: ...
def resample_bounding_box(
    transform: Any,
    fixed: NgffImage | Any,
    moving: NgffImage | Any,
    padding: int = 1,
    *,
    fields: Mapping[str, Any] | None = None,
) -> ResampleBoundingBox: ...
def resample(
    transform: Any,
    fixed: NgffImage | Any,
    moving: NgffImage | Any,
    padding: int | None = None,
    interpolator: str = "linear",
    default_value: float = 0.0,
    *,
    fields: Mapping[str, Any] | None = None,
) -> NgffImage: ...
def itk_lps_to_anatomical_orientation(axis_name: str) -> AnatomicalOrientation | None: ...
def orientation_from_name(name: str) -> dict[str, AnatomicalOrientation]: ...
def memory_usage(image: NgffImage, constrained_dims: Sequence[str] | None = None) -> int: ...
def task_count(image: NgffImage, constrained_dims: Sequence[str] | None = None) -> int: ...
def validate(
    ngff_dict: Mapping[str, Any], version: str = "0.4", model: str = "image", strict: bool = False
) -> None: ...
def validate_structural(
    metadata: Metadata | Any, options: ValidateOptions | None = None, version: Version = None
) -> None: ...
def validate_plate(plate: Plate, options: ValidateOptions | None = None) -> None: ...
def validate_well(plate: Plate, well: Well, options: ValidateOptions | None = None) -> None: ...
def open_image_file(
    path: Path,
    dims: str | Sequence[str] | None = None,
    series: int | None = None,
    shape: Sequence[int] | None = None,
    dtype: Any = None,
    offset: int = 0,
    raw_values: bool = False,
) -> NgffImage: ...
def image_file_series(path: Path) -> list[tuple[str, str, tuple[int, ...]]]: ...
def tiff_file_to_ngff_images(
    tiff_path: Path,
    series: int | str | list[int | str] | None = None,
    reuse_existing_pyramids: bool = False,
) -> list[tuple[str, NgffImage | NgffMultiscales]]: ...
def nibabel_image_to_ngff_image(
    nibabel_image: Any, add_anatomical_orientation: bool = True
) -> NgffImage: ...
def extract_omero_metadata_from_nibabel(nibabel_image: Any) -> Omero | None: ...
def detect_cli_io_backend(input: Sequence[Path]) -> ConversionBackend: ...
def cli_input_to_ngff_image(
    backend: ConversionBackend, input: Sequence[Path], output_scale: int = 0
) -> NgffImage: ...
