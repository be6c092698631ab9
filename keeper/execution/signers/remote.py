"""A key in another process, asked by JSON-RPC (web3signer, geth: eth_signTransaction; clef: account_signTransaction).

It is trusted with the key and with nothing else: what comes back is sent only if it is byte for byte the
transaction that was asked for, signed by the account it was asked of.
"""

from typing import Any, Literal

from keeper.errors import EndpointError, KeystoreError, RpcError, SigningError
from keeper.execution.ports import Asked
from keeper.execution.signers.protocol import Signed
from keeper.execution.signers.transaction import checksummed, unsigned, verified
from keeper.model.secret import Unpicklable

Style = Literal["web3signer", "clef"]
_METHODS: dict[Style, tuple[str, str]] = {
    "web3signer": ("eth_signTransaction", "eth_accounts"),
    "clef": ("account_signTransaction", "account_list"),
}
_QUANTITIES = ("chainId", "nonce", "value", "gas", "maxFeePerGas", "maxPriorityFeePerGas")
_REMEDY = "check that the signer at key.remote_url is up, unlocked and holds this account"


class RemoteSigner(Unpicklable):
    """Signs through `rpc`, whose timeout is the signer's; holds no key."""

    __slots__ = ("_method", "_rpc", "address", "source")

    def __init__(self, rpc: Asked, address: str, style: Style) -> None:
        self._rpc = rpc
        self._method = _METHODS[style][0]
        self.address = checksummed(address)
        self.source = f"signer {rpc.name}"

    def __repr__(self) -> str:
        return f"RemoteSigner({self.address})"

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """An EIP-1559 transaction signed elsewhere and proven here."""
        asked = unsigned(transaction, self.source)
        request = {name: hex(transaction.get(name, 0)) for name in _QUANTITIES}
        request |= {"from": self.address, "to": transaction["to"], "data": transaction["data"]}
        answer = self._ask(self._method, [request])
        raw = answer.get("raw") if isinstance(answer, dict) else answer
        return verified(asked, raw, address=self.address, source=self.source)

    def close(self) -> None:
        """End the connection to it, where one is kept."""
        close = getattr(self._rpc, "close", None)
        if close is not None:
            close()

    def _ask(self, method: str, params: list[Any]) -> Any:
        try:
            return self._rpc.call(method, params)
        except EndpointError as error:
            problem = f"{method} {error.problem}"
        except RpcError as error:
            problem = f"refused {method}: {error.message}"
        raise SigningError(self.source, problem, _REMEDY)


def from_remote(rpc: Asked, address: str | None, style: Style) -> RemoteSigner:
    """A signer over `rpc`. Without an address, the one account that it lists.

    Raises KeystoreError if it does not answer, or lists several or none.
    """
    source, method = f"signer {rpc.name}", _METHODS[style][1]
    if address is not None:
        return RemoteSigner(rpc, address, style)
    try:
        found = rpc.call(method, [])
        problem = "" if isinstance(found, list) else f"answered {method} with no list"
    except (EndpointError, RpcError) as error:
        found, problem = [], str(error)
    if problem:
        raise KeystoreError(source, problem, _REMEDY)
    if len(found) != 1:
        remedy = "set key.address to the keeper's account"
        raise KeystoreError(source, f"lists {len(found)} accounts", remedy)
    try:
        return RemoteSigner(rpc, found[0], style)
    except (TypeError, ValueError):
        raise KeystoreError(source, "lists something that is no account", _REMEDY) from None
