"""The module that scripts import the rules of anatomical orientation from."""

from ._orientation import (has_any_rfc4_orientation, has_rfc4_orientation_metadata,  # noqa: F401
                           validate_rfc4_orientation)
