"""Plain JSON-RPC to our own anvil, and sending from its unlocked accounts."""

import json
import time
import urllib.error
import urllib.request
from dataclasses import fields
from typing import Any

from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception
from web3.types import TxReceipt

from keeper.errors import LocalnetError, RpcError
from keeper.localnet.world import Accounts

SEE_LOG = "see the node's log"
"""Advice without a path: who started the node puts the log's path in its place."""
PATIENCE_S, POLL_S = 10.0, 0.01
"""With a node that mines by itself."""
_ASKED = "the contract refused it: correct what was asked for"
_ERROR_ABIS = (
    "Vault",
    "Mandate",
    "AaveV3Adapter",
    "UniswapV3Adapter",
    "PriceOracle",
    "VaultLens",
)


class Rpc:
    """JSON-RPC over HTTP to loopback, without the weight of a full client."""

    def __init__(self, url: str, *, timeout_s: float = 60.0) -> None:
        self._url = url
        self._timeout_s = timeout_s

    def call(self, method: str, *params: Any) -> Any:
        """The result; `LocalnetError` carries the node's own message."""
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        ).encode()
        request = urllib.request.Request(  # noqa: S310 - our own loopback address
            self._url, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as response:  # noqa: S310 - loopback
                answer = json.loads(response.read())
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            raise LocalnetError(
                method, str(error), f"the node may have ended; {SEE_LOG}"
            ) from error
        if "error" in answer:
            raise LocalnetError(
                method, str(answer["error"].get("message", answer["error"])), SEE_LOG
            )
        return answer["result"]


def rpc(w3: Web3, method: str, *params: Any) -> Any:
    """One call of a method web3 has no function for (`evm_mine`, `anvil_setCode`, ...)."""
    answer = w3.provider.make_request(method, list(params))  # type: ignore[arg-type]  # not one of web3's own names
    if "error" in answer:
        raise LocalnetError(method, str(answer["error"]), SEE_LOG)
    return answer["result"]


def send(w3: Web3, call: Any, sender: str, *, value: int = 0, gas: int | None = None) -> TxReceipt:
    """Send a contract call or constructor from an unlocked account and return the mined receipt.

    Mines a block itself where the node mines on demand only. A revert raises `LocalnetError` with its reason.
    """
    fields: dict[str, Any] = {"from": to_checksum_address(sender), "value": value}
    if gas is not None:
        fields["gas"] = gas
    name = getattr(call, "fn_name", None) or "deployment"
    try:
        tx_hash = call.transact(fields)
    except ContractLogicError as error:
        raise LocalnetError(
            f"{name} from {sender}", revert_reason(str(error.data or ""), str(error)), _ASKED
        ) from error
    except (Web3Exception, ValueError) as error:
        raise LocalnetError(f"{name} from {sender}", str(error), SEE_LOG) from error
    return mined(w3, bytes(tx_hash), str(name))


def revert_reason(data: str, otherwise: str) -> str:
    """`reverted: Name(field=value, ...)` from revert data of our contracts, or other words for it."""
    from keeper import abi
    from keeper.execution.simulate import ErrorBook

    book = ErrorBook(*(abi.load(name) for name in _ERROR_ABIS))
    return f"reverted: {book.explain(RpcError('', '', 3, otherwise, data))}"


def send_value(w3: Web3, sender: str, to: str, value: int) -> TxReceipt:
    """Send native currency (wei) from an unlocked account."""
    tx_hash = w3.eth.send_transaction(
        {
            "from": to_checksum_address(sender),
            "to": to_checksum_address(to),
            "value": Web3.to_wei(value, "wei"),
        }
    )
    return mined(w3, bytes(tx_hash), "transfer")


def mined(w3: Web3, tx_hash: bytes, what: str) -> TxReceipt:
    """The receipt of a sent transaction, mining a block if nobody else does; reverted raises.

    A node that mines by itself may still be at it when it is asked first: there no block is added, or the
    chain would depend on how busy the machine is.
    """
    end, asked_for_one = time.monotonic() + PATIENCE_S, False
    while True:
        try:
            receipt = w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]  # bytes are a hash
        except TransactionNotFound:
            by_itself = rpc(w3, "anvil_getAutomine")
            if time.monotonic() > end or (asked_for_one and not by_itself):
                raise LocalnetError(what, "the transaction was not mined", SEE_LOG) from None
            if by_itself:
                time.sleep(POLL_S)
            else:
                rpc(w3, "evm_mine")
                asked_for_one = True
            continue
        if receipt["status"] != 1:
            raise LocalnetError(
                what,
                f"transaction 0x{tx_hash.hex()} {_traced(w3, tx_hash)}",
                _ASKED,
            )
        return receipt


def _traced(w3: Web3, tx_hash: bytes) -> str:
    tracer = {"tracer": "callTracer", "tracerConfig": {"onlyTopCall": True}}
    trace = rpc(w3, "debug_traceTransaction", f"0x{tx_hash.hex()}", tracer)
    return revert_reason(str(trace.get("output") or ""), str(trace.get("error", "no reason given")))


def accounts_of(w3: Web3) -> Accounts:
    """Roles of the development accounts, in the mnemonic's order."""
    return Accounts(*w3.eth.accounts[: len(fields(Accounts))])
