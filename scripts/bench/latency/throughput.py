"""`python -m scripts.bench.latency.throughput`: how many intents a second go through, one after another.

Each is a whole tick: read, decide, journal, simulate, sign, journal, send, and mined at once, so that the next finds
it settled. Figures to build/bench/latency-throughput.json.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from keeper.app import build_keeper_for
from keeper.cli.localnet import write_settings
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.localnet.serve import ServeOptions, describe, dev_keys, serving
from scripts.bench.harness import machine, write
from scripts.bench.latency.contenders import ROOT
from scripts.bench.latency.ours import ALittleMore

_KEEPER = 6
_WARM = 10


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--intents", type=int, default=200)
    intents = parser.parse_args().intents
    options = ServeOptions(auto_mine=True, idle_usd=400_000, port=None)
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-throughput-") as name,
        serving(ROOT, options=options, progress=print) as served,
    ):
        here = Path(name)
        settings = load(
            write_settings(describe(served.world, served.deployment), here), {}
        ).settings
        ends: Counter[str] = Counter()
        with build_keeper_for(
            rpc_url=served.world.http_url,
            chain_id=settings.chain_id,
            vault=settings.vault,
            lens=settings.lens,
            strategy=ALittleMore(),
            policies=policies(settings, 6),
            journal_path=here / "journal.sqlite",
            private_key=dev_keys(_KEEPER + 1)[_KEEPER],
            rules=replace(tick_rules(settings, dry_run=False), max_head_ahead_s=10**6),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
        ) as keeper:
            keeper.verify()
            for _ in range(_WARM):
                keeper.tick(keeper.head())
            begun, spent = time.perf_counter(), time.process_time()
            for _ in range(intents):
                ends[str(keeper.tick(keeper.head()).status)] += 1
            wall, processor = time.perf_counter() - begun, time.process_time() - spent
    figures = {
        "machine": machine(),
        "ends": dict(ends),
        "sent_a_second": ends["sent"] / wall,
        "processor_ms_each": 1e3 * processor / intents,
    }
    print(
        f"{ends['sent']} of {intents} sent: {figures['sent_a_second']:.1f} a second, "
        f"{figures['processor_ms_each']:.1f} ms of processor each"
    )
    print(f"figures: {write('latency-throughput', figures).relative_to(ROOT)}")


if __name__ == "__main__":
    main()
