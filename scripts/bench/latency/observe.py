"""What an onlooker sees of a node: when each head came, and when each transaction came into its pool."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


@dataclass
class Seen:
    """Monotonic seconds: of heads by number, of pool entries by hash."""

    heads: dict[int, float] = field(default_factory=dict)
    pool: dict[str, float] = field(default_factory=dict)
    blocks: dict[int, str] = field(default_factory=dict)


class Onlooker:
    """Listens to heads and to the pool, one connection each, until closed."""

    def __init__(self, ws_url: str) -> None:
        self.seen = Seen()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._listen, args=(ws_url, what, take), daemon=True)
            for what, take in (("newHeads", self._head), ("newPendingTransactions", self._entry))
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._closing.set()
        for thread in self._threads:
            thread.join(5)

    def _listen(self, url: str, what: str, take: Any) -> None:
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": [what]}
        with connect(url, proxy=None) as socket:
            socket.send(json.dumps(request))
            socket.recv()
            while not self._closing.is_set():
                try:
                    message = socket.recv(timeout=0.5)
                except TimeoutError:
                    continue
                except ConnectionClosed:
                    return
                now = time.monotonic()
                take(json.loads(message)["params"]["result"], now)

    def _head(self, header: dict[str, Any], now: float) -> None:
        number = int(header["number"], 16)
        self.seen.heads[number] = now
        self.seen.blocks[number] = header["hash"]

    def _entry(self, tx_hash: str, now: float) -> None:
        self.seen.pool.setdefault(tx_hash, now)
