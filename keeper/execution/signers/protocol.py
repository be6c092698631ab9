"""What execution asks of a signer."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Signed:
    """Raw bytes and hash of a signed transaction, 0x-prefixed."""

    raw: str
    tx_hash: str


class Signer(Protocol):
    """Signs for one account. Its text form shows the address and never a secret (K-09)."""

    @property
    def address(self) -> str:
        """Of the account, checksummed."""
        ...

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction signed: exactly the one asked for, by this account, s in the lower half.

        Takes type, chainId, nonce, to, value, data, gas, maxFeePerGas, maxPriorityFeePerGas.
        Raises SigningError, after which nothing was signed that could be sent.
        """
        ...
