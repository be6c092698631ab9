"""What a backtest gives back: arrays, lists of trades, exact books, and a digest that says whether two runs are one."""

import hashlib
from dataclasses import asdict, dataclass

import numpy as np

from keeper.backtest.attribution import Attribution, attribute
from keeper.backtest.ends import Decision, Landed, MemoryJournal, SimulatedExecutor
from keeper.backtest.ledger import Entry
from keeper.backtest.option_parts import Fill
from keeper.backtest.record import Floats, Ints, OrderRecord, Recorder
from keeper.backtest.split import SplitLedger, StrategySplit, split
from keeper.backtest.statistics import Statistics, drawdowns, statistics
from keeper.backtest.vault import SwapRecord
from keeper.backtest.world import Liquidated, World
from keeper.model.units import WAD


@dataclass(frozen=True)
class BacktestResult:
    """One run."""

    name: str
    asset_decimals: int
    base_decimals: int
    steps: dict[str, Floats | Ints]
    """Arrays (steps,) by column of `keeper.backtest.record.COLUMNS`."""
    equity: Floats
    """(steps,) value of a share after gas, assets: what all ratios are of."""
    drawdown: Floats
    """(steps,) of it, as fractions."""
    statistics: Statistics
    attribution: Attribution
    entries: tuple[Entry, ...]
    transactions: tuple[Landed, ...]
    swaps: tuple[SwapRecord, ...]
    fills: tuple[Fill, ...]
    """Of options."""
    orders: tuple[OrderRecord, ...]
    liquidations: tuple[Liquidated, ...]
    decisions: tuple[Decision, ...]
    ticks: int
    statuses: dict[str, int]
    refusals: dict[str, int]
    failures: dict[str, int]
    last_held: str = ""
    """Why the vault was left alone, in the newest tick that held."""

    @property
    def turnover(self) -> float:
        """Value sold in swaps and traded at venues a year, over mean NAV."""
        unit = 10**self.asset_decimals
        sold = sum(s.value for s in self.swaps) / unit
        sold += sum(
            abs(o.order.quantity) * o.price_wad / WAD / 10**self.base_decimals
            for o in self.orders
            if not o.refused
        )
        times, nav = self.steps["time"], self.steps["nav"]
        years = float(times[-1] - times[0]) / (365 * 86_400)
        mean = float(np.mean(nav))
        return sold / mean / years if years > 0 and mean > 0 else 0.0

    @property
    def digest(self) -> str:
        """sha256 of every step, entry, transaction and decision: equal for equal runs."""
        found = hashlib.sha256()
        for name, values in self.steps.items():
            found.update(name.encode())
            found.update(np.ascontiguousarray(values).tobytes())
        for part in (self.entries, self.transactions, self.decisions, self.orders, self.fills):
            found.update(repr(part).encode())
        return found.hexdigest()

    def summary(self) -> dict[str, object]:
        """Everything but arrays and lists, in whole assets, for JSON."""
        unit, steps = 10**self.asset_decimals, self.steps
        a = self.attribution
        return {
            "strategy": self.name,
            "from": int(steps["time"][0]),
            "to": int(steps["time"][-1]),
            "steps": int(steps["time"].size),
            "ticks": self.ticks,
            "opening_nav": a.opening / unit,
            "closing_nav": a.closing / unit,
            "flows": a.flows / unit,
            "gas": a.gas / unit,
            "statistics": asdict(self.statistics),
            "turnover": self.turnover,
            "transactions": len(self.transactions),
            "reverted": sum(bool(t.reverted) for t in self.transactions),
            "swaps": len(self.swaps),
            "orders": sum(not o.refused for o in self.orders),
            "option_fills": len(self.fills),
            "liquidations": len(self.liquidations),
            "liquidation_loss": sum(done.loss for done in self.liquidations) / unit,
            "lowest_health": _finite(float(np.min(steps["health"]))),
            "attribution": {
                "exact": a.exact,
                "by_cause": {cause: amount / unit for cause, amount in a.by_cause.items()},
                "by_venue": {venue: amount / unit for venue, amount in a.by_venue.items()},
                "by_epoch": {
                    str(epoch): {cause: amount / unit for cause, amount in causes.items()}
                    for epoch, causes in a.by_epoch.items()
                },
                "parts": {part: amount / unit for part, amount in a.parts.items()},
                "by_strategy": {
                    who: {cause: amount / unit for cause, amount in causes.items()}
                    | {"gas": -a.gas_by_strategy.get(who, 0) / unit}
                    for who, causes in a.by_strategy.items()
                },
            },
            "ticks_by_status": self.statuses,
            "refusals": self.refusals,
            "failures": self.failures,
            "orders_refused": sum(bool(o.refused) for o in self.orders),
            "digest": self.digest,
        }


def result_of(
    name: str,
    world: World,
    recorder: Recorder,
    executor: SimulatedExecutor,
    journal: MemoryJournal,
    *,
    claims: tuple[tuple[str, str], ...] = (),
) -> BacktestResult:
    """From what a run left. claims: of the parts of a composite, by which its books are split."""
    steps = recorder.table()
    equity = after_gas(*(np.asarray(steps[name], np.float64) for name in ("share", "nav", "gas")))
    times = np.asarray(steps["time"], dtype=np.int64)
    price = np.asarray(steps["market"], dtype=np.float64)
    closing = world.nav()
    swaps = tuple(s for t in executor.landed if t.effect for s in t.effect.swaps)
    return BacktestResult(
        name=name,
        asset_decimals=world.spec.asset.decimals,
        base_decimals=world.spec.base.decimals,
        steps=steps,
        equity=equity,
        drawdown=drawdowns(equity),
        statistics=statistics(times, equity, price),
        attribution=attribute(
            name,
            world.ledger,
            closing,
            recorder.gas_cost,
            world.desk.explained,
            parts_of=_split(world, executor, journal, claims),
        ),
        entries=tuple(world.ledger.entries),
        transactions=tuple(executor.landed),
        swaps=swaps,
        fills=tuple(world.desk.fills),
        orders=tuple(recorder.orders),
        liquidations=tuple(world.liquidations),
        decisions=tuple(journal.decisions),
        ticks=recorder.ticks,
        statuses=recorder.statuses,
        refusals=recorder.refusals,
        failures=recorder.failures,
        last_held=recorder.last_held,
    )


def _split(
    world: World,
    executor: SimulatedExecutor,
    journal: MemoryJournal,
    claims: tuple[tuple[str, str], ...],
) -> StrategySplit | None:
    if not isinstance(world.ledger, SplitLedger):
        return None
    units = (10**world.spec.asset.decimals, 10**world.spec.base.decimals)
    decisions = journal.decisions
    return split(world.ledger, claims, executor.landed, decisions, scale=world.scale, units=units)


def after_gas(share: Floats, nav: Floats, gas: Floats) -> Floats:
    """(n,) the share's value if it bore the gas: each step's gas, as a part of NAV then, is taken from what is left.

    Not the sum of all gas: what was paid while much was there would count as more than is there now.
    """
    spent = np.diff(gas, prepend=0.0)
    part = np.where(nav > 0, spent / np.where(nav > 0, nav, 1.0), np.where(spent > 0, 1.0, 0.0))
    return np.asarray(share * np.cumprod(1.0 - np.minimum(part, 1.0)))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
