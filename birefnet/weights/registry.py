"""The published checkpoints: data only, one entry each.

Hashes and sizes are those that public projects pin for these files (Git LFS object ids); none was
computed here. A wrong or unknown one costs nothing but the recognition of a renamed file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePath

from ..preprocess import Preprocess

HUB = "https://huggingface.co"

STARTER_PATH = Path(__file__).with_name("starter.safetensors")
"""The built-in checkpoint; part of the package."""

MIT = "MIT"
TERMS = (
    "The author publishes code and weights under the MIT license. Several of the training sets "
    "(DIS5K among them) forbid commercial use in their own terms, which he acknowledges; whether "
    "that binds users of the weights is an open question."
)
_GENERIC_STEMS = ("model", "pytorchmodel", "diffusionpytorchmodel", "weights")
_PRECISIONS = ("fp16", "fp32", "bf16", "half", "float16", "float32", "bfloat16")


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """Another file with the weights of an entry: a mirror, or an earlier upload."""

    repository: str
    """Hugging Face repository, "owner/name"."""

    file: str
    """Path inside it."""

    sha256: str | None = None
    """Of the file, in hexadecimal; None if unknown."""

    bytes: int | None = None
    """Size of the file; None if unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One published checkpoint, and what its tensors do not tell."""

    id: str
    """Short name, as typed on the command line and shown in menus."""

    purpose: str
    """What it is for, in one sentence."""

    repository: str | None
    """Hugging Face repository, "owner/name"; None for the built-in one."""

    file: str
    """Path of the weights inside the repository."""

    architecture: str
    """A key of PRESETS."""

    preprocess: Preprocess
    """Native size, normalization, patch order and upsampling."""

    license: str
    """Of the weights, as their publisher states it."""

    commercial_use: bool | None
    """Whether the license allows it; None where `license_note` leaves it open."""

    license_note: str = ""
    """What else there is to know about the license."""

    gated: bool = False
    """Whether the license must be accepted on the page before downloading."""

    sha256: str | None = None
    """Of the file, in hexadecimal; None if unknown."""

    bytes: int | None = None
    """Size of the file; None if unknown."""

    aliases: tuple[str, ...] = ()
    """Other names of the model or its file, without ending; case and punctuation do not count."""

    copies: tuple[Copy, ...] = ()
    """Other files with the same weights."""

    note: str = ""
    """What a user should know beside that."""

    @property
    def file_name(self) -> str:
        """Name that the file gets when we download it."""
        if self.repository is None:
            return self.file
        prefix = "" if self.id.startswith("rmbg") else "BiRefNet-"
        return f"{prefix}{self.id}{PurePath(self.file).suffix}"

    @property
    def page(self) -> str:
        """Where the checkpoint is described and its license accepted; empty if built in."""
        return f"{HUB}/{self.repository}" if self.repository else ""

    @property
    def url(self) -> str:
        """Where a browser gets the file; empty if built in."""
        return f"{self.page}/resolve/main/{self.file}" if self.repository else ""

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it may be called, first its id."""
        names = [self.id, *self.aliases, PurePath(self.file_name).stem]
        places = [(copy.repository, copy.file) for copy in self.copies]
        if self.repository:
            places.append((self.repository, self.file))
        for repository, file in places:
            stem = PurePath(file).stem
            names.append(repository.split("/")[1] if is_generic(stem) else stem)
        return tuple(dict.fromkeys(names))


def simplify(name: str) -> str:
    """A name without case, punctuation and a trailing precision, for comparing."""
    words = re.findall(r"[a-z0-9]+", name.lower())
    while len(words) > 1 and words[-1] in _PRECISIONS:
        words.pop()
    return "".join(words)


def is_generic(stem: str) -> bool:
    """Whether a file name says nothing, like the hub's "model"."""
    return simplify(stem) in _GENERIC_STEMS


def _square(side: int, **options: object) -> Preprocess:
    return Preprocess(height=side, width=side, **options)  # type: ignore[arg-type]


_HALF_L = 444_473_596  # bytes of a Swin-L file in half and in single precision
_FULL_L = 884_878_856
_FULL_T = 177_634_392
# Every entry enlarges logits, matting models too. Measured, that loses at most 5 % of a tiny error
# on ramps wider than 100 pixels and wins 20 to 30 % on hair (benchmarks/RESULTS.md, upsampling).
_LEGACY = _square(1024, patch_order="legacy")
_DYNAMIC = {"dynamic": True, "min_side": 256, "max_side": 2304}
_MIRROR = "1038lab/BiRefNet"


