"""What is written down while a backtest runs: one row a step, and every transaction, order and refusal."""

from array import array
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from keeper.backtest.ends import Landed
from keeper.backtest.world import World
from keeper.loop import TickRecord
from keeper.model.decision import Order
from keeper.model.outcome import TickStatus
from keeper.model.units import INFINITE_HEALTH, WAD, ten_to

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STATUSES = tuple(TickStatus)
_INFINITE = float("inf")
_PLACES = {status: place for place, status in enumerate(STATUSES)}
COLUMNS: tuple[tuple[str, str], ...] = (
    ("time", "unix seconds of the step"),
    ("market", "market price, assets per whole base"),
    ("oracle", "oracle price, assets per whole base"),
    ("nav", "NAV at the oracle price, assets"),
    ("share", "NAV of one share, assets; fees of the depositors are taken out"),
    ("gas", "gas spent so far, assets at the price of each transaction"),
    ("flows", "deposits less redemptions settled so far, assets"),
    ("health", "collateral x threshold / debt; inf without debt"),
    ("delta", "net delta of everything, whole base"),
    ("gamma", "of all options, whole base per asset of price"),
    ("vega", "of all options, assets per volatility of 1.00"),
    ("theta", "of all options, assets a year"),
    ("vanna", "of all options, whole base per volatility of 1.00"),
    ("volga", "of all options, assets per volatility of 1.00 squared"),
    ("supplied", "collateral at the lending venue, assets"),
    ("debt", "owed there, assets"),
    ("liability", "owed on options sold, mid marks, assets"),
    ("elsewhere", "equity at the perpetual venue and options bought, assets"),
    ("perpetual", "position at the perpetual venue, whole base"),
    ("base_fee", "gwei"),
    ("status", "of the newest tick: place in held, skipped, refused, dry, pending, sent, failed"),
)
"""Columns of the step table: all float64 but `time` and `status`, which are int64."""


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order at another venue, and why it was refused, if it was."""

    time: int
    order: Order
    refused: str
    price_wad: int


@dataclass(slots=True)
class Recorder:
    """Rows and lists that grow."""

    world: World
    rows: "array[float]" = field(default_factory=lambda: array("d"))
    """Row after row."""
    orders: list[OrderRecord] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    last_held: str = ""
    """Why, in the newest tick that held."""
    ticks: int = 0
    gas_cost: int = 0
    _status: int = 0

    def ticked(self, record: TickRecord) -> None:
        """One tick of the keeper."""
        self.ticks += 1
        outcome = record.outcome
        self._status = _PLACES[outcome.status]
        self.statuses[outcome.status] = self.statuses.get(outcome.status, 0) + 1
        if record.verdict is not None:
            for refusal in record.verdict.refusals:
                self.refusals[refusal.rule] = self.refusals.get(refusal.rule, 0) + 1
        if outcome.status is TickStatus.HELD:
            self.last_held = outcome.reason
        if outcome.status is TickStatus.FAILED:
            self.failed(outcome.reason)

    def failed(self, reason: str) -> None:
        """A simulation reverted; counted by the name of the contract's error."""
        why = reason.removeprefix("simulation reverted: ").split("(")[0]
        self.failures[why] = self.failures.get(why, 0) + 1

    def landed(self, done: Landed) -> None:
        """A transaction is in."""
        self.gas_cost += done.gas_cost

    def ordered(self, order: Order, refused: str) -> None:
        """An order was made, or refused."""
        self.orders.append(OrderRecord(self.world.time, order, refused, self.world.market_wad))

    def step(self) -> None:
        """The row of this step."""
        w = self.world
        asset, base = ten_to(w.spec.asset.decimals), ten_to(w.spec.base.decimals)
        a, b, desk, price = w.lending.asset, w.lending.base, w.desk, w.oracle.price_wad
        nav, greeks = w.ledger.nav, desk.greeks  # the books were checked against NAV just now
        shares, perpetual, health = w.shares, w.perpetual, _INFINITE
        supplied, debt = a.supplied, a.debt
        if debt or b.debt:
            wad = w.lending.account(*w.oracle.answers).health_wad
            health = _INFINITE if wad >= INFINITE_HEALTH else wad / WAD
            debt += b.debt * price // w.scale
        if b.supplied:
            supplied += b.supplied * price // w.scale
        linear = w.idle_base + b.supplied + desk.collateral_base - b.debt + perpetual.quantity
        elsewhere = perpetual.equity if perpetual.quantity else perpetual.margin
        self.rows.extend(
            (
                w.time,
                w.market_wad / WAD,
                price / WAD,
                nav / asset,
                shares.per_share(nav) / asset,
                self.gas_cost / asset,
                (shares.paid_in - shares.paid_out) / asset,
                health,
                linear / base + greeks.delta,
                greeks.gamma,
                greeks.vega,
                greeks.theta,
                greeks.vanna,
                greeks.volga,
                supplied / asset,
                debt / asset,
                desk.liability_mid / asset,
                (elsewhere + desk.bought_value) / asset,
                perpetual.quantity / base,
                w.base_fee_wei / 10**9,
                self._status,
            )
        )

    def table(self) -> dict[str, Floats | Ints]:
        """Arrays (steps,) by column."""
        rows = np.array(self.rows, dtype=np.float64).reshape(-1, len(COLUMNS))
        found: dict[str, Floats | Ints] = {}
        for place, (name, _) in enumerate(COLUMNS):
            column = rows[:, place].copy()
            found[name] = column.astype(np.int64) if name in ("time", "status") else column
        return found
