"""What execution asks of a signer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol


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


class Unpicklable:
    """Never leaves the process as bytes: neither by pickle nor by copy."""

    __slots__ = ()

    def __reduce_ex__(self, _protocol: Any) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is neither pickled nor copied")


class Secret(Unpicklable):
    """A text that no repr, format or traceback with local values shows; `reveal` is the only way to it."""

    __slots__ = ("__reveal",)

    def __init__(self, text: str) -> None:
        self.__reveal: Callable[[], str] = lambda: text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.__reveal())

    def reveal(self) -> str:
        """The text itself: for the call that needs it, never into a variable of a frame that may raise."""
        return self.__reveal()
