"""One JSON-RPC endpoint over HTTP, with every way it can fail given a name."""

import json
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3RPCError
from web3.types import RPCEndpoint

from keeper.errors import EndpointError, RpcError

Call = tuple[str, list[Any]]
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
MAX_NUMBER = 2**63 - 1
"""Of a block, a time, a nonce: what the journal can keep."""
MAX_AMOUNT = 2**256 - 1
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def public_name(url: str) -> str:
    """Scheme, host and port of an endpoint: what may be logged (paths and credentials may be keys)."""
    parts = urlsplit(url)
    host = parts.hostname or "?"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{host}{port}"


class Endpoint:
    """Calls and batches; raises EndpointError (transport) or RpcError (the endpoint's own answer)."""

    def __init__(self, url: str, timeout_s: float = 10.0) -> None:
        self.name = public_name(url)
        self._session = requests.Session()
        # a loopback node is never behind a proxy, and looking for one costs time at every request
        self._session.trust_env = urlsplit(url).hostname not in _LOOPBACK
        self._timeout_s = timeout_s
        self._batches = True
        self._provider = HTTPProvider(
            url,
            request_kwargs={"timeout": timeout_s},
            session=self._session,
            exception_retry_configuration=None,
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def call(self, method: str, params: list[Any]) -> Any:
        """The result of one call."""
        answer = self._guarded(
            method, lambda: self._provider.make_request(RPCEndpoint(method), params)
        )
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
        typed = [(RPCEndpoint(method), params) for method, params in calls]
        answers = self._guarded(names, lambda: self._provider.make_batch_request(typed))
        if not isinstance(answers, list) or len(answers) != len(calls):
            return None
        return [
            self._settle(method, answer) for (method, _), answer in zip(calls, answers, strict=True)
        ]

    def _settled(self, method: str, params: list[Any]) -> Any:
        try:
            return self.call(method, params)
        except RpcError as error:
            return error

    def _settle(self, method: str, answer: Any) -> Any:
        try:
            return self._unwrap(method, answer)
        except RpcError as error:
            return error

    def _unwrap(self, method: str, answer: Any) -> Any:
        if isinstance(answer, dict):
            error = answer.get("error")
            if isinstance(error, dict):
                raise self._rpc_error(method, error)
            if "result" in answer:
                return answer["result"]
        raise EndpointError(self.name, method, "answered something that is not JSON-RPC")

    def _rpc_error(self, method: str, error: dict[str, Any]) -> RpcError:
        data = error.get("data", "")
        if isinstance(data, dict):  # some nodes nest it
            data = data.get("data") or data.get("result") or ""
        code = error.get("code", 0)
        return RpcError(
            endpoint=self.name,
            method=method,
            code=code if isinstance(code, int) else 0,
            message=str(error.get("message", "no message"))[:400],
            data=data if isinstance(data, str) else "",
        )

    def _guarded(self, method: str, request: Any) -> Any:
        try:
            return request()
        except requests.Timeout as error:
            problem = f"did not answer within {self._timeout_s:g} s"
            raise EndpointError(self.name, method, problem) from error
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else "?"
            raise EndpointError(self.name, method, f"answered HTTP {status}") from error
        except requests.ConnectionError as error:
            raise EndpointError(self.name, method, "could not connect") from error
        except (json.JSONDecodeError, UnicodeDecodeError, Web3RPCError, KeyError, TypeError) as e:
            problem = "answered something that is not JSON-RPC"
            raise EndpointError(self.name, method, problem) from e
        except requests.RequestException as error:
            kind = type(error).__name__
            raise EndpointError(self.name, method, f"could not be asked ({kind})") from error


def quantity(value: Any, endpoint: str, method: str, most: int = MAX_NUMBER) -> int:
    """A JSON-RPC quantity from 0 to `most`; EndpointError for anything else."""
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value) or int(value, 16) > most:
        raise EndpointError(endpoint, method, "answered something that is not a quantity")
    return int(value, 16)
