"""One JSON-RPC endpoint over HTTP, websocket or unix socket, with every way it can fail given a name."""

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from keeper.chain.budget import RateBudget
from keeper.chain.limits import LIMIT_EXCEEDED
from keeper.chain.source import Call
from keeper.chain.stamps import stamp
from keeper.chain.urls import public_name, secret_parts
from keeper.chain.wire import NoAnswer, TooMany, open_wire
from keeper.errors import EndpointError, RateLimitedError, RpcError
from keeper.model.block import BlockStamp

_DATA = re.compile(r"0x[0-9a-fA-F]{0,20000}")
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""Strings whole, and the brackets outside of them."""
_STRINGS = re.compile(r'"[^"]*"')
_NO_BRACKETS = {i: None for i in range(128) if chr(i) not in '[]{}"'}
_DEEPEST = 100
_LONGEST_MESSAGE = 400
_NOT_JSON_RPC = "answered something that is not JSON-RPC"

_LONGEST_BACKOFF_S = 3_600
_BACKOFF_WORDS = ("backoff_seconds", "retry_after", "try_again_in")

T = TypeVar("T")


class Endpoint:
    """Calls and batches; raises EndpointError (transport) or RpcError (the endpoint's own answer).

    Any thread may ask. Answers are within `timeout_s` (`timeouts_s` by method; of a batch the longest) as a
    whole. `budget` bounds the requests; a call over it is a RateLimitedError, and nothing was asked.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = 10.0,
        *,
        name: str = "",
        timeouts_s: Mapping[str, float] | None = None,
        budget: RateBudget | None = None,
    ) -> None:
        self.name = name or public_name(url)
        self._secrets = sorted(secret_parts(url), key=len, reverse=True)
        self._wire = open_wire(url)
        self._timeout_s = timeout_s
        self._timeouts_s = dict(timeouts_s or {})
        self._ids = itertools.count(1)
        self._batches = True
        self.budget = budget or RateBudget()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def head(self) -> BlockStamp:
        """Newest block."""
        method = "eth_getBlockByNumber"
        return stamp(self.call(method, ["latest", False]), self.name, method)

    def agreed_batch(
        self,
        calls: Sequence[Call],
        hints: Sequence[Call] = (),
        *,
        upto: int | None = None,  # noqa: ARG002 - what differs between endpoints; here is one
    ) -> list[Any]:
        """As `batch`: one endpoint agrees with itself, and is alone in what it says to a hint."""
        return alone(self.batch([*calls, *hints]), len(calls))

    def call(self, method: str, params: list[Any], *, urgent: bool = False) -> Any:
        """The result of one call. An urgent one is asked whatever is left of the budget."""
        request = self._request(method, params)

        def read(answer: Any) -> dict[str, Any]:
            if not isinstance(answer, dict):
                raise EndpointError(self.name, method, _NOT_JSON_RPC)
            # an endpoint that could not read the request answers an error without an id
            if not _is(answer.get("id"), request["id"]) and not _refuses(answer):
                raise EndpointError(self.name, method, self._foreign(answer))
            return answer

        self._spend(method, 1, urgent)
        return self._unwrap(method, self._ask(method, request, self._timeout_of(method), read))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in order, in one request; a call the endpoint refused is an RpcError in its place."""
        if self._batches:
            answers = self._batch(calls)
            if answers is not None:
                return answers
            self._batches = False  # the endpoint does not batch: ask one by one from now on
        return [self._settled(method, params) for method, params in calls]

    def begin(self, calls: Sequence[Call]) -> Callable[[], list[Any]] | None:
        """`batch` in two halves: asked now, and what is returned waits for the results.

        None where that cannot be, and nothing was asked.
        """
        if not self._batches:
            return None
        names, requests, read = self._question(calls)
        if self.budget.bounded:  # which may have to be waited for
            return None
        with self._said(names):
            asked = self._wire.begin(json.dumps(requests).encode(), self._longest_s(calls))
        if asked is None:
            return None

        def results() -> list[Any]:
            with self._said(names):
                by_id = asked.read(lambda answer: read(parsed(answer.decode())))
            if by_id is None:  # it does not batch
                return self.batch(calls)
            return [self._settle(r["method"], by_id[r["id"]]) for r in requests]

        return results

    def _batch(self, calls: Sequence[Call]) -> list[Any] | None:
        names, requests, read = self._question(calls)
        self._spend(names, len(calls))
        by_id = self._ask(names, requests, self._longest_s(calls), read)
        if by_id is None:
            return None
        return [self._settle(r["method"], by_id[r["id"]]) for r in requests]

    def _question(
        self, calls: Sequence[Call]
    ) -> tuple[str, list[dict[str, Any]], Callable[[Any], dict[int, dict[str, Any]] | None]]:
        """What to say of a batch, its requests, and what makes answers by id of its JSON; None for "no batches"."""
        names = "+".join(dict.fromkeys(method for method, _ in calls))
        requests = [self._request(method, params) for method, params in calls]

        def read(answers: Any) -> dict[int, dict[str, Any]] | None:
            if _refuses(answers) or (
                isinstance(answers, list)
                and len(answers) == 1 != len(calls)
                and _refuses(answers[0])
            ):
                return None
            if not isinstance(answers, list) or not all(isinstance(a, dict) for a in answers):
                raise EndpointError(self.name, names, _NOT_JSON_RPC)
            by_id = {a["id"]: a for a in answers if type(a.get("id")) is int}
            if len(answers) != len(calls) or by_id.keys() != {r["id"] for r in requests}:
                problem = self._foreign(answers[0]) if answers else _NOT_JSON_RPC
                raise EndpointError(self.name, names, problem)
            return by_id

        return names, requests, read

    def _longest_s(self, calls: Sequence[Call]) -> float:
        return max((self._timeout_of(method) for method, _ in calls), default=self._timeout_s)

    def _timeout_of(self, method: str) -> float:
        return self._timeouts_s.get(method, self._timeout_s)

    def _spend(self, method: str, calls: int, urgent: bool = False) -> None:
        """Takes from the budget, after a short wait where that is enough."""
        wait_s = self.budget.spend(calls, urgent=urgent)
        if wait_s > 0:
            raise RateLimitedError(self.name, method, "is over its request budget", wait_s)

    def _request(self, method: str, params: list[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}

    def _foreign(self, answer: dict[str, Any]) -> str:
        """What is wrong with an answer whose id is not the request's."""
        good = "result" in answer or isinstance(answer.get("error"), dict)
        return "answered another request" if good and "id" in answer else _NOT_JSON_RPC

    def _settled(self, method: str, params: list[Any]) -> Any:
        try:
            return self.call(method, params)
        except RpcError as error:
            return error

    def _settle(self, method: str, answer: dict[str, Any]) -> Any:
        try:
            return self._unwrap(method, answer)
        except RpcError as error:
            return error

    def _unwrap(self, method: str, answer: dict[str, Any]) -> Any:
        error = answer.get("error")
        if isinstance(error, dict):
            raise self._rpc_error(method, error)
        if error is None and "result" in answer:
            return answer["result"]
        raise EndpointError(self.name, method, _NOT_JSON_RPC)

    def _rpc_error(self, method: str, error: dict[str, Any]) -> RpcError:
        data = error.get("data", "")
        if isinstance(data, dict):  # some nodes nest it
            data = data.get("data") or data.get("result") or ""
        code = error.get("code")
        if type(code) is int and code in LIMIT_EXCEEDED:
            self.budget.pause(_backoff_s(error.get("data")))
        return RpcError(
            endpoint=self.name,
            method=method,
            code=code if type(code) is int and abs(code) < 2**31 else 0,
            message=self._words(error.get("message", "no message")),
            data=data if isinstance(data, str) and _DATA.fullmatch(data) else "",
        )

    def _words(self, said: Any) -> str:
        """The endpoint's own words, fit for a log and a journal: no secret of its address, no control codes."""
        text = str(said).encode("utf-8", "replace").decode()
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return "".join(c if c.isprintable() else " " for c in text[:_LONGEST_MESSAGE])

    def _ask(self, method: str, request: Any, timeout_s: float, read: Callable[[Any], T]) -> T:
        """What `read` makes of the answer's JSON. Whatever comes back, only EndpointError is raised."""
        body = json.dumps(request).encode()
        with self._said(method):
            return self._wire.ask(body, timeout_s, lambda answer: read(parsed(answer.decode())))

    @contextmanager
    def _said(self, method: str) -> Iterator[None]:
        """Whatever goes wrong on the wire, as an EndpointError about the method."""
        try:
            yield
        except TooMany as error:
            wait_s = self.budget.pause(error.retry_after_s)
            raise RateLimitedError(self.name, method, str(error), wait_s) from None
        except NoAnswer as error:
            raise EndpointError(self.name, method, str(error)) from error.__cause__
        except ValueError:  # not JSON, not UTF-8, too deep, or a number of thousands of digits
            raise EndpointError(self.name, method, _NOT_JSON_RPC) from None


