"""`python -m scripts.bench.latency.stages`: where the time between a head and its transaction goes, stage by stage.

The keeper of the latency bench in this process, on a node that mines when told. Each stage is timed from the head's
message on: wall time and its thread's processor time, of which the least is nearest to an idle machine. Beside it what
the node alone takes for the same questions: the part no keeper can save. Figures to build/bench/latency-stages.json.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import structlog

from keeper import abi, loop
from keeper.app import build_heads, build_keeper_for
from keeper.app.ahead import AheadJournal, SettledReader
from keeper.chain.decode import SnapshotCodec
from keeper.chain.fleet import Fleet
from keeper.chain.plain import PlainLine
from keeper.chain.reader import LensReader
from keeper.chain.subscription import Subscription
from keeper.cli.localnet import write_settings
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.execution.executor import TransactionExecutor
from keeper.execution.lanes import Lanes
from keeper.execution.outbox import Outbox
from keeper.execution.rehearsal import Rehearser
from keeper.execution.signers.local import LocalSigner
from keeper.journal.attempts import AttemptsBook
from keeper.localnet.rpc import rpc
from keeper.localnet.serve import Served, ServeOptions, describe, dev_keys, serving
from scripts.bench.harness import machine, write
from scripts.bench.latency.contenders import ROOT
from scripts.bench.latency.ours import ALittleMore

_KEEPER = 6
"""Development account that sends."""
_PAUSE_S = 0.15
STAGES: tuple[tuple[Any, str, str], ...] = (
    (Fleet, "begin", "lens asked"),
    (Lanes, "follow", "what is in flight followed"),
    (SettledReader, "read", "lens waited for and decoded"),
    (LensReader, "readings", ". decoded"),
    (loop, "build_market", "market state"),
    (loop, "assess", "risk"),
    (loop, "make_plan", "plan"),
    (loop, "_verdict", "verdict"),
    (loop, "make_intent", "intent"),
    (AheadJournal, "record_decision", "decision journalled"),
    (Rehearser, "begin", ". simulation asked"),
    (Rehearser, "rehearse", "simulation waited for"),
    (TransactionExecutor, "_sign", "fees, nonce, signature"),
    (LocalSigner, "sign", ". signature"),
    (AttemptsBook, "record_attempt", "attempt journalled"),
    (Outbox, "send", "broadcast"),
)


@dataclass(frozen=True)
class Span:
    """One stage of one tick; nanoseconds."""

    began: int
    ended: int
    processor: int


class Stopwatch:
    """Stands around the stages; spans of the present tick, from the message of its head on."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = defaultdict(list)
        self.head_ns = 0

    def clear(self) -> None:
        """A new tick."""
        self.spans.clear()

    def around(self, what: Callable[..., Any], label: str) -> Callable[..., Any]:
        """The same, timed."""

        @functools.wraps(what)
        def timed(*args: Any, **named: Any) -> Any:
            began, processor = time.perf_counter_ns(), time.thread_time_ns()
            try:
                return what(*args, **named)
            finally:
                took = time.thread_time_ns() - processor
                self.spans[label].append(Span(began, time.perf_counter_ns(), took))

        return timed

    @contextmanager
    def running(self) -> Iterator[None]:
        """With every stage timed."""
        take = Subscription._take

        def heard(feed: Subscription, message: str | bytes) -> None:
            self.head_ns = time.perf_counter_ns()
            take(feed, message)

        patches = [patch.object(Subscription, "_take", heard)]
        patches += [
            patch.object(owner, name, self.around(getattr(owner, name), label))
            for owner, name, label in STAGES
        ]
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in patches:
                one.stop()


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=60)
    heads = parser.parse_args().heads
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    options = ServeOptions(auto_mine=False, idle_usd=400_000, port=None)
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-stages-") as name,
        serving(ROOT, options=options, progress=print) as served,
    ):
        ticks = measured(served, Path(name), heads)
        node = node_alone(served)
    show(ticks, node)


def measured(served: Served, folder: Path, heads: int) -> list[dict[str, tuple[float, ...]]]:
    """Of every tick that sent: by stage its start and end after the head, and what it took, ms."""
    settings = load(write_settings(describe(served.world, served.deployment), folder), {}).settings
    watch, done, ticks = Stopwatch(), threading.Event(), []
    stop = threading.Event()
    with (
        watch.running(),
        build_keeper_for(
            rpc_url=served.world.http_url,
            chain_id=settings.chain_id,
            vault=settings.vault,
            lens=settings.lens,
            strategy=ALittleMore(),
            policies=policies(settings, 6),
            journal_path=folder / "journal.sqlite",
            private_key=dev_keys(10)[_KEEPER],
            rules=tick_rules(settings, dry_run=False),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
        ) as keeper,
    ):
        keeper.verify()
        feed = build_heads(settings, keeper)
        feed.next()
        thread = threading.Thread(
            target=keeper.run, args=(feed, stop, None, lambda _: done.set()), daemon=True
        )
        thread.start()
        for turn in range(heads + 5):
            time.sleep(_PAUSE_S)
            done.clear()
            watch.clear()
            rpc(served.world.w3, "evm_mine")
            if done.wait(10) and turn >= 5 and watch.spans["broadcast"]:
                ticks.append(_after(watch.head_ns, watch.spans))
        stop.set()
        rpc(served.world.w3, "evm_mine")  # it waits for what it sent
        thread.join(30)
        feed.close()
    return ticks


def _after(head_ns: int, spans: dict[str, list[Span]]) -> dict[str, tuple[float, ...]]:
    return {
        label: (
            (min(s.began for s in found) - head_ns) / 1e6,
            (max(s.ended for s in found) - head_ns) / 1e6,
            sum(s.ended - s.began for s in found) / 1e6,
            sum(s.processor for s in found) / 1e6,
        )
        for label, found in spans.items()
        if found
    }


def node_alone(served: Served, times: int = 50) -> dict[str, float]:
    """Least milliseconds of the node's own answers, to a client that does nothing else."""
    world, vault = served.world, served.deployment.vault
    line = PlainLine(world.http_url)
    lens = SnapshotCodec(abi.load("VaultLens")).call_data(vault, world.accounts.keeper)
    block: Any = world.w3.eth.get_block("latest", full_transactions=True)
    at = {"blockHash": "0x" + bytes(block["parentHash"]).hex()}
    asks: dict[str, tuple[str, list[Any]]] = {
        "nothing (eth_blockNumber)": ("eth_blockNumber", []),
        "lens": ("eth_call", [{"to": served.deployment.lens, "data": lens}, at]),
    }
    for sent in block["transactions"][:1]:
        call = {"from": sent["from"], "to": sent["to"], "data": "0x" + bytes(sent["input"]).hex()}
        asks["simulation"] = ("eth_call", [{**call, "gas": hex(sent["gas"])}, at])
    found = {}
    for label, (method, params) in asks.items():
        body = _body(method, params)
        took = []
        for _ in range(times):
            began = time.perf_counter_ns()
            line.ask(body, 10.0)
            took.append((time.perf_counter_ns() - began) / 1e6)
        found[label] = min(took)
    line.close()
    return found


def _body(method: str, params: list[Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()


def show(ticks: list[dict[str, tuple[float, ...]]], node: dict[str, float]) -> None:
    """The table and the file."""
    if not ticks:
        raise SystemExit("nothing was sent: the log says why")
    rows = {}
    print(
        f"\n{'after the head, ms':32} {'from':>7} {'to':>7} {'least':>7} {'median':>7} {'cpu':>6}"
    )
    for label in (label for _, _, label in STAGES):
        seen = [tick[label] for tick in ticks if label in tick]
        if not seen:
            continue
        start, end, took, processor = zip(*seen, strict=True)
        rows[label] = row = {
            "from_ms": statistics.median(start),
            "to_ms": statistics.median(end),
            "least_ms": min(took),
            "median_ms": statistics.median(took),
            "processor_least_ms": min(processor),
        }
        print(f"{label:32} " + " ".join(f"{value:7.2f}" for value in row.values()))
    sent = [tick["broadcast"][1] for tick in ticks]
    print(
        f"\nhead to answer of the pool: least {min(sent):.2f}, median {statistics.median(sent):.2f}"
    )
    print("the node alone, least: " + ", ".join(f"{n} {ms:.2f}" for n, ms in node.items()))
    figures = {"machine": machine(), "ticks": len(ticks), "stages": rows, "node_alone_ms": node}
    figures["head_to_pool_ms"] = {"least": min(sent), "median": statistics.median(sent)}
    print(f"figures: {write('latency-stages', figures).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
