"""Every exception this package raises on purpose.

BiRefNetError
|-- ShapeError            a tensor has the wrong shape, type or range  (ValueError)
|-- ConfigError           an option or a combination of options is not possible  (ValueError)
|-- CheckpointError       a file is not a usable checkpoint  (ValueError)
|   |-- UnsafeCheckpointError      it would execute code when read
|   `-- AmbiguousCheckpointError   it fits several architectures
|-- ModelNotFoundError    no file for that name on this machine  (FileNotFoundError)
|-- DownloadError         a file could not be fetched  (OSError)
|   `-- GatedModelError            its license must be accepted first
|-- ImageFileError        a picture cannot be read or written  (OSError)
|-- NonFiniteError        the network produced NaN or infinity  (ArithmeticError)
`-- OutOfMemoryError      one image alone does not fit  (MemoryError)
"""

from __future__ import annotations


class BiRefNetError(Exception):
    """Base of all errors this package raises on purpose."""


class ShapeError(BiRefNetError, ValueError):
    """A tensor has the wrong shape, type or range."""


class ConfigError(BiRefNetError, ValueError):
    """An option, or a combination of options, is not possible."""


class CheckpointError(BiRefNetError, ValueError):
    """A file is not a usable checkpoint."""


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint file would execute code when read."""


class AmbiguousCheckpointError(CheckpointError):
    """A checkpoint's tensors fit several architectures."""


class ModelNotFoundError(BiRefNetError, FileNotFoundError):
    """No file for that model name on this machine."""

    def __str__(self) -> str:
        """Return the message as given, without OSError's formatting."""
        return Exception.__str__(self)


class DownloadError(BiRefNetError, OSError):
    """A file could not be fetched."""


class GatedModelError(DownloadError):
    """A file can only be fetched after its license was accepted."""


class ImageFileError(BiRefNetError, OSError):
    """A picture cannot be read or written."""


class NonFiniteError(BiRefNetError, ArithmeticError):
    """The network produced NaN or infinity."""


class OutOfMemoryError(BiRefNetError, MemoryError):
    """One image alone does not fit into memory."""