def _author(
    name: str,
    repository: str,
    purpose: str,
    *,
    preprocess: Preprocess,
    architecture: str = "swin_v1_l",
    sha256: str | None = None,
    size: int | None = None,
    aliases: tuple[str, ...] = (),
    copies: tuple[Copy, ...] = (),
    note: str = "",
) -> Entry:
    return Entry(
        id=name,
        purpose=purpose,
        repository=f"ZhengPeng7/{repository}",
        file="model.safetensors",
        architecture=architecture,
        preprocess=preprocess,
        license=MIT,
        commercial_use=None,
        license_note=TERMS,
        sha256=sha256,
        bytes=size,
        aliases=aliases,
        copies=copies,
        note=note,
    )


def _mirror(file: str, sha256: str | None = None, size: int | None = None) -> Copy:
    return Copy(repository=_MIRROR, file=file, sha256=sha256, bytes=size)


_ENTRIES = (
    _author(
        "general",
        "BiRefNet",
        "General background removal, the best first choice.",
        preprocess=_LEGACY,
        sha256="9ab37426bf4de0567af6b5d21b16151357149139362e6e8992021b8ce356a154",
        size=_HALF_L,
        aliases=("BiRefNet-general-epoch_244", "BiRefNet-general-bb_swin_v1_large-epoch_244"),
        copies=(
            Copy(
                repository="Comfy-Org/BiRefNet",
                file="background_removal/birefnet.safetensors",
                sha256="9ab37426bf4de0567af6b5d21b16151357149139362e6e8992021b8ce356a154",
                bytes=_HALF_L,
            ),
            _mirror(
                "BiRefNet-general.safetensors",
                "77277264c0e8c74149d3ff2fade4fd8176965b7108f3c5fc3b8c9c811edb4519",
                _FULL_L,
            ),
        ),
        note=(
            "ComfyUI's repackaged birefnet.safetensors is this file, byte for byte; ComfyUI's own "
            "node feeds it pixels without the ImageNet normalization it was trained with."
        ),
    ),
    _author(
        "lite",
        "BiRefNet_lite",
        "General background removal with a fifth of the parameters, for slow machines.",
        preprocess=_LEGACY,
        architecture="swin_v1_t",
        sha256="4417d89795250e698c3cb0ae8df15743810065f646f48a694fdfa7ca052d0815",
        size=_FULL_T,
        aliases=("BiRefNet_T", "General-Lite", "BiRefNet-general-bb_swin_v1_tiny-epoch_232"),
        copies=(_mirror("BiRefNet_lite.safetensors"),),
    ),
    _author(
        "lite-2k",
        "BiRefNet_lite-2K",
        "The light model for images around 2560 x 1440.",
        preprocess=Preprocess(height=1440, width=2560, patch_order="legacy"),
        architecture="swin_v1_t",
        sha256="aa2e4a5af5eb3904694feb40f2b39ec5dd7cd9110906590cfeb982f09a46021d",
        size=_FULL_T,
        aliases=("General-Lite-2K", "BiRefNet_lite-general-2K-epoch_232"),
        copies=(_mirror("BiRefNet_lite-2K.safetensors"),),
    ),
    _author(
        "lite-matting",
        "BiRefNet_lite-matting",
        "Soft mattes (hair, glass, fur) with the light model.",
        preprocess=_square(1024),
        architecture="swin_v1_t",
        sha256="ce8bcfc045e336322c0424a5863dcfb7e9ce8fed0a5fd4d1b2b20adf12d97243",
        size=88_965_896,
        aliases=("Matting-Lite",),
        copies=(_mirror("BiRefNet_lite-matting.safetensors"),),
        note="Its patch order is inferred from its date (2025) and not confirmed.",
    ),
    _author(
        "matting",
        "BiRefNet-matting",
        "Soft mattes (hair, glass, fur) without a trimap.",
        preprocess=_LEGACY,
        sha256="a9875de5b1e6c8eb5fdaa8c727a82927ce442cdc87ba3abee6a77e6fa46c25bb",
        size=_FULL_L,
        aliases=("BiRefNet-matting-epoch_100",),
        copies=(_mirror("BiRefNet-matting.safetensors"),),
    ),
    _author(
        "portrait",
        "BiRefNet-portrait",
        "Mattes of people.",
        preprocess=_LEGACY,
        sha256="4a4eb3a5469b75f0cccaec6772c22fc30e6c12ed429c2c0ba71b43e3d8d97182",
        size=_FULL_L,
        aliases=("BiRefNet-portrait-epoch_150",),
        copies=(_mirror("BiRefNet-portrait.safetensors"),),
    ),
    _author(
        "hr",
        "BiRefNet_HR",
        "General background removal at 2048 x 2048, for fine detail.",
        preprocess=_square(2048),
        sha256="9d678bafec0b0019fbb073b7fd02f05ede25dc4b15254f23b2fb0be333200c0d",
        size=_HALF_L,
        aliases=("General-HR", "BiRefNet_HR-general-epoch_130"),
        copies=(_mirror("BiRefNet-HR.safetensors"),),
    ),
    _author(
        "hr-matting",
        "BiRefNet_HR-matting",
        "Soft mattes at 2048 x 2048.",
        preprocess=_square(2048),
        sha256="a5a4de698739ea5e0e8bbab28e1b293dde95092b87a442d566cbc585c53cef55",
        size=_HALF_L,
        aliases=("Matting-HR", "BiRefNet_HR-matting-epoch_135"),
        copies=(_mirror("BiRefNet-HR-matting.safetensors"),),
    ),
    _author(
        "dynamic",
        "BiRefNet_dynamic",
        "General background removal at the image's own size, 256 to 2304 pixels a side.",
        preprocess=_square(1024, **_DYNAMIC),
        sha256="e3d2e4884e51ff30f0cd630edc6b1e41b06b7f23a0a2a5169f7b7cb33a711c2d",
        size=_HALF_L,
        aliases=("General-dynamic", "BiRefNet_dynamic-general-epoch_174"),
        copies=(_mirror("BiRefNet_dynamic.safetensors"),),
    ),
    _author(
        "dynamic-matting",
        "BiRefNet_dynamic-matting",
        "Soft mattes at the image's own size, 256 to 2304 pixels a side.",
        preprocess=_square(1024, **_DYNAMIC),
        size=_HALF_L,
        aliases=("Matting-dynamic", "BiRefNet_dynamic-matting-epoch_159"),
    ),
    _author(
        "512",
        "BiRefNet_512x512",
        "General background removal at 512 x 512, fast and for small pictures.",
        preprocess=_square(512),
        sha256="d94ae0eefb2d2020192001e984ecd6b367478118257a3132e6a484bbf18b0f41",
        size=_HALF_L,
        aliases=("General-reso_512", "BiRefNet-general-resolution_512x512-fp16-epoch_216"),
        copies=(_mirror("BiRefNet_512x512.safetensors"),),
    ),
    _author(
        "general-legacy",
        "BiRefNet-legacy",
        "The general model of June 2024, trained before portraits joined the data.",
        preprocess=_LEGACY,
        size=_FULL_L,
        aliases=("BiRefNet-massive", "BiRefNet-massive-epoch_240"),
    ),
    _author(
        "dis5k",
        "BiRefNet-DIS5K",
        "The paper's model for dichotomous image segmentation (DIS5K).",
        preprocess=_LEGACY,
        size=_FULL_L,
        aliases=("DIS", "BiRefNet-DIS-epoch_590"),
    ),
    _author(
        "dis5k-tr-tes",
        "BiRefNet-DIS5K-TR_TEs",
        "Dichotomous image segmentation, trained on the DIS5K test sets as well.",
        preprocess=_LEGACY,
        size=_FULL_L,
        aliases=("DIS-TR_TEs", "BiRefNet-massive-TR_DIS5K_TR_TEs-epoch_420"),
    ),
    _author(
        "hrsod",
        "BiRefNet-HRSOD",
        "The paper's model for salient objects in high resolution.",
        preprocess=_LEGACY,
        size=_FULL_L,
        aliases=("BiRefNet-HRSOD_DHU-epoch_115",),
    ),
    _author(
        "cod",
        "BiRefNet-COD",
        "The paper's model for camouflaged objects.",
        preprocess=_LEGACY,
        size=_FULL_L,
        aliases=("BiRefNet-COD-epoch_125",),
    ),
    Entry(
        id="toonout",
        purpose="Anime and cartoon characters; a fine-tuned general model.",
        repository="joelseytre/toonout",
        file="birefnet_finetuned_toonout.pth",
        architecture="swin_v1_l",
        preprocess=_square(1024),
        license=MIT,
        commercial_use=None,
        license_note="Its own data is CC BY 4.0. " + TERMS,
        sha256="8c7f8a0bc24400f4caade76622f75ff22ca1e93e169add9d2b70093e2487fbe5",
        aliases=("BiRefNet_toonout",),
        copies=(
            _mirror(
                "BiRefNet_toonout.safetensors",
                "5ff451d2e1d15dd22a66efea05640f79e470467f89f8bdc239a81a6757f66093",
                884_878_824,
            ),
        ),
    ),
    Entry(
        id="lucida",
        purpose="A third party's fine-tuned general model.",
        repository=_MIRROR,
        file="Lucida.safetensors",
        architecture="swin_v1_l",
        preprocess=_square(1024),
        license=MIT,
        commercial_use=None,
        license_note=TERMS,
        sha256="2f1aa6913426537d4b93dd5f7138ae5c6664e99abda98c95f3d5b9101283e7d5",
        bytes=_FULL_L,
        note="Its patch order is not confirmed.",
    ),
    Entry(
        id="rmbg-2.0",
        purpose="BRIA's background removal; binary masks.",
        repository="briaai/RMBG-2.0",
        file="model.safetensors",
        architecture="swin_v1_l",
        preprocess=_LEGACY,
        license="CC BY-NC 4.0",
        commercial_use=False,
        license_note="Commercial use needs an agreement with BRIA.",
        gated=True,
        bytes=_FULL_L,
        aliases=("BRIA-RMBG2_0", "BRIA-RMBG-2.0"),
        copies=(Copy(repository="1038lab/RMBG-2.0", file="model.safetensors"),),
    ),
    Entry(
        id="march-2024",
        purpose="The general model of March 2024, of an earlier architecture.",
        repository="ViperYX/BiRefNet",
        file="BiRefNet-ep480.pth",
        architecture="legacy_2024_03",
        preprocess=_square(1024, patch_order="legacy", mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        license=MIT,
        commercial_use=None,
        license_note=TERMS,
    ),
    Entry(
        id="march-2024-dis",
        purpose="The DIS5K model of March 2024, of an earlier architecture.",
        repository="ViperYX/BiRefNet",
        file="BiRefNet-DIS_ep580.pth",
        architecture="legacy_2024_03",
        preprocess=_square(1024, patch_order="legacy", mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0)),
        license=MIT,
        commercial_use=None,
        license_note=TERMS,
    ),
    Entry(
        id="starter",
        purpose="Built in, for trying things out without a download; not for real work.",
        repository=None,
        file=STARTER_PATH.name,
        architecture="starter",
        preprocess=_square(224, min_side=128, max_side=256),
        license=MIT,
        commercial_use=True,
        license_note="Trained by this project on scenes it generates itself.",
    ),
)

