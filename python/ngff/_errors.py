"""What the library's statuses become in Python.

Every error is a `ngff.Error`, which is an OSError with `.code` (the status as text, "EXISTS"),
`.path` and `.hint`; where Python has a word for it, it is that too: `except FileExistsError` and
`except ValueError` work as they do for other libraries."""


class Error(OSError):
    """An error of the library: `.code`, `.path`, `.hint`."""

    code = "INTERNAL"
    path = None
    hint = None


class InvalidError(Error, ValueError):
    """An argument or option makes no sense."""


class FormatError(Error, ValueError):
    """Bytes contradict their specification."""


class NotFoundError(Error, FileNotFoundError):
    """No such file, node or level."""


class ExistsError(Error, FileExistsError):
    """The destination exists, or another live writer holds it."""


class UnsupportedError(Error, NotImplementedError):
    """Legal, but not done by this build."""


class NoMemoryError(Error, MemoryError):
    """Memory could not be had."""


class CancelledError(Error):
    """The progress callback asked to stop."""


_KINDS = {
    "INVALID": InvalidError,
    "FORMAT": FormatError,
    "CHECKSUM": FormatError,
    "NOT_FOUND": NotFoundError,
    "EXISTS": ExistsError,
    "UNSUPPORTED": UnsupportedError,
    "NOMEM": NoMemoryError,
    "CANCELLED": CancelledError,
}
_HINTS = {
    "EXISTS": "pass overwrite=True to replace an OME-Zarr store; other directories stay as they are",
    "LIMIT": "raise ngff.config.memory_target, or choose smaller chunks",
}


def make(status, code, message, path=None):
    """The exception for a status; called by the C half."""
    code = code.removeprefix("NGFF_")
    text = message if not path or str(path) in message else f"{message}: {path}"
    error = _KINDS.get(code, Error)(text)
    error.code = code
    error.path = path
    error.hint = _HINTS.get(code)
    return error
