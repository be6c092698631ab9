"""`python -m scripts.bench.latency.growth`: one process, 1, 10 and 100 vaults: requests and processor time a block.

Every vault is a contract of its own and passes through the whole keeper (keeper.app.Keeper): followed, read together
with the others, risk, strategy, planning, guard, journal. Nothing is due: no vault but the first has a position.
Calls are counted at the wire, each call of a batch by itself. Figures to build/bench/latency-growth.json.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from keeper.app import VaultTerms, build_keeper_of
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool
from keeper.chain.source import Call
from keeper.cli.localnet import write_settings
from keeper.config.load import load
from keeper.config.policies import policies, tick_rules
from keeper.config.settings import Settings
from keeper.config.strategy import load_strategy
from keeper.execution.signers import from_private_key
from keeper.localnet.rpc import rpc
from keeper.localnet.serve import Served, ServeOptions, describe, dev_keys, serving
from keeper.localnet.vaults import deploy_vault
from keeper.loop import TickRules
from scripts.bench.harness import machine, write
from scripts.bench.latency.contenders import ROOT

SIZES = (1, 10, 100)


class Counted(Endpoint):
    """Counts what is asked of it."""

    requests = calls = 0

    def call(self, method: str, params: list[Any], *, urgent: bool = False) -> Any:
        """As Endpoint."""
        self.requests += 1
        self.calls += 1
        return super().call(method, params, urgent=urgent)

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """As Endpoint."""
        self.requests += 1
        self.calls += len(calls)
        return super().batch(calls)

    def begin(self, calls: Sequence[Call]) -> Callable[[], list[Any]] | None:
        """As Endpoint."""
        found = super().begin(calls)
        if found is not None:
            self.requests += 1
            self.calls += len(calls)
        return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="for each size")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of vaults")
    options = parser.parse_args()
    blocks = options.blocks
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    figures: dict[str, Any] = {"machine": machine(), "blocks": blocks, "sizes": {}}
    with (
        tempfile.TemporaryDirectory(prefix="gimbal-growth-") as name,
        serving(ROOT, options=ServeOptions(port=None), progress=print) as served,
    ):
        here = Path(name)
        settings = load(
            write_settings(describe(served.world, served.deployment), here), {}
        ).settings
        vaults = [settings.vault]
        for size in options.sizes:
            vaults += [another(served) for _ in range(size - len(vaults))]
            figures["sizes"][size] = measured(served, settings, vaults, here, blocks)
    print(
        f"\n{'vaults':>6} {'requests':>9} {'calls':>7} {'calls/vault':>12} {'cpu ms':>8} {'wall ms':>8}  a block"
    )
    for size, row in figures["sizes"].items():
        print(
            f"{size:6} {row['requests']:9.2f} {row['calls']:7.1f} {row['calls'] / size:12.2f} "
            f"{row['processor_ms']:8.1f} {row['wall_ms']:8.1f}"
        )
    print(f"figures: {write('latency-growth', figures).relative_to(ROOT)}")


def another(served: Served) -> str:
    """A vault more, with the same lens."""
    world, first = served.world, served.deployment
    return deploy_vault(world, keepers=[world.accounts.keeper], lens=first.lens).vault


def measured(
    served: Served, settings: Settings, vaults: list[str], folder: Path, blocks: int
) -> dict[str, float]:
    """Means over some blocks, and the median of the processor's time."""
    endpoint = Counted(served.world.http_url)
    found, rules = policies(settings, 6), patient(settings)
    strategy = load_strategy(settings.strategy.name, settings.strategy.parameters)
    account = served.world.accounts.keeper
    kept = [
        VaultTerms(
            vault=vault,
            lens=settings.lens,
            account=account,
            strategy=strategy,
            policies=found,
            rules=rules,
            name=f"vault-{number}",
            signer=from_private_key(dev_keys(7)[6], "development key"),
        )
        for number, vault in enumerate(vaults)
    ]
    processor, wall = [], []
    with build_keeper_of(
        kept,
        pool=EndpointPool([endpoint]),
        chain_id=settings.chain_id,
        journal_path=folder / f"{len(vaults)}.sqlite",
        clock=time.time,
    ) as keeper:
        for turn in range(blocks + 1):
            rpc(served.world.w3, "evm_mine")
            if turn == 1:  # after one unmeasured
                endpoint.requests = endpoint.calls = 0
            begun, spent = time.perf_counter(), time.process_time()
            keeper.tick()
            if turn:
                wall.append(1e3 * (time.perf_counter() - begun))
                processor.append(1e3 * (time.process_time() - spent))
    return {
        "requests": endpoint.requests / blocks,
        "calls": endpoint.calls / blocks,
        "processor_ms": statistics.median(processor),
        "wall_ms": statistics.median(wall),
        "least_processor_ms": min(processor),
    }


def patient(settings: Settings) -> TickRules:
    """The rules of a live run; deploying vaults moves the chain's clock ahead."""
    rules = tick_rules(settings, dry_run=False)
    return replace(rules, max_head_ahead_s=10**6, max_head_age_s=10**6)


if __name__ == "__main__":
    main()
