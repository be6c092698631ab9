"""ABIs of our contracts, written by scripts/abi.py from the compiler's output."""

import json
from functools import cache
from importlib.resources import files
from typing import Any, cast


@cache
def _text(name: str) -> str:
    return files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def load(name: str) -> list[dict[str, Any]]:
    """The ABI of a contract by name: "Vault", "Mandate", "VaultLens", "PriceOracle" or an adapter's."""
    return cast(list[dict[str, Any]], json.loads(_text(name)))
