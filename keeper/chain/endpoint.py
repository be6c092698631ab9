"""One JSON-RPC endpoint over HTTP, with every way it can fail given a name."""

import itertools
import json
import re
from collections.abc import Sequence
from typing import Any

from keeper.chain.transport import NoAnswer, Transport
from keeper.chain.urls import public_name, secret_parts
from keeper.errors import EndpointError, RpcError

Call = tuple[str, list[Any]]
MAX_NUMBER = 2**63 - 1
"""Of a block, a time, a nonce: what the journal can keep."""
MAX_AMOUNT = 2**256 - 1
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x[0-9a-fA-F]{0,20000}")
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
"""Strings whole, and the brackets outside of them."""
_DEEPEST = 100
_LONGEST_MESSAGE = 400
_NOT_JSON_RPC = "answered something that is not JSON-RPC"


class Endpoint:
    """Calls and batches; raises EndpointError (transport) or RpcError (the endpoint's own answer)."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.name = public_name(url)
        self._secrets = sorted(secret_parts(url), key=len, reverse=True)
        self._transport = Transport(url, timeout_s)
        self._ids = itertools.count(1)
        self._batches = True

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def call(self, method: str, params: list[Any]) -> Any:
        """The result of one call."""
        request = self._request(method, params)
        answer = self._ask(method, request)
        if not isinstance(answer, dict):
            raise EndpointError(self.name, method, _NOT_JSON_RPC)
        # an endpoint that could not read the request answers an error without an id
        if not _is(answer.get("id"), request["id"]) and not _refuses(answer):
            raise EndpointError(self.name, method, self._foreign(answer))
        return self._unwrap(method, answer)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in order, in one request; a call the endpoint refused is an RpcError in its place."""
        if self._batches:
            answers = self._batch(calls)
            if answers is not None:
                return answers
            self._batches = False  # the endpoint does not batch: ask one by one from now on
        return [self._settled(method, params) for method, params in calls]

    def _batch(self, calls: Sequence[Call]) -> list[Any] | None:
        names = "+".join(dict.fromkeys(method for method, _ in calls))
        requests = [self._request(method, params) for method, params in calls]
        answers = self._ask(names, requests)
        if _refuses(answers) or (
            isinstance(answers, list) and len(answers) == 1 != len(calls) and _refuses(answers[0])
        ):
            return None
        if not isinstance(answers, list) or not all(isinstance(a, dict) for a in answers):
            raise EndpointError(self.name, names, _NOT_JSON_RPC)
        by_id = {a["id"]: a for a in answers if type(a.get("id")) is int}
        if len(answers) != len(calls) or by_id.keys() != {r["id"] for r in requests}:
            problem = self._foreign(answers[0]) if answers else _NOT_JSON_RPC
            raise EndpointError(self.name, names, problem)
        return [self._settle(r["method"], by_id[r["id"]]) for r in requests]

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

    def _ask(self, method: str, request: Any) -> Any:
        """The answer as JSON. Whatever comes back, only EndpointError is raised."""
        body = json.dumps(request).encode()
        try:
            return parsed(self._transport.post(body).decode())
        except NoAnswer as error:
            raise EndpointError(self.name, method, str(error)) from error.__cause__
        except ValueError:  # not JSON, not UTF-8, too deep, or a number of thousands of digits
            raise EndpointError(self.name, method, _NOT_JSON_RPC) from None


def parsed(text: str) -> Any:
    """JSON of somebody else; ValueError for anything else and for what is nested without end."""
    if _depth(text) > _DEEPEST:
        raise ValueError("nested too deep")
    return json.loads(text)


def _depth(text: str) -> int:
    """At most how deep arrays and objects are nested. The parser's stack may end before its own count does."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return 0
    brackets = (m[0] for m in _TOKENS.finditer(text) if m[0][0] != '"')
    return max(itertools.accumulate(1 if b in "[{" else -1 for b in brackets))


def _is(found: Any, asked: int) -> bool:
    return type(found) is int and found == asked


def _refuses(answer: Any) -> bool:
    """True for a JSON-RPC error that names no request."""
    return (
        isinstance(answer, dict)
        and answer.get("id") is None
        and isinstance(answer.get("error"), dict)
    )


def quantity(value: Any, endpoint: str, method: str, most: int = MAX_NUMBER) -> int:
    """A JSON-RPC quantity from 0 to `most`; EndpointError for anything else."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value) or int(value, 16) > most:
        raise EndpointError(endpoint, method, "answered something that is not a quantity")
    return int(value, 16)
