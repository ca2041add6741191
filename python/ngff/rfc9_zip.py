"""The module that scripts import the .ozx functions from."""

from ._read import read_ozx_json_first, read_ozx_version  # noqa: F401
from ._zip import write_store_to_zip  # noqa: F401
from ._stores import is_ozx_path  # noqa: F401
