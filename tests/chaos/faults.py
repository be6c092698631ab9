"""What can go wrong between a keeper and one endpoint. Every draw comes from the fault's own seeded generator."""

import json
import random
import threading
from collections.abc import Callable
from typing import Any

from tests.chaos.proxy import Answer, HttpStatus, Passing, Request, Vanish

SEND = "eth_sendRawTransaction"
RECEIPT = "eth_getTransactionReceipt"
_OF_OTHERS, _ALLOWED, _WINDOW_S = 0.4, 2, 5.0
_HEADERS = ("eth_getBlockByNumber", "eth_getBlockByHash")


def _error(code: int, message: str) -> Answer:
    return {"error": {"code": code, "message": message}}


class _Sometimes(Passing):
    """Acts on a share of what passes."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self._rng, self._share = rng, share

    def _now(self) -> bool:
        now = self._rng.random() < self._share
        self.struck += now
        return now


class LoseRequest(_Sometimes):
    """The request never arrives."""

    def arrive(self) -> None:
        if self._now():
            raise Vanish


class LoseAnswer(_Sometimes):
    """The node does what was asked, and the answer is lost: a transaction sent so is in the pool."""

    def body(self, text: bytes) -> bytes:
        if self._now():
            raise Vanish
        return text


class Twice(_Sometimes):
    """The request arrives twice; the second answer is the one that comes back."""

    def __init__(
        self, rng: random.Random, share: float, forward: Callable[[Request], Answer]
    ) -> None:
        super().__init__(rng, share)
        self._forward = forward

    def after(self, request: Request, answer: Answer) -> Answer:
        return self._forward(request) if self._now() else answer


class Again(_Sometimes):
    """The answer to an earlier request comes once more, in place of the one that is due; in a batch, beside it."""

    def __init__(self, rng: random.Random, share: float) -> None:
        super().__init__(rng, share)
        self._last = b""

    def body(self, text: bytes) -> bytes:
        last, self._last = self._last, text
        many = text.startswith(b"[")
        if not (last or many) or not self._now():
            return text
        if many:
            answers = json.loads(text)
            return json.dumps([*answers, answers[0]]).encode()
        return last


class Truncate(_Sometimes):
    """Half of the bytes."""

    def body(self, text: bytes) -> bytes:
        return text[: len(text) // 2] if self._now() else text


class RateLimit(_Sometimes):
    """Too many requests in a few seconds, or too many of others: HTTP 429, or the code some providers use."""

    def __init__(self, rng: random.Random, share: float, clock: Callable[[], float]) -> None:
        super().__init__(rng, share * _OF_OTHERS)
        self._clock = clock
        self._allowed = round(_ALLOWED / share)
        self._since, self._asked = clock(), 0
        self._refusing = False

    def arrive(self) -> None:
        now = self._clock()
        if now - self._since >= _WINDOW_S:
            self._since, self._asked = now, 0
        self._asked += 1
        over = self._asked > self._allowed
        self.struck += over
        self._refusing = over or self._now()
        if self._refusing and self._rng.random() < 0.5:
            raise HttpStatus(429)

    def before(self, request: Request) -> Request | Answer:
        return _error(-32005, "rate limit exceeded") if self._refusing else request


class SendSays(_Sometimes):
    """Transactions are refused with words, and the node never sees them."""

    def __init__(self, rng: random.Random, share: float, words: str) -> None:
        super().__init__(rng, share)
        self._words = words

    def before(self, request: Request) -> Request | Answer:
        if request["method"] == SEND and self._now():
            return _error(-32000, self._words)
        return request


class SendTakenSays(SendSays):
    """Transactions are taken, and refused in words all the same."""

    def before(self, request: Request) -> Request | Answer:
        return request

    def after(self, request: Request, answer: Answer) -> Answer:
        if request["method"] == SEND and self._now():
            return _error(-32000, self._words)
        return answer


class NoReceipt(_Sometimes):
    """Receipts are not there yet, whatever was mined."""

    def after(self, request: Request, answer: Answer) -> Answer:
        there = answer.get("result") is not None
        if request["method"] == RECEIPT and there and self._now():
            return {"jsonrpc": "2.0", "result": None}
        return answer


class WrongHash(_Sometimes):
    """Blocks under a hash that does not exist."""

    def after(self, request: Request, answer: Answer) -> Answer:
        block = answer.get("result")
        if request["method"] in _HEADERS and isinstance(block, dict) and self._now():
            return {**answer, "result": {**block, "hash": f"0x{self._rng.getrandbits(256):064x}"}}
        return answer


class Stale(Passing):
    """The node is some blocks behind, in everything, and does not know newer blocks."""

    def __init__(self, behind: int, head: Callable[[], int], hash_of: Callable[[int], str]) -> None:
        self._behind, self._head, self._hash_of = behind, head, hash_of

    def before(self, request: Request) -> Request | Answer:
        newest = max(0, self._head() - self._behind)
        params: list[Any] = list(request.get("params", []))
        if request["method"] in {"eth_feeHistory", SEND, RECEIPT, "eth_estimateGas"}:
            return request
        for place, value in enumerate(params):
            if value in ("latest", "pending", "safe"):
                params[place] = hex(newest)
                self.struck += 1
            hidden = {self._hash_of(n) for n in range(newest + 1, newest + 1 + self._behind)}
            named = value.get("blockHash") if isinstance(value, dict) else value
            if isinstance(named, str) and named in hidden:
                self.struck += 1
                return _error(-32000, "header not found")
        return {**request, "params": params}

    def after(self, request: Request, answer: Answer) -> Answer:
        result = answer.get("result")
        if request["method"] == RECEIPT and isinstance(result, dict):
            newest = self._head() - self._behind
            if int(result.get("blockNumber") or "0x0", 16) > newest:
                self.struck += 1
                return {**answer, "result": None}
        return answer


class LyingPrice(Passing):
    """The snapshot of the right block, with another price in it."""

    def __init__(self, price_wad: Callable[[], int], factor: float) -> None:
        self._price_wad, self._factor = price_wad, factor

    def after(self, request: Request, answer: Answer) -> Answer:
        result = answer.get("result")
        if request["method"] != "eth_call" or not isinstance(result, str):
            return answer
        true = self._price_wad()
        false = int(true * self._factor)
        lie = result.replace(f"{true:064x}", f"{false:064x}")
        self.struck += lie != result
        return {**answer, "result": lie}


class Late(_Sometimes):
    """The answer comes when nobody waits for it any more."""

    def __init__(self, rng: random.Random, share: float, seconds: float) -> None:
        super().__init__(rng, share)
        self._seconds = seconds

    def body(self, text: bytes) -> bytes:
        if self._now():
            threading.Event().wait(self._seconds)
        return text


class Silent(Passing):
    """The endpoint is dead."""

    def arrive(self) -> None:
        self.struck += 1
        raise Vanish
