"""The module that scripts import the structural rules from."""

from ._structural import (SpecRule, ValidateOptions, ValidationError,  # noqa: F401
                          ValidationLevel, validate_plate, validate_structural,
                          validate_well)
