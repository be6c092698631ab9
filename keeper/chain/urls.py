"""What of an endpoint's address may be shown, and what in it may be a secret."""

import re
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

_SCHEMES = frozenset({"http", "https", "ws", "wss"})
_SEPARATORS = re.compile(r"[/?&=;:,#@]+")
_SHORTEST_PART = 8
"""Shorter words of a path ("v3", "mainnet") are no keys, and blotting them out would hide the message."""
_SHORTEST_PASSWORD = 4


def public_name(url: str) -> str:
    """Scheme, host and port of an endpoint: what may be logged (paths and credentials may be keys).

    Of a unix socket its path: it is a file of this machine.
    """
    if scheme_of(url) == "ipc":
        return "".join(c if c.isprintable() else "?" for c in f"ipc:{ipc_path(url)}")
    parts = split(url)
    scheme = parts.scheme if parts and parts.scheme in _SCHEMES else "?"
    host = parts.hostname if parts else None
    if parts is None or not host:
        return f"{scheme}://?"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{port}"


def scheme_of(url: str) -> str:
    """What carries the requests: http, https, ws, wss or ipc; empty for anything else."""
    if url.startswith(("/", "~/", "ipc:")):
        return "ipc"
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    return scheme if scheme in _SCHEMES else ""


def ipc_path(url: str) -> str:
    """The path of a unix socket: `/run/node.ipc`, `~/node.ipc`, `ipc:/run/node.ipc` or `ipc:///run/node.ipc`."""
    path = url.removeprefix("ipc:").removeprefix("//")
    return str(Path(path).expanduser()) if path.startswith("~") else path


def split(url: str) -> SplitResult | None:
    """The parts of an address; None where it is ambiguous what is host and what is secret."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if "@" in url.replace(parts.netloc, "", 1) or not url.isascii() or not url.isprintable():
        return None
    return parts


def secret_parts(url: str) -> set[str]:
    """Everything in an address that may be a secret: credentials, path, query, and their long parts.

    An endpoint repeats a key of the path alone, without the path around it.
    """
    if scheme_of(url) == "ipc":
        return set()
    rest = url.partition("://")[2]
    credentials, _, place = rest.rpartition("@")
    user, _, password = credentials.partition(":")
    wholes = {credentials, user, password}
    path = re.split(r"[/?#]", place, maxsplit=1)[1:]
    wholes.update(part.strip("/") for half in path for part in half.split("?"))
    parts = {part for whole in wholes for part in _SEPARATORS.split(whole)}
    found = {w for w in wholes if len(w) >= _SHORTEST_PASSWORD}
    found |= {p for p in parts if len(p) >= _SHORTEST_PART}
    return found | {unquote(f) for f in found}
