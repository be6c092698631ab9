"""A private relay without a network: checks signatures, then includes, delays, ignores or refuses."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from keeper.execution.relay import HEADER


@dataclass
class RelaySimulator:
    """`include` gives a raw transaction to the chain, `delay` blocks after it was offered; None: never.

    `refuses`: error words for everything. Use `post` as the relay's Post, and `block` for each new block.
    """

    include: Callable[[str], Any]
    delay: int | None = 0
    refuses: str = ""
    callers: set[str] = field(default_factory=set)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waiting: list[tuple[int, str]] = field(default_factory=list)
    blocks: int = 0

    def post(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """As HTTP would carry it."""
        request = json.loads(body)
        caller, signature = headers[HEADER].split(":")
        message = encode_defunct(text="0x" + keccak(body).hex())
        if Account.recover_message(message, signature=signature) != caller:
            return self._answer(request, error="invalid signature")
        self.callers.add(caller)
        (parameters,) = request["params"]
        self.asked.append((request["method"], parameters))
        if self.refuses:
            return self._answer(request, error=self.refuses)
        if request["method"] == "eth_cancelPrivateTransaction":
            self.waiting.clear()
            return self._answer(request, result=True)
        raw = parameters["txs"][0] if "txs" in parameters else parameters["tx"]
        if self.delay is not None:
            self.waiting.append((self.blocks + self.delay, raw))
        return self._answer(request, result="0x00")

    def block(self) -> None:
        """What is due goes into the next block."""
        due = [raw for at, raw in self.waiting if at <= self.blocks]
        self.waiting = [(at, raw) for at, raw in self.waiting if at > self.blocks]
        self.blocks += 1
        for raw in due:
            self.include(raw)

    @staticmethod
    def _answer(request: dict[str, Any], *, result: Any = None, error: str = "") -> bytes:
        body = {"error": {"code": -32000, "message": error}} if error else {"result": result}
        return json.dumps({"jsonrpc": "2.0", "id": request["id"], **body}).encode()
