"""Where built things are kept between runs: keyed by content, written whole or not at all, by one process at a time."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

KEPT_ENTRIES = 4
"""Older entries of one kind are removed; a checkout moved back and forth still finds its own."""


def cache_dir(root: Path) -> Path:
    """`$GIMBAL_CACHE_DIR` or build/localnet under the checkout."""
    configured = os.environ.get("GIMBAL_CACHE_DIR")
    return Path(configured).expanduser().resolve() if configured else root / "build" / "localnet"


def package_versions(root: Path, packages: Iterable[str]) -> dict[str, str]:
    """Installed version of each npm package; a missing one counts as absent."""
    versions = {}
    for package in packages:
        manifest = root / "node_modules" / package / "package.json"
        versions[package] = (
            json.loads(manifest.read_text())["version"] if manifest.is_file() else "absent"
        )
    return versions


def digest(*parts: object) -> str:
    """Short hexadecimal digest of JSON-representable parts."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def files_digest(files: Iterable[Path], base: Path) -> str:
    """Digest of the files' contents and of their places under `base`."""
    hasher = hashlib.sha256()
    for file in sorted(files):
        hasher.update(str(file.relative_to(base)).encode() + b"\0")
        hasher.update(hashlib.sha256(file.read_bytes()).digest())
    return hasher.hexdigest()[:20]


@contextlib.contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold `path` for this process alone; released by the system even if the process is killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def cached_entry(directory: Path, kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The directory `<kind>-<key>`, built by `build(empty directory)` if it is not there yet.

    A second process waits for the first and then finds the entry. A failed build leaves nothing.
    """
    entry = directory / f"{kind}-{key}"
    if entry.is_dir():
        return entry
    with file_lock(directory / f"{kind}.lock"):
        if entry.is_dir():
            return entry
        unfinished = Path(tempfile.mkdtemp(prefix=f".{kind}-", dir=directory))
        try:
            build(unfinished)
            unfinished.rename(entry)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        _remove_old(directory, kind)
    return entry


def _remove_old(directory: Path, kind: str) -> None:
    entries = sorted(
        directory.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True
    )
    for entry in entries[KEPT_ENTRIES:]:
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