def alone(answers: list[Any], agreed: int) -> list[Any]:
    """Answers of one endpoint as several give them: to what follows those agreed on a tuple of all that was said."""
    return answers[:agreed] + [(said,) for said in answers[agreed:]]


def _backoff_s(data: Any) -> float | None:
    """Seconds to wait, where a refusal for too many requests says so (`{"rate": {"backoff_seconds": 30}}`)."""
    if not isinstance(data, dict):
        return None
    inner = data.get("rate")
    for said in (data, inner if isinstance(inner, dict) else {}):
        for word in _BACKOFF_WORDS:
            value = said.get(word)
            if isinstance(value, int | float) and 0 <= value < _LONGEST_BACKOFF_S:
                return float(value)
    return None


def parsed(text: str) -> Any:
    """JSON of somebody else; ValueError for anything else and for what is nested without end."""
    if _too_deep(text):
        raise ValueError("nested too deep")
    return json.loads(text)


def _too_deep(text: str) -> bool:
    """True if arrays and objects may be nested deeper than is read. The parser's stack may end before its own count.

    Of the brackets outside of strings innermost pairs go until none is left, at most two levels a round: what is
    left over is too deep, or no JSON.
    """
    if text.count("[") + text.count("{") <= _DEEPEST:
        return False
    if "\\" in text:
        text = "".join([m[0] for m in _TOKENS.finditer(text) if m[0][0] != '"'])
    else:  # without escapes only brackets and quotes matter: the rest goes first, and quickly
        text = _STRINGS.sub("", text.translate(_NO_BRACKETS).replace('""', ""))
    for _ in range(_DEEPEST):
        shorter = text.replace("[]", "").replace("{}", "")
        if len(shorter) == len(text):
            break
        text = shorter
    return bool(text)


def _is(found: Any, asked: int) -> bool:
    return type(found) is int and found == asked


def _refuses(answer: Any) -> bool:
    """True for a JSON-RPC error that names no request."""
    return (
        isinstance(answer, dict)
        and answer.get("id") is None
        and isinstance(answer.get("error"), dict)
    )
