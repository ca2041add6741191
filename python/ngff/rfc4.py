"""The module that scripts import anatomical orientation from."""

from ._orientation import (LPS, RAS, AnatomicalOrientation, AnatomicalOrientationValues,  # noqa: F401
                           add_anatomical_orientation_to_axis, anatomical_orientation_to_itk_direction,
                           axes_orientations_from_axes, is_rfc4_enabled, itk_direction_to_anatomical_orientation,
                           itk_lps_to_anatomical_orientation, orientation_from_name,
                           remove_anatomical_orientation_from_axis)
