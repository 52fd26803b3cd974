"""What a file says about itself: architecture, preprocessing and origin, as JSON text."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..errors import ConfigError
from ..model.architecture import (
    Architecture,
    Encoder,
    PvtConfig,
    SwinConfig,
    TimmConfig,
)
from ..preprocess import Preprocess

KEY = "birefnet"
"""Key of our JSON text among a safetensors file's metadata."""

VERSION = 1
"""Of the JSON's layout."""

_ENCODERS: dict[str, type[Encoder]] = {"swin": SwinConfig, "pvt": PvtConfig, "timm": TimmConfig}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """Our part of a file's metadata."""

    architecture: Architecture | None = None
    """What the tensors belong to."""

    preprocess: Preprocess | None = None
    """What the network expects of its input."""

    id: str = ""
    """Registry entry the weights are, or come from."""

    purpose: str = ""
    """What the checkpoint is for."""

    license: str = ""
    """Of the weights."""

    source: str = ""
    """Where the weights come from."""

    extra: dict[str, str] = field(default_factory=dict)
    """Anything else worth keeping, such as training figures."""


def encode(stored: Stored) -> dict[str, str]:
    """Metadata of a safetensors file."""
    content: dict[str, object] = {"version": VERSION}
    if stored.architecture is not None:
        architecture = asdict(stored.architecture)
        encoder = architecture["encoder"]
        kind = next(
            name
            for name, config in _ENCODERS.items()
            if isinstance(stored.architecture.encoder, config)
        )
        content["architecture"] = {**architecture, "encoder": {"kind": kind, **encoder}}
    if stored.preprocess is not None:
        content["preprocess"] = asdict(stored.preprocess)
    for name in ("id", "purpose", "license", "source"):
        if getattr(stored, name):
            content[name] = getattr(stored, name)
    if stored.extra:
        content["extra"] = stored.extra
    return {"format": "pt", KEY: json.dumps(content, ensure_ascii=False, sort_keys=True)}


def decode(metadata: Mapping[str, str] | None, *, name: str) -> Stored | None:
    """Read our part of a file's metadata.

    Unknown fields are skipped, and a text that cannot be understood counts as absent, with a
    warning: the tensors still say most of what matters.

    Args:
        metadata: Of a safetensors file.
        name: What to call the file in a warning.

    Returns:
        None if the file carries nothing of ours.
    """
    text = (metadata or {}).get(KEY)
    if text is None:
        return None
    try:
        content = json.loads(text)
        if content["version"] > VERSION:
            logger.warning(
                "%s was written by a newer version (metadata %s, this one reads %d); fields "
                "it added are ignored. Update BiRefNet Studio if the results look wrong.",
                name,
                content["version"],
                VERSION,
            )
        return Stored(
            architecture=_architecture(content.get("architecture")),
            preprocess=_preprocess(content.get("preprocess")),
            **{key: str(content.get(key, "")) for key in ("id", "purpose", "license", "source")},
            extra={str(key): str(value) for key, value in content.get("extra", {}).items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, ConfigError) as error:
        logger.warning(
            "the metadata of %s cannot be understood (%s) and is ignored; size, normalization "
            "and patch order are guessed instead.",
            name,
            error,
        )
        return None


def _architecture(content: Mapping[str, object] | None) -> Architecture | None:
    if content is None:
        return None
    values = {key: _frozen(value) for key, value in content.items()}
    encoder = values.pop("encoder")
    if not isinstance(encoder, dict):
        raise TypeError(f"encoder is {encoder!r}")
    config = _ENCODERS[encoder["kind"]]
    return Architecture(
        encoder=config(**_known(config, encoder)),
        **_known(Architecture, values),
    )


def _preprocess(content: Mapping[str, object] | None) -> Preprocess | None:
    if content is None:
        return None
    values = {key: _frozen(value) for key, value in content.items()}
    return Preprocess(**_known(Preprocess, values))


def _known(
    kind: type[Encoder | Architecture | Preprocess], values: Mapping[str, object]
) -> dict[str, Any]:
    names = {item.name for item in fields(kind)}
    return {key: value for key, value in values.items() if key in names}


def _frozen(value: object) -> object:
    """JSON has lists where our frozen classes have tuples."""
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return value