REGISTRY: dict[str, Entry] = {entry.id: entry for entry in _ENTRIES}
"""Every known checkpoint by its id, the best first choice first."""

_FILES = [
    (entry, file.sha256, file.bytes)
    for entry in _ENTRIES
    for file in (
        Copy(repository="", file="", sha256=entry.sha256, bytes=entry.bytes),
        *entry.copies,
    )
    if file.sha256 is not None
]

BY_HASH: dict[str, Entry] = {sha256: entry for entry, sha256, _ in _FILES if sha256 is not None}
"""Entry by the SHA-256 of a file."""

HASHED_SIZES: frozenset[int] = frozenset(size for _, _, size in _FILES if size is not None)
"""Sizes in bytes of the files in BY_HASH, as far as they are known."""

_BY_NAME = {simplify(name): entry for entry in _ENTRIES for name in entry.names}


def by_name(name: str) -> Entry | None:
    """The entry called so, by its id or any other of its names.

    Args:
        name: An id, alias, repository ("owner/name"), or file name with or without its ending.
    """
    exact = REGISTRY.get(name)
    if exact is not None:
        return exact
    for entry in _ENTRIES:
        if entry.repository is not None and entry.repository.lower() == name.lower():
            return entry
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return _BY_NAME.get(simplify(last)) or _BY_NAME.get(simplify(PurePath(last).stem))


def by_path(path: PurePath) -> Entry | None:
    """The entry that a file's name, or its folder's name if the file is called "model", suggests.

    It is a guess, good for menus and hints; `BY_HASH` knows.
    """
    stem = path.stem
    if is_generic(stem):
        parents = [parent.name for parent in path.parents if parent.name]
        # In a Hugging Face cache: models--owner--name/snapshots/revision/model.safetensors
        cached = next((name for name in parents if name.startswith("models--")), None)
        stem = cached.rsplit("--", 1)[-1] if cached else next(iter(parents), "")
    return _BY_NAME.get(simplify(stem))
