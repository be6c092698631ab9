"""Deploys artifacts and sends calls from one account."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3 import Web3
from web3.types import TxReceipt

from keeper.errors import LocalnetError
from keeper.localnet import artifacts
from keeper.localnet.rpc import send

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Deployer:
    """One unlocked account that deploys and administers."""

    w3: Web3
    root: Path
    account: str

    def deploy(self, name: str, *arguments: Any, libraries: Mapping[str, str] | None = None) -> Any:
        """Deploy an artifact by short name; returns the contract."""
        artifact = artifacts.load(self.root, name)
        code = artifacts.link(artifact, libraries or {})
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=code)
        receipt = send(self.w3, factory.constructor(*arguments), self.account)
        address = receipt["contractAddress"]
        if address is None:
            raise LocalnetError(
                f"deploying {name}", "no contract was created", "see the node's log"
            )
        return self.w3.eth.contract(address=address, abi=artifact.abi)

    def at(self, name: str, address: str) -> Any:
        """The contract of a short name at an address."""
        return self.w3.eth.contract(
            address=Web3.to_checksum_address(address), abi=artifacts.abi_of(self.root, name)
        )

    def send(self, call: Any, *, sender: str | None = None, value: int = 0) -> TxReceipt:
        """Send a call, from this account unless another unlocked one is named."""
        return send(self.w3, call, sender or self.account, value=value)
