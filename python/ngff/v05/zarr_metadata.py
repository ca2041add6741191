"""The metadata model, under the seed's path."""

from .._metadata import *  # noqa: F403
