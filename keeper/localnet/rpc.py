"""Plain JSON-RPC to our own anvil, and sending from its unlocked accounts."""

import json
import urllib.error
import urllib.request
from dataclasses import fields
from typing import Any

from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception
from web3.types import TxReceipt

from keeper.errors import LocalnetError
from keeper.localnet.world import Accounts


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
                method, str(error), "the node may have ended; see its log"
            ) from error
        if "error" in answer:
            raise LocalnetError(
                method, str(answer["error"].get("message", answer["error"])), "see the node's log"
            )
        return answer["result"]


def rpc(w3: Web3, method: str, *params: Any) -> Any:
    """One call of a method web3 has no function for (`evm_mine`, `anvil_setCode`, ...)."""
    answer = w3.provider.make_request(method, list(params))  # type: ignore[arg-type]  # not one of web3's own names
    if "error" in answer:
        raise LocalnetError(method, str(answer["error"]), "see the node's log")
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
    except (ContractLogicError, Web3Exception, ValueError) as error:
        raise LocalnetError(f"{name} from {sender}", str(error), "see the node's log") from error
    return mined(w3, bytes(tx_hash), str(name))


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
    """The receipt of a sent transaction, mining a block if nobody else does; reverted raises."""
    for attempt in range(2):
        try:
            receipt = w3.eth.get_transaction_receipt(tx_hash)  # type: ignore[arg-type]  # bytes are a hash
        except TransactionNotFound:
            if attempt:
                raise
            rpc(w3, "evm_mine")
            continue
        if receipt["status"] != 1:
            raise LocalnetError(
                what,
                f"transaction 0x{tx_hash.hex()} reverted",
                "trace it with debug_traceTransaction",
            )
        return receipt
    raise LocalnetError(what, "the transaction was not mined", "see the node's log")


def accounts_of(w3: Web3) -> Accounts:
    """Roles of the development accounts, in the mnemonic's order."""
    return Accounts(*w3.eth.accounts[: len(fields(Accounts))])
