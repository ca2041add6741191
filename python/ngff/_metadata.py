"""The metadata dataclasses of OME-Zarr 0.4 and 0.5 (one model; `version` tells them apart)."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Union

__all__ = [
    "AxesType",
    "AxisUnit",
    "ScaleStrategy",
    "SpaceUnits",
    "SpatialDims",
    "SupportedDims",
    "TimeUnits",
    "Units",
    "AxisType",
    "NgffVersion",
    "SUPPORTED_VERSIONS",
    "V06_ONDISK_VERSION",
    "Axis",
    "Identity",
    "Scale",
    "Translation",
    "Dataset",
    "OmeroWindow",
    "OmeroChannel",
    "Omero",
    "MethodMetadata",
    "PlateAcquisition",
    "PlateColumn",
    "PlateRow",
    "PlateWell",
    "Plate",
    "WellImage",
    "Well",
    "Metadata",
    "Transform",
]


# Hints for editors; any text is taken and what the specification forbids is refused when written. Unions of
# single literals: scripts take them apart by typing.get_args.
SupportedDims = Union[Literal["t"], Literal["c"], Literal["z"], Literal["y"], Literal["x"]]
SpatialDims = Union[Literal["z"], Literal["y"], Literal["x"]]
AxesType = Union[Literal["time"], Literal["channel"], Literal["space"]]
SpaceUnits = Union[
    Literal["angstrom"], Literal["attometer"], Literal["centimeter"], Literal["decimeter"], Literal["exameter"],
    Literal["femtometer"], Literal["foot"], Literal["gigameter"], Literal["hectometer"], Literal["inch"],
    Literal["kilometer"], Literal["megameter"], Literal["meter"], Literal["micrometer"], Literal["mile"],
    Literal["millimeter"], Literal["nanometer"], Literal["parsec"], Literal["petameter"], Literal["picometer"],
    Literal["terameter"], Literal["yard"], Literal["yoctometer"], Literal["yottameter"], Literal["zeptometer"],
    Literal["zettameter"]]
TimeUnits = Union[
    Literal["attosecond"], Literal["centisecond"], Literal["day"], Literal["decisecond"], Literal["exasecond"],
    Literal["femtosecond"], Literal["gigasecond"], Literal["hectosecond"], Literal["hour"], Literal["kilosecond"],
    Literal["megasecond"], Literal["microsecond"], Literal["millisecond"], Literal["minute"], Literal["nanosecond"],
    Literal["petasecond"], Literal["picosecond"], Literal["second"], Literal["terasecond"], Literal["yoctosecond"],
    Literal["yottasecond"], Literal["zeptosecond"], Literal["zettasecond"]]
Units = Union[SpaceUnits, TimeUnits]
AxisUnit = Union[Units, str]
ScaleStrategy = Literal["pad", "exact"]


class AxisType(StrEnum):
    Space = "space"
    Time = "time"
    Channel = "channel"
    Displacement = "displacement"
    Coordinate = "coordinate"


class NgffVersion(StrEnum):
    V01 = "0.1"
    V02 = "0.2"
    V03 = "0.3"
    V04 = "0.4"
    V05 = "0.5"
    V06 = "0.6"
    V09dev1 = "0.9.dev1"  # known by name; not written
    LATEST = "0.6"


SUPPORTED_VERSIONS = ("0.4", "0.5", "0.6")
V06_ONDISK_VERSION = NgffVersion.V06


@dataclass
class Axis:
    name: str
    type: str | None = None
    unit: str | None = None
    orientation: Any = None


@dataclass
class Identity:
    type: str = "identity"


@dataclass
class Scale:
    scale: list
    type: str = "scale"


@dataclass
class Translation:
    translation: list
    type: str = "translation"


Transform = Scale | Translation


@dataclass
class Dataset:
    path: str
    coordinateTransformations: list


@dataclass
class OmeroWindow:
    min: float
    max: float
    start: float
    end: float


@dataclass
class OmeroChannel:
    color: str
    window: OmeroWindow
    label: str | None = None
    active: bool = True

    def validate_color(self):
        if not re.fullmatch(r"[0-9A-Fa-f]{6}", self.color):
            raise ValueError(f"Invalid color '{self.color}'. Must be 6 hex digits.")


@dataclass
class Omero:
    channels: list


@dataclass
class MethodMetadata:
    description: str
    method: str
    version: str


@dataclass
class PlateAcquisition:
    id: int
    name: str | None = None
    maximumfieldcount: int | None = None
    description: str | None = None
    starttime: int | None = None
    endtime: int | None = None


@dataclass
class PlateColumn:
    name: str


@dataclass
class PlateRow:
    name: str


@dataclass
class PlateWell:
    path: str
    rowIndex: int
    columnIndex: int


@dataclass
class Plate:
    columns: list
    rows: list
    wells: list
    version: str = "0.4"
    acquisitions: list | None = None
    field_count: int | None = None
    name: str | None = None


@dataclass
class WellImage:
    path: str
    acquisition: int | None = None


@dataclass
class Well:
    images: list
    version: str = "0.4"


@dataclass
class Metadata:
    axes: list
    datasets: list
    coordinateTransformations: list | None = None
    omero: Omero | None = None
    name: str = "image"
    version: str = "0.4"
    type: str | None = None
    metadata: MethodMetadata | None = None
    extra: dict = field(default_factory=dict)

    def to_version(self, version):
        """A copy for another version; the object itself is never changed. That of 0.6 has coordinate
        systems (`v06.zarr_metadata.Metadata`)."""
        version = str(getattr(version, "value", version))
        if version not in SUPPORTED_VERSIONS:
            raise ValueError(f"Unsupported version conversion: {self.version} -> {version}")
        if version == "0.6":
            from ._metadata06 import Metadata as Metadata06

            return Metadata06.from_version(self)
        return Metadata(**{**vars(self), "version": version})

    @classmethod
    def from_version(cls, metadata):
        convert = getattr(metadata, "to_version", None)
        newer = getattr(metadata, "coordinateSystems", None) or not hasattr(metadata, "axes")
        flat = convert("0.5") if newer and convert else metadata
        names = cls.__dataclass_fields__
        return cls(**{k: v for k, v in vars(flat).items() if k in names})

    @property
    def dimension_names(self):
        return tuple(axis.name for axis in self.axes)


def omero_from_json(omero):
    """Channels as objects; members this model does not have are left out."""
    if not isinstance(omero, dict) or not isinstance(omero.get("channels"), list):
        return None
    channels = []
    for channel in omero["channels"]:
        window = channel.get("window") or {}
        # Old writers leave one of the pairs out.
        start, end = window.get("start"), window.get("end")
        low = window.get("min", 0.0 if start is None else start)
        high = window.get("max", 0.0 if end is None else end)
        channels.append(
            OmeroChannel(
                color=channel.get("color", ""),
                label=channel.get("label"),
                active=bool(channel.get("active", True)),
                window=OmeroWindow(low, high, low if start is None else start, high if end is None else end),
            )
        )
    return Omero(channels)


def transforms_from_json(items, count=0):
    """Scales and translations; `count`: axes, for the identity of OME-Zarr 0.6, which is the scale 1."""
    out = []
    for item in items or []:
        if item.get("type") == "sequence":  # OME-Zarr 0.6
            out += transforms_from_json(item.get("transformations"), count)
        elif item.get("type") == "identity" and count:
            out.append(Scale([1.0] * count))
        elif "scale" in item:
            out.append(Scale(item["scale"]))
        elif "translation" in item:
            out.append(Translation(item["translation"]))
    return out
