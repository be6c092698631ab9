"""One HTTP request and its answer: within a deadline as a whole, and of a bounded size."""

import threading
from collections.abc import Callable
from contextlib import suppress
from socket import SHUT_RDWR, socket
from typing import Any
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError

from keeper.chain.urls import split

MAX_ANSWER_BYTES = 16 * 2**20
_CHUNK = 64 * 2**10
_REPEAT_S = 0.05
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class NoAnswer(Exception):  # noqa: N818 - a fact about the wire, renamed at the edge that knows the method
    """There is no answer; says why in words that follow "the endpoint"."""


class Transport:
    """Posts to one address. Not for use by several threads at once."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._connections: WeakSet[HTTPConnection] = WeakSet()
        self._session = requests.Session()
        # a loopback node is never behind a proxy, and looking for one costs time at every request
        parts = split(url)
        self._session.trust_env = parts is None or parts.hostname not in _LOOPBACK
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._connections.add))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def post(self, body: bytes) -> bytes:
        """The body of the answer; NoAnswer when there is none in time, or it is too large."""
        done, late = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._watch, args=(done, late), daemon=True)
        watch.start()
        try:
            answer = self._post(body)
        except NoAnswer:
            if late.is_set():
                raise NoAnswer(self._too_late()) from None
            raise
        finally:
            done.set()
            watch.join()
        if late.is_set():
            raise NoAnswer(self._too_late())
        return answer

    def _too_late(self) -> str:
        return f"did not answer within {self._timeout_s:g} s"

    def _post(self, body: bytes) -> bytes:
        try:
            with self._session.post(
                self._url,
                data=body,
                headers=_HEADERS,
                timeout=self._timeout_s,
                stream=True,
                allow_redirects=False,
            ) as response:
                if response.status_code >= 300:
                    raise NoAnswer(f"answered HTTP {response.status_code}")
                return _body(response)
        except requests.Timeout as error:
            raise NoAnswer(self._too_late()) from error
        except requests.ConnectionError as error:
            raise NoAnswer("could not connect") from error
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            # the text of these may repeat the address, and with it a key
            raise NoAnswer(f"could not be asked ({type(error).__name__})") from None

    def _watch(self, done: threading.Event, late: threading.Event) -> None:
        """Cut the connection at the deadline: a timeout of the socket begins anew with every byte."""
        if done.wait(self._timeout_s):
            return
        late.set()
        while True:  # again, for a connection that was only being made
            for connection in list(self._connections):
                if connection.sock is not None:
                    with suppress(OSError):
                        socket.shutdown(connection.sock, SHUT_RDWR)
            if done.wait(_REPEAT_S):
                return


def _body(response: requests.Response) -> bytes:
    found = bytearray()
    for chunk in response.raw.stream(_CHUNK, decode_content=False):
        found += chunk
        if len(found) > MAX_ANSWER_BYTES:
            raise NoAnswer(f"answered more than {MAX_ANSWER_BYTES // 2**20} MiB")
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
