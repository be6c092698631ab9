"""A private relay in the style of Flashbots: JSON-RPC whose every body is signed by an authentication key.

`X-Flashbots-Signature: <address>:<signature>`, where the signature is that of an EIP-191 message: the hex text of
the Keccak hash of the body. The key only tells relays who asks (their reputation system); it holds no money and is
never the keeper's account.
"""

import itertools
import json
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import structlog
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from keeper.errors import EndpointError, RpcError

Post = Callable[[bytes, Mapping[str, str]], bytes]
"""Posts a body with extra headers and returns the answer's; raises EndpointError."""
HEADER = "X-Flashbots-Signature"
_MOST_BRACKETS = 1_000
"""More could nest deeper than the parser's stack, and its end is that of the process."""
_REST_S = 10.0
"""How long a relay that did not answer is not asked."""
_LONGEST_WORDS = 400
_log = structlog.get_logger(__name__)


class RelayMethod(StrEnum):
    """How a transaction is offered."""

    TRANSACTION = "transaction"  # eth_sendPrivateTransaction: the relay keeps offering it
    BUNDLE = "bundle"  # eth_sendBundle: for the next block only, sent again each block


class Authentication:
    """Signs bodies; its text form shows the address only (K-09)."""

    def __init__(self, key: str) -> None:
        self._account = Account.from_key(key)
        self.address: str = self._account.address

    def __repr__(self) -> str:
        return f"Authentication({self.address})"

    def header(self, body: bytes) -> str:
        """Value of X-Flashbots-Signature for a body."""
        message = encode_defunct(text="0x" + keccak(body).hex())
        return f"{self.address}:0x{self._account.sign_message(message).signature.hex()}"


class FlashbotsRelay:
    """One relay. Its silence means nothing: what it took is followed by nonce like everything else."""

    def __init__(
        self,
        name: str,
        post: Post,
        authentication: Authentication,
        *,
        method: RelayMethod = RelayMethod.TRANSACTION,
        max_blocks: int = 25,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """max_blocks: for how many blocks the relay is asked to try a private transaction."""
        self.name = name
        self._post = post
        self._authentication = authentication
        self._method = method
        self._max_blocks = max_blocks
        self._ids = itertools.count(1)
        self._now = now
        self._rests_until = float("-inf")

    def send(self, raw: str, block_number: int) -> None:
        """Offer a signed transaction; raises EndpointError or RpcError if the relay does not take it."""
        if self._method is RelayMethod.BUNDLE:
            self._ask("eth_sendBundle", {"txs": [raw], "blockNumber": hex(block_number + 1)})
            return
        until = hex(block_number + self._max_blocks)
        self._ask("eth_sendPrivateTransaction", {"tx": raw, "maxBlockNumber": until})

    def withdraw(self, tx_hash: str) -> None:
        """Ask the relay to forget it."""
        if self._method is RelayMethod.BUNDLE:
            return  # a bundle is for one block
        try:
            self._ask("eth_cancelPrivateTransaction", {"txHash": tx_hash})
        except (EndpointError, RpcError) as error:
            _log.info("the relay keeps it", tx=tx_hash, why=str(error))

    def _ask(self, method: str, parameters: dict[str, Any]) -> Any:
        asked = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": [parameters]}
        body = json.dumps(asked, separators=(",", ":")).encode()
        # one patience, not one for each transaction in flight: protection comes after them
        if self._now() < self._rests_until:
            raise EndpointError(self.name, method, "was not asked: it did not answer just now")
        try:
            text = self._post(body, {HEADER: self._authentication.header(body)})
        except EndpointError:
            self._rests_until = self._now() + _REST_S
            raise
        answer = _parsed(text)
        if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
            raise EndpointError(self.name, method, "answered something that is not JSON-RPC")
        error = answer.get("error")
        if error is None:
            return answer.get("result")
        known = isinstance(error, dict)
        words = str(error.get("message", "")) if known else str(error)
        code = error.get("code", 0) if known else 0
        words = "".join(c if c.isprintable() else " " for c in words[:_LONGEST_WORDS])
        raise RpcError(self.name, method, code if isinstance(code, int) else 0, words)


def _parsed(text: bytes) -> Any:
    """Somebody else's JSON; None for what is none."""
    if text.count(b"[") + text.count(b"{") > _MOST_BRACKETS:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
