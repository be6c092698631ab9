"""Bar-steps a second of a sweep over hedging rules: the compiled kernel beside the full pipeline, in one run.

    python -m scripts.bench.sweep [--rounds 5] [--bars FILE] [--last 20000] [--rules 128] [--pipeline-bars 2000]

Both play the same rules on the same bars in one process, in turns; of each run its best round counts. The kernel's time
has everything a row needs: opening, run, ratios, digest, and the path that all rules share, computed anew in every
round. Before, each rule's decisions are compared on the pipeline's bars. JSON goes to build/bench/sweep.json.
"""

import argparse
import random
from collections.abc import Sequence
from math import exp
from pathlib import Path
from time import perf_counter, process_time

from keeper.backtest import BacktestSpec, default_policies, levered, run_backtest
from keeper.backtest.events import Event, PriceEvent
from keeper.backtest.files import Files, read_events
from keeper.backtest.venue_pool import price_of_tick_wad
from keeper.history.table import market_data
from keeper.model.ports import Strategy
from keeper.quant.uniswap_v3 import sqrt_price_at_tick
from keeper.sweep.kernel import path_of, run_kernel, why_not, why_not_on
from scripts.bench.harness import write
from strategies.delta_band import DeltaBand
from strategies.delta_hedge import DeltaHedge

HOURLY = "spot_binance_ETHUSDT_1h_2017-08_2023-12.csv.gz"
HOUR, START = 3_600, 1_600_000_000


def main() -> None:
    """Measure, print a table, write JSON."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--bars", type=Path)
    asked.add_argument("--last", type=int, default=20_000, help="so many of the newest bars")
    asked.add_argument("--rules", type=int, default=128)
    asked.add_argument("--pipeline-bars", type=int, default=2_000)
    options = asked.parse_args()
    events = _events(options.bars, options.last)
    spec, rules = _spec(events), _rules(options.rules)
    few = events[: options.pipeline_bars]
    trades, left = _compare(spec, few, rules)
    kernel, pipeline = _Best(), _Best()
    for _ in range(options.rounds):
        _kernel(kernel, spec, events, rules)
        _pipeline(pipeline, spec, few, rules[0])
    steps = len(events) * len(rules)
    best = {"kernel": steps / kernel.whole, "pipeline": len(few) / pipeline.whole}
    print(
        f"{len(events)} bars, {len(rules)} rules, decisions equal on {len(few)} bars: {trades} trades"
    )
    print(f"runs left to the pipeline there: {left}")
    processor = {
        "kernel": steps / kernel.whole_processor,
        "pipeline": len(few) / pipeline.whole_processor,
    }
    for name, rate in best.items():
        print(
            f"{name:10}{rate:14,.0f} bar-steps/s, each run at its best of {options.rounds} rounds;"
            f" {processor[name]:,.0f} a processor second"
        )
    print(f"ratio     {best['kernel'] / best['pipeline']:14,.0f}")
    found = {"best": best, "processor": processor, "seconds": kernel.seconds}
    write("sweep", {**found, "trades": trades, "left": left})


def _events(path: Path | None, last: int) -> list[Event]:
    try:
        source = path or market_data(HOURLY)
    except Exception as error:  # noqa: BLE001 - whatever keeps the data away, a walk is said and taken
        print(f"no market data ({error}); a seeded walk instead")
        return _walk(last)
    read = read_events(Files(source, max_missing=100, accept_no_volume=True))
    return list(read)[-last:]


def _walk(steps: int) -> list[Event]:
    draw, value = random.Random(1), 2_000.0  # noqa: S311 - a path, not a secret
    found: list[Event] = []
    for i in range(steps):
        found.append(PriceEvent(START + i * HOUR, round(value * 10**8) * 10**10, HOUR))
        value *= exp(draw.gauss(0.0, 0.005))
    return found


def _spec(events: Sequence[Event]) -> BacktestSpec:
    first = events[0]
    if not isinstance(first, PriceEvent):
        raise TypeError("the first event is no price")
    return levered(BacktestSpec(), 4.0, first.price_wad)


def _rules(count: int) -> list[Strategy]:
    """Bands from a twentieth of a token to ten, half of them by share of NAV."""
    rules: list[Strategy] = []
    for i in range(count):
        width = 0.05 * 200 ** (i / max(1, count - 1))
        target = 100.0 + 120 * i / max(1, count - 1)
        rules.append(
            DeltaBand(target, width) if i % 2 else DeltaHedge(target, least_band=width / 1_000)
        )
    return rules


class _Best:
    """The least time of each part over all rounds: what else the machine did then is left out."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def took(self, what: str, began: tuple[float, float]) -> None:
        """Since then."""
        for kept, now, then in zip((self.seconds, self.processor), _clocks(), began, strict=True):
            kept[what] = min(now - then, kept.get(what, now - then))

    @property
    def whole(self) -> float:
        """All parts."""
        return sum(self.seconds.values())

    @property
    def whole_processor(self) -> float:
        """The same in processor time, which other work on the cores does not take."""
        return sum(self.processor.values())


def _clocks() -> tuple[float, float]:
    return perf_counter(), process_time()


def _kernel(
    best: _Best, spec: BacktestSpec, events: Sequence[Event], rules: Sequence[Strategy]
) -> None:
    policies = default_policies(connected=spec.venues)
    price_of_tick_wad.cache_clear()
    sqrt_price_at_tick.cache_clear()
    began = _clocks()
    path = path_of(spec, events)
    best.took("path", began)
    for place, rule in enumerate(rules):
        began = _clocks()
        run = run_kernel(spec, path, rule, policies)
        best.took(f"rule {place}", began)
        if run.left:
            raise RuntimeError(f"{rule} is left at {run.left}")


def _pipeline(best: _Best, spec: BacktestSpec, events: Sequence[Event], rule: Strategy) -> None:
    began = _clocks()
    run_backtest(spec, iter(events), rule, default_policies(connected=spec.venues))
    best.took("rule 0", began)


def _compare(
    spec: BacktestSpec, events: Sequence[Event], rules: Sequence[Strategy]
) -> tuple[int, int]:
    """(trades, runs that the kernel left): decisions of eight rules, to the last unit."""
    policies = default_policies(connected=spec.venues)
    trades = left = 0
    path = path_of(spec, events)
    for rule in rules[:: max(1, len(rules) // 8)]:
        why = why_not(rule, spec, policies) or why_not_on(events)
        if why:
            raise RuntimeError(why)
        run = run_kernel(spec, path, rule, policies)
        if run.left:
            left += 1
            continue
        result = run_backtest(spec, iter(events), rule, policies)
        base = spec.base.address
        decided = [
            (d.time, tuple((int(m.kind), m.token == base, m.amount, m.limit) for m in d.plan.moves))
            for d in result.decisions
        ]
        if run.decisions != decided:
            raise RuntimeError(f"the kernel decides otherwise than the pipeline: {rule}")
        trades += sum(bool(moves) for _, moves in decided)
    return trades, left


if __name__ == "__main__":
    main()
