"""The metadata of an OME-Zarr 0.6 image: coordinate systems, and transformations between them."""

import warnings
from dataclasses import dataclass, field

from . import _metadata as flat
from ._systems import Axis, CoordinateSystem, CoordinateSystemIdentifier
from ._transforms import Scale, TransformSequence, Translation

__all__ = ["Dataset", "Metadata", "level_vectors", "level_transform"]

INTRINSIC = "intrinsic"


@dataclass
class Dataset:
    """A level: its array, and the one transformation that leads to the intrinsic system."""

    path: str
    coordinateTransformations: list


@dataclass
class Metadata:
    coordinateSystems: list
    datasets: list
    coordinateTransformations: list | None = None
    omero: flat.Omero | None = None
    name: str = "image"
    type: str | None = None
    metadata: flat.MethodMetadata | None = None
    extra: dict = field(default_factory=dict)

    version = "0.6"

    def __post_init__(self):
        _ = self.intrinsic_coordinate_system

    @property
    def intrinsic_coordinate_system(self):
        """The system that all levels lead to."""
        ends = [step.output for dataset in self.datasets for step in dataset.coordinateTransformations]
        if not ends or any(end is None or end.name is None for end in ends):
            raise ValueError("No output coordinate system found in dataset coordinate transformations.")
        names = sorted({end.name for end in ends})
        if len(names) > 1:
            raise ValueError(f"the levels lead to {len(names)} output coordinate systems, {names}; "
                             "OME-Zarr 0.6 wants one")
        for system in self.coordinateSystems:
            if system.name == names[0]:
                return system
        raise ValueError(f"the levels lead to coordinate system {names[0]!r}, which is not declared; "
                         f"declared are {[system.name for system in self.coordinateSystems]}")

    @property
    def axes(self):
        """Those of the intrinsic system."""
        return self.intrinsic_coordinate_system.axes

    @property
    def dimension_names(self):
        return tuple(axis.name for axis in self.axes)

    def to_version(self, version):
        """This metadata for another version: 0.4 and 0.5 hold scale and translation of the levels; what
        else there is stays behind, with a warning that names it."""
        version = str(getattr(version, "value", version))
        if version == self.version:
            return self
        if version not in ("0.4", "0.5"):
            raise ValueError(f"Unsupported version conversion: {self.version} -> {version}")
        self._warn_of_losses(version)
        return self.flat(version)

    def flat(self, version):
        """The part of it that 0.4 and 0.5 can hold."""
        axes = [flat.Axis(axis.name, axis.type, axis.unit, axis.orientation) for axis in self.axes]
        datasets = []
        for dataset in self.datasets:
            scale, translation = level_vectors(dataset.coordinateTransformations, len(axes))
            datasets.append(flat.Dataset(dataset.path, [flat.Scale(scale), flat.Translation(translation)]))
        return flat.Metadata(axes, datasets, None, self.omero, self.name, version, self.type,
                             self.metadata, dict(self.extra))

    def _warn_of_losses(self, version):
        intrinsic = self.intrinsic_coordinate_system.name
        systems = [s.name for s in self.coordinateSystems if s.name != intrinsic]
        steps = [t.name or t.type for t in self.coordinateTransformations or ()]
        lost = [f"{what} {', '.join(map(repr, names))}" for what, names in
                (("coordinate systems", systems), ("transformations", steps)) if names]
        if lost:
            warnings.warn(f"OME-Zarr {version} cannot hold {' and '.join(lost)}", stacklevel=3)

    @classmethod
    def from_version(cls, metadata):
        """The metadata of another version as that of 0.6, with one coordinate system, "intrinsic"."""
        if hasattr(metadata, "coordinateSystems"):
            names = cls.__dataclass_fields__
            return cls(**{k: v for k, v in vars(metadata).items() if k in names})
        if not hasattr(metadata, "axes"):
            raise ValueError(f"Unsupported metadata type ({type(metadata)}) for conversion to v0.6")
        axes = [Axis(a.name, a.type, a.unit, *(getattr(a, name, None) for name in
                                               ("orientation", "discrete", "longName")))
                for a in metadata.axes]
        datasets = [Dataset(d.path, [level_transform(
            n, d.path, *level_vectors(d.coordinateTransformations, len(axes)))])
            for n, d in enumerate(metadata.datasets)]
        return cls([CoordinateSystem(INTRINSIC, axes)], datasets, None, metadata.omero, metadata.name,
                   metadata.type, metadata.metadata, dict(getattr(metadata, "extra", None) or {}))


def level_vectors(steps, count):
    """Scale and translation of a level from its transformations, of this model or the one before."""
    scale, translation = [1.0] * count, [0.0] * count
    for step in steps or ():
        if step.type == "sequence":
            scale, translation = level_vectors(step.transformations, count)
        elif step.type == "scale":
            scale = list(step.scale)
        elif step.type == "translation":
            translation = list(step.translation)
        elif step.type != "identity":
            raise ValueError(f"Unsupported transform type: {step.type} in a dataset")
    return scale, translation


def level_transform(index, path, scale, translation, system=INTRINSIC):
    """What leads from the array of a level to the intrinsic system."""
    return TransformSequence(
        transformations=[Scale(scale=list(scale)), Translation(translation=list(translation))],
        input=CoordinateSystemIdentifier(path=path), name=f"scale{index}_to_{system}",
        output=CoordinateSystemIdentifier(name=system))


_USUAL = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
COMPONENTS = ("displacement", "coordinate")


def is_plain(metadata, version):
    """Whether a document of this version says no more than axes and levels, as the C half writes them."""
    if getattr(metadata, "coordinateTransformations", None):
        return False
    systems = getattr(metadata, "coordinateSystems", None) or ()
    if version != "0.6" or not systems:
        return not any(axis.type in COMPONENTS for axis in getattr(metadata, "axes", None) or ())
    names = [step.name for dataset in metadata.datasets for step in dataset.coordinateTransformations[:1]]
    return (len(systems) == 1 and systems[0].name == INTRINSIC
            and all(axis.type in (None, _USUAL.get(axis.name)) and not getattr(axis, "discrete", None)
                    and getattr(axis, "longName", None) is None for axis in systems[0].axes)
            and all(name in (None, f"scale{n}_to_{INTRINSIC}") for n, name in enumerate(names)))
