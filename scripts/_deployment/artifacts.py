"""Compiled contracts, from Ape's project: code to deploy, code to compare with, ABIs to encode by."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keeper.errors import DeploymentError
from scripts._deployment.chain import encoded, selector


@dataclass(frozen=True, slots=True)
class Artifact:
    """One contract. `runtime` has zeros where immutables go."""

    name: str
    abi: tuple[Mapping[str, Any], ...]
    creation: bytes
    runtime: bytes

    def deployment(self, arguments: tuple[Any, ...]) -> bytes:
        """Data of the transaction that creates it."""
        inputs: Sequence[Mapping[str, Any]] = next(
            (e["inputs"] for e in self.abi if e["type"] == "constructor"), ()
        )
        return self.creation + encoded(inputs, arguments)

    def function(self, name: str) -> Mapping[str, Any]:
        """A function's ABI entry; names are not overloaded where this is used."""
        return next(e for e in self.abi if e["type"] == "function" and e["name"] == name)

    def calldata(self, name: str, arguments: tuple[Any, ...]) -> bytes:
        """Data of a call."""
        entry = self.function(name)
        return selector(entry) + encoded(entry["inputs"], arguments)

    def selectors(self) -> dict[str, str]:
        """0x-selector -> name of every function that changes state."""
        return {
            "0x" + selector(e).hex(): e["name"]
            for e in self.abi
            if e["type"] == "function" and e["stateMutability"] not in {"view", "pure"}
        }

    def fits(self, code: bytes) -> bool:
        """Whether deployed code is this contract's: equal but where the compiler left zeros for immutables."""
        same_length = len(code) == len(self.runtime) > 0
        return same_length and all(a == b for a, b in zip(self.runtime, code, strict=True) if a)


class Artifacts:
    """By name, as asked for."""

    def __init__(self, project: Any) -> None:
        self._project = project
        # Ape copies dependencies into contracts/.cache and leaves them there; its next compilation finds them and ends
        # without some contracts.
        shutil.rmtree(Path(project.path) / "contracts" / ".cache", ignore_errors=True)
        self._loaded: dict[str, Artifact] = {}

    def __getitem__(self, name: str) -> Artifact:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def errors(self, names: Iterable[str]) -> dict[bytes, Mapping[str, Any]]:
        """selector -> error, of several contracts."""
        return {selector(e): e for name in names for e in self[name].abi if e["type"] == "error"}

    def _load(self, name: str) -> Artifact:
        try:
            kind = getattr(self._project, name).contract_type
        except AttributeError:
            raise DeploymentError(
                f"contract {name}", "is not in this project", "run from the project's folder"
            ) from None
        code = {
            part: bytes(getattr(kind, part).bytecode or b"")
            if not isinstance(getattr(kind, part).bytecode, str)
            else bytes.fromhex(getattr(kind, part).bytecode.removeprefix("0x"))
            for part in ("deployment_bytecode", "runtime_bytecode")
        }
        abi = tuple(entry.model_dump(mode="json", by_alias=True) for entry in kind.abi)
        return Artifact(name, abi, code["deployment_bytecode"], code["runtime_bytecode"])
