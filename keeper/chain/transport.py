"""HTTP requests by a general client, for what needs one: TLS, proxies, credentials kept elsewhere.

Each is within a deadline as a whole, and its answer of a bounded size.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import Any, TypeVar
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from keeper.chain import wire
from keeper.chain.plain import LOOPBACK
from keeper.chain.refusal import refuse_status
from keeper.chain.urls import split
from keeper.chain.watchdog import watchdog
from keeper.chain.wire import NoAnswer, too_large, too_late

T = TypeVar("T")
_CHUNK = 64 * 2**10
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class HttpLine:
    """A kept-alive connection to one address. One request at a time."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        self._adapter = _Adapter(self._connections.add)
        self._template: requests.PreparedRequest | None = None
        self._environment: dict[str, Any] = {}

    def close(self) -> None:
        """Close the connection."""
        self._cut()
        self._adapter.close()

    def ask(self, body: bytes, timeout_s: float) -> bytes:
        """The body of the answer; NoAnswer when there is none in time, or it is too large."""
        return self._within(timeout_s, lambda: self._ask(body, timeout_s, {}, _success))

    def post(self, body: bytes, headers: Mapping[str, str], timeout_s: float) -> tuple[int, bytes]:
        """Status and body of the answer whatever the status is, asked with more headers; NoAnswer as `ask`."""
        return self._within(timeout_s, lambda: self._ask(body, timeout_s, headers, _whole))

    def _within(self, timeout_s: float, ask: Callable[[], T]) -> T:
        with watchdog.over(timeout_s, self._cut) as watch:
            try:
                answer = ask()
            except NoAnswer:
                if watch.late:
                    raise too_late(timeout_s) from None
                raise
        if watch.late:
            raise too_late(timeout_s)
        return answer

    def _ask(
        self,
        body: bytes,
        timeout_s: float,
        headers: Mapping[str, str],
        read: Callable[[requests.Response], T],
    ) -> T:
        try:
            request = self._template or self._prepared()
            request.body = body
            request.headers.update({**headers, "Content-Length": str(len(body))})
            # the adapter and not the session: the latter looks for cookies, hooks, redirects and proxies
            # at every request, which takes longer than a loopback node
            with self._adapter.send(request, timeout=timeout_s, **self._environment) as response:
                return read(response)
        except requests.Timeout as error:
            raise too_late(timeout_s) from error
        except requests.ConnectionError as error:
            raise NoAnswer("could not connect") from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # the text of these may repeat the address, and with it a key
            raise NoAnswer(f"could not be asked ({type(error).__name__})") from None

    def _prepared(self) -> requests.PreparedRequest:
        """What is the same for every request: headers, credentials of the address, proxies, certificates."""
        with requests.Session() as session:
            # a loopback node is never behind a proxy
            parts = split(self._url)
            session.trust_env = parts is None or parts.hostname not in LOOPBACK
            self._environment = dict(
                session.merge_environment_settings(self._url, {}, True, None, None)
            )
            self._template = session.prepare_request(
                requests.Request("POST", self._url, headers=_HEADERS, data=b"{}")
            )
        return self._template

    def _cut(self) -> None:
        for connection in list(self._connections):
            if connection.sock is not None:
                with suppress(OSError):
                    socket.shutdown(connection.sock, SHUT_RDWR)


def _success(response: requests.Response) -> bytes:
    refuse_status(response.status_code, response.headers.get("Retry-After"))
    return _body(response)


def _whole(response: requests.Response) -> tuple[int, bytes]:
    return response.status_code, _body(response)


def _body(response: requests.Response) -> bytes:
    found = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        found += chunk
        if len(found) > wire.MAX_ANSWER_BYTES:
            raise too_large()
    return bytes(found)


class _Adapter(HTTPAdapter):
    """Tells of every connection it makes."""

    def __init__(self, made: Callable[[Any], None]) -> None:
        class Plain(HTTPConnection):
            def connect(self) -> None:
                made(self)
                super().connect()

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                made(self)
                super().connect()

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self._pools = {"http": PlainPool, "https": SecurePool}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager
