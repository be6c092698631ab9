"""`python -m scripts.bench.latency`: who has a transaction in the pool how soon after a head.

One node with blocks of a second; an onlooker notes when each head and each transaction of the pool came. Heads go round
the contenders, so each acts alone and under the same conditions. Figures to build/bench/latency.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from keeper.cli.localnet import write_settings
from keeper.localnet.serve import ServeOptions, describe, dev_keys, serving
from scripts.bench.harness import machine, write
from scripts.bench.latency.contenders import ROOT, Contender, Usage, module, silverback, started
from scripts.bench.latency.observe import Onlooker
from scripts.bench.latency.turns import Task

BARE, PEER, OURS = "web3.py sign and send", "silverback, empty handler", "keeper, whole pipeline"
TARGETS = {"p50": 3.0, "p95": 4.0}
_KEEPER, _BARE, _PEER = 6, 9, 7
"""Development accounts that send."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--heads", type=int, default=300, help="for each contender")
    heads = parser.parse_args().heads
    options = ServeOptions(auto_mine=False, block_time_s=1.0, idle_usd=400_000, port=None)
    folder = tempfile.TemporaryDirectory(prefix="gimbal-latency-")
    with (
        folder as name,
        serving(ROOT, options=options, progress=print) as served,
        ExitStack() as stack,
    ):
        here = Path(name)
        settings = write_settings(describe(served.world, served.deployment), here)
        node = (served.world.http_url, served.world.ws_url)
        keys = dev_keys(10)
        accounts = served.world.accounts
        extra = {"settings": str(settings), "journal": str(here / "journal.sqlite")}
        plans: list[tuple[str, list[str], int, str, dict[str, str]]] = [
            (BARE, module("bare"), _BARE, accounts.developer, {}),
            (PEER, silverback(here, node[0]), _PEER, accounts.vault_owner, {"index": str(_PEER)}),
            (OURS, module("ours"), _KEEPER, accounts.keeper, extra),
        ]
        contenders = [
            stack.enter_context(
                started(
                    label,
                    command,
                    Task(*node, keys[index], turn, len(plans), more),
                    account=account,
                    folder=here,
                )
            )
            for turn, (label, command, index, account, more) in enumerate(plans)
        ]
        print(
            f"{len(contenders)} contenders are ready; {heads} heads each, about {3 * heads} s",
            flush=True,
        )
        onlooker = Onlooker(node[1])
        usage = watch(onlooker, contenders, heads)
        waits = waits_of(served.world, onlooker, contenders)
        onlooker.close()
        show(waits, usage, heads)


def watch(
    onlooker: Onlooker, contenders: list[Contender], heads: int
) -> dict[str, tuple[Usage, Usage]]:
    """Let the heads pass; what each contender took before and after."""
    while len(onlooker.seen.heads) < len(contenders):
        time.sleep(0.2)
    before = {c.name: c.usage() for c in contenders}
    last = max(onlooker.seen.heads) + len(contenders) * heads
    while max(onlooker.seen.heads) < last:
        time.sleep(0.5)
        for contender in contenders:
            if contender.process.poll() is not None:
                raise SystemExit(f"{contender.name} ended during the measurement")
    return {c.name: (before[c.name], c.usage()) for c in contenders}


def waits_of(
    world: Any, onlooker: Onlooker, contenders: list[Contender]
) -> dict[str, list[float | None]]:
    """Milliseconds from head to pool at every head of each contender's turns; None where nothing came."""
    seen = onlooker.seen
    sent: dict[str, str] = {}
    for number in sorted(seen.heads):
        for transaction in world.w3.eth.get_block(number, full_transactions=True)["transactions"]:
            sent["0x" + bytes(transaction["hash"]).hex()] = transaction["from"]
    waits: dict[str, list[float | None]] = {c.name: [] for c in contenders}
    by_account = {
        c.account: sorted(t for h, t in seen.pool.items() if sent.get(h) == c.account)
        for c in contenders
    }
    for number in sorted(seen.heads)[3:-3]:
        for contender in contenders:
            if number % len(contenders) == contender.turn:
                begun = seen.heads[number]
                after = [
                    t for t in by_account[contender.account] if begun - 0.05 <= t < begun + 2.5
                ]
                waits[contender.name].append(1e3 * (after[0] - begun) if after else None)
    return waits


def show(
    waits: dict[str, list[float | None]], usage: dict[str, tuple[Usage, Usage]], heads: int
) -> None:
    """The table, the targets, and the file."""
    figures: dict[str, Any] = {"machine": machine(), "heads_each": heads, "contenders": {}}
    print(
        f"\n{'head -> pool':28} {'sent':>9} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'memory':>9} {'cpu/head':>9}"
    )
    for name, found in waits.items():
        times = [t for t in found if t is not None]
        p50, p95, p99 = (float(np.percentile(times, q)) for q in (50, 95, 99))
        before, after = usage[name]
        each = 1e3 * (after.processor_s - before.processor_s) / (len(waits) * heads)
        figures["contenders"][name] = {
            "heads": len(found),
            "sent": len(times),
            "p50_ms": p50,
            "p95_ms": p95,
            "p99_ms": p99,
            "memory_mib": after.memory_mib,
            "processor_ms_a_head": each,
            "waits_ms": found,
        }
        print(
            f"{name:28} {len(times):4}/{len(found):<4} {p50:8.1f} {p95:8.1f} {p99:8.1f} "
            f"{after.memory_mib:6.0f} MiB {each:6.1f} ms"
        )
    bare, peer, ours = (figures["contenders"][n] for n in (BARE, PEER, OURS))
    ratios = {
        "p50_over_bare": ours["p50_ms"] / bare["p50_ms"],
        "p95_over_bare": ours["p95_ms"] / bare["p95_ms"],
        "silverback_over_ours": peer["p50_ms"] / ours["p50_ms"],
    }
    figures["ratios"] = ratios
    print(
        f"\nover bare: p50 {ratios['p50_over_bare']:.2f} (aim: 3 at most), p95 {ratios['p95_over_bare']:.2f} "
        f"(4 at most); faster than silverback {ratios['silverback_over_ours']:.1f} times (5 at least)"
    )
    print(f"figures: {write('latency', figures).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
