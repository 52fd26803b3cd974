"""Fetching published checkpoints from the Hugging Face hub, only when asked."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, NoReturn
from urllib.parse import urlparse

from ..errors import BiRefNetError, DownloadError, GatedModelError, ModelNotFoundError
from .find import default_folders
from .hashes import compute_sha256, remember
from .registry import HUB, REGISTRY, Entry, by_name

Progress = Callable[[float, int], None]
"""Called with the finished fraction in [0, 1] and the number of bytes received so far."""

_SPARE = 64 * 1024 * 1024  # bytes that stay free beside the file
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ATTEMPTS = 5
_HTTP_LIBRARIES = ("requests", "httpx", "httpx2")
_TRUE = ("1", "true", "yes", "on")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Remote:
    """What the hub says about a file."""

    url: str
    size: int
    etag: str
    headers: Mapping[str, str]


def download(
    name: str,
    *,
    folder: str | Path | None = None,
    progress: Progress | None = None,
    force: bool = False,
) -> Path:
    """Fetch a published checkpoint.

    The file appears under its name at once and whole, checked against the hub's size and
    checksum. What a broken connection left behind is continued by the next call; an exception
    raised by `progress` cancels and leaves nothing. The environment variables of huggingface_hub
    count: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_OFFLINE`.

    Args:
        name: Registry id or another name of a published checkpoint.
        folder: Where to put the file; None for the first of `default_folders()`. It is made.
        progress: Called at the start, for every piece received, and at the end.
        force: Whether to fetch it again if it is already there.

    Returns:
        The file.

    Raises:
        ModelNotFoundError: If no published checkpoint is called so.
        GatedModelError: If its license must be accepted first.
        DownloadError: If it cannot be fetched; the message says where to put it by hand.
    """
    entry = by_name(name)
    if entry is None:
        raise ModelNotFoundError(
            f"no published checkpoint is called {name!r}; there are {', '.join(REGISTRY)}."
        )
    if entry.repository is None:
        raise DownloadError(f"{entry.id} is built in; there is nothing to download.")
    target = Path(folder) if folder is not None else default_folders()[0]
    path = target / entry.file_name
    if path.is_file() and not force:
        return path
    hub = _hub(entry, target)
    try:
        with _translated(entry, target, hub):
            target.mkdir(parents=True, exist_ok=True)
            with _lock(path, entry):
                remote = _ask(entry, target, hub)
                part = path.with_name(f".{path.name}.{_word(remote.etag)}.part")
                _check_space(remote, part, target)
                _fetch(remote, part, progress, hub)
                _verify(remote, part, entry)
                part.replace(path)
    except _Canceled as canceled:
        raise canceled.reason from None
    if _SHA256.fullmatch(remote.etag):
        remember(path, remote.etag)
        if entry.sha256 not in (None, remote.etag):
            logger.warning(
                "%s has been replaced by its author since this version was made; it is taken "
                "for the earlier file by its name. Check the results, or update BiRefNet Studio.",
                entry.id,
            )
    return path


def is_offline() -> bool:
    """Whether the environment forbids going online."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    return any(os.environ.get(name, "").lower() in _TRUE for name in names)


def _word(etag: str) -> str:
    """Enough of a file's tag to tell a half file of an earlier version from one of this."""
    return re.sub("[^0-9a-zA-Z]", "", etag)[:12]


def _hub(entry: Entry, folder: Path) -> ModuleType:
    if is_offline():
        raise DownloadError(
            f"{entry.id} cannot be downloaded, because HF_HUB_OFFLINE is set. "
            f"{_by_hand(entry, folder)}"
        )
    try:
        import huggingface_hub
        import huggingface_hub.file_download
    except ImportError as error:
        raise DownloadError(
            "downloading needs huggingface_hub; run 'pip install huggingface_hub'. "
            f"{_by_hand(entry, folder)}"
        ) from error
    return huggingface_hub


def _by_hand(entry: Entry, folder: Path) -> str:
    return (
        f"By hand: download {_endpoint()}/{entry.repository}/resolve/main/{entry.file} and save "
        f"it as {entry.file_name} in {folder}."
    )


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT", HUB).rstrip("/")


def _ask(entry: Entry, folder: Path, hub: ModuleType) -> _Remote:
    token = os.environ.get("HF_TOKEN") or hub.get_token()
    url = hub.hf_hub_url(entry.repository, entry.file, endpoint=_endpoint())
    found = hub.get_hf_file_metadata(url, token=token)
    if found.size is None or found.etag is None:
        raise DownloadError(
            f"{_endpoint()} does not say how large {entry.file} of {entry.repository} is, so it "
            f"cannot be checked; is it a hub? {_by_hand(entry, folder)}"
        )
    headers = dict(hub.utils.build_hf_headers(token=token))
    if urlparse(found.location).netloc != urlparse(url).netloc:
        # The storage behind the hub has signed links; the token is none of its business.
        headers = {key: value for key, value in headers.items() if key.lower() != "authorization"}
    return _Remote(url=found.location, size=found.size, etag=found.etag, headers=headers)


def _check_space(remote: _Remote, part: Path, folder: Path) -> None:
    needed = remote.size - (part.stat().st_size if part.exists() else 0) + _SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder} has {free / 1e6:,.0f} MB free, {needed / 1e6:,.0f} MB are needed. Make "
            "room or choose another folder."
        )


class _Canceled(BaseException):
    """Carries an exception of the progress callback past everything that handles exceptions."""

    def __init__(self, reason: BaseException) -> None:
        super().__init__()
        self.reason = reason


class _Sink:
    """A file that reports what is written to it."""

    def __init__(self, file: IO[bytes], total: int, progress: Progress | None) -> None:
        self._file = file
        self._total = total
        self._progress = progress

    def report(self) -> None:
        if self._progress is None:
            return
        done = self._file.tell()
        try:
            self._progress(min(1.0, done / self._total) if self._total else 1.0, done)
        except BaseException as error:
            raise _Canceled(error) from error

    def write(self, data: bytes) -> int:
        count = self._file.write(data)
        self.report()
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def truncate(self, size: int | None = None) -> int:
        return self._file.truncate(size)


def _fetch(remote: _Remote, part: Path, progress: Progress | None, hub: ModuleType) -> None:
    """Complete a partial file, or start one."""
    if part.exists() and part.stat().st_size > remote.size:
        part.unlink()
    silent = _silent(hub) if progress is not None else contextlib.nullcontext()
    try:
        with part.open("r+b" if part.exists() else "w+b") as file, silent:
            sink = _Sink(file, remote.size, progress)
            for left in reversed(range(_ATTEMPTS)):
                start = file.seek(0, os.SEEK_END)
                sink.report()
                if start == remote.size:
                    return
                try:
                    hub.file_download.http_get(
                        remote.url,
                        sink,
                        resume_size=start,
                        headers=remote.headers,
                        expected_size=remote.size,
                    )
                except _network_errors() as error:
                    if not left or not _is_interruption(error, hub):
                        raise
                    logger.info("the download stopped (%s) and is taken up again.", error)
    except (_Canceled, KeyboardInterrupt):
        part.unlink(missing_ok=True)
        raise


def _is_interruption(error: Exception, hub: ModuleType) -> bool:
    """Whether the connection broke, rather than the server answering or the disk failing."""
    library = type(error).__module__.partition(".")[0]
    return library in _HTTP_LIBRARIES and not isinstance(error, hub.utils.HfHubHTTPError)


@contextlib.contextmanager
def _silent(hub: ModuleType) -> Iterator[None]:
    """Without the hub's own progress bar, unless the user insists on it."""
    shown = not hub.utils.are_progress_bars_disabled()
    switch = shown and hub.constants.HF_HUB_DISABLE_PROGRESS_BARS is None
    if switch:
        hub.utils.disable_progress_bars()
    try:
        yield
    finally:
        if switch:
            hub.utils.enable_progress_bars()


def _verify(remote: _Remote, part: Path, entry: Entry) -> None:
    """Size and, for large files, the SHA-256 that the hub gives as their tag."""
    size = part.stat().st_size
    right = size == remote.size
    if right and _SHA256.fullmatch(remote.etag):
        right = compute_sha256(part) == remote.etag
    if not right:
        part.unlink()
        raise DownloadError(
            f"what arrived of {entry.id} ({size:,} bytes) does not match the hub's size of "
            f"{remote.size:,} bytes and checksum {remote.etag}; it was deleted. Try again."
        )


@contextlib.contextmanager
def _lock(path: Path, entry: Entry) -> Iterator[None]:
    """One download of a file at a time."""
    import filelock

    lock = filelock.FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise DownloadError(
            f"another program is downloading {entry.id} into {path.parent} right now; wait for it."
        ) from error
    try:
        yield
    finally:
        lock.release()
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()


@contextlib.contextmanager
def _translated(entry: Entry, folder: Path, hub: ModuleType) -> Iterator[None]:
    """Give every failure of hub, network and disk a message that helps."""
    errors = hub.utils
    try:
        yield
    except BiRefNetError:
        raise
    except errors.GatedRepoError as error:
        _gated(entry, folder, error)
    except errors.RepositoryNotFoundError as error:
        if entry.gated:
            _gated(entry, folder, error)
        raise DownloadError(
            f"{_endpoint()} has no {entry.repository}, or it is private. {_by_hand(entry, folder)}"
        ) from error
    except (errors.HfHubHTTPError, *_network_errors()) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if entry.gated and status in (401, 403):
            _gated(entry, folder, error)
        lines = str(error).strip().splitlines()
        reason = lines[0].rstrip(".") if lines else type(error).__name__
        raise DownloadError(
            f"{entry.id} could not be downloaded from {_endpoint()}: "
            f"{reason}. Check the connection and call again, which continues where it stopped. "
            f"{_by_hand(entry, folder)}"
        ) from error


def _network_errors() -> tuple[type[Exception], ...]:
    """Of the HTTP libraries that versions of the hub's client use; requests has OSErrors."""
    libraries = [sys.modules[name] for name in _HTTP_LIBRARIES[1:] if name in sys.modules]
    return (OSError, *(library.HTTPError for library in libraries))


def _gated(entry: Entry, folder: Path, error: Exception) -> NoReturn:
    raise GatedModelError(
        f"{entry.id} is published under {entry.license}, which must be accepted first: log in "
        f"and accept it on {entry.page}, make an access token, and set it as the environment "
        f"variable HF_TOKEN. {_by_hand(entry, folder)}"
    ) from error
