"""A backtest as a tear sheet."""

from collections.abc import Sequence

import numpy as np

from keeper.backtest.ends import Landed
from keeper.backtest.result import BacktestResult
from keeper.backtest.split import SHARED
from keeper.model.decision import Lane
from keeper.model.units import WAD
from keeper.report.tearsheet import TearSheet, Trade

_GREEKS = (
    ("delta", "{base}"),
    ("gamma", "{base} per {asset}"),
    ("vega", "{asset}"),
    ("theta", "{asset} a year"),
)


def sheet_of(
    result: BacktestResult,
    *,
    names: tuple[str, str] = ("USDC", "ETH"),
    band: tuple[float, float] | None = None,
    notes: Sequence[str] = (),
    command: str = "",
) -> TearSheet:
    """`names`: of asset and base. `band`: health between which the strategy leaves the vault alone."""
    asset, base = names
    steps, unit = result.steps, 10**result.asset_decimals
    return TearSheet(
        title=f"{result.name} on {base}",
        asset=asset,
        base=base,
        times=np.asarray(steps["time"], dtype=np.int64),
        equity=result.equity,
        nav=_floats(result, "nav"),
        price=_floats(result, "market"),
        health=_floats(result, "health"),
        band=band,
        greeks=tuple(
            (f"{name} [{measure.format(asset=asset, base=base)}]", _floats(result, name))
            for name, measure in _GREEKS
        ),
        trades=_trades(result),
        parts=tuple((part, amount / unit) for part, amount in result.attribution.parts.items()),
        turnover=result.turnover,
        facts=_facts(result),
        notes=tuple(notes),
        command=command,
    )


def _floats(result: BacktestResult, name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(result.steps[name], dtype=np.float64)


def _trades(result: BacktestResult) -> tuple[Trade, ...]:
    """Swaps of the vault and orders at perpetual venues, in the order of time."""
    asset, base = 10**result.asset_decimals, 10**result.base_decimals
    found = [trade for done in result.transactions for trade in _swaps(done, asset, base)]
    times, prices = result.steps["time"], result.steps["market"]
    for made in result.orders:
        if made.refused or made.order.instrument != "perpetual":
            continue
        place = min(int(np.searchsorted(times, made.time)), times.size - 1)
        price = made.price_wad / WAD or float(prices[place])
        found.append(Trade(made.time, price, made.order.quantity / base, 0.0))
    return tuple(sorted(found, key=lambda trade: trade.time))


def _swaps(done: Landed, asset: int, base: int) -> list[Trade]:
    if done.effect is None:
        return []
    swaps = done.effect.swaps
    found = []
    for swap in swaps:
        sold, got = swap.amount_in, swap.received
        quantity, paid = (
            (-sold / base, got / asset) if swap.sells_base else (got / base, sold / asset)
        )
        if quantity == 0:
            continue
        cost = (swap.fee + swap.impact + swap.basis + done.gas_cost / len(swaps)) / asset
        protective = done.lane is Lane.PROTECTIVE
        found.append(Trade(swap.time, paid / abs(quantity), quantity, cost, protective))
    return found


def _facts(result: BacktestResult) -> tuple[tuple[str, str], ...]:
    unit = 10**result.asset_decimals
    a = result.attribution
    reverted = sum(bool(t.reverted) for t in result.transactions)
    counts = {
        "NAV": f"{a.opening / unit:,.2f} to {a.closing / unit:,.2f}, {a.flows / unit:,.2f} of it flows",
        "gas": f"{a.gas / unit:,.2f}, paid by the keeper",
        "transactions": f"{len(result.transactions)}, {reverted} reverted",
        "swaps": str(len(result.swaps)),
        "orders elsewhere": f"{len(result.orders)}, {sum(bool(o.refused) for o in result.orders)} refused",
        "option trades": str(len(result.fills)),
        "liquidations": str(len(result.liquidations)),
        "ticks": ", ".join(f"{n} {status}" for status, n in result.statuses.items()) or "none",
        "refused by the guard": ", ".join(f"{n} {r}" for r, n in result.refusals.items()) or "none",
        "books": "exact" if a.exact else "NOT exact",
        "digest": result.digest[:16],
    }
    return (*counts.items(), *_strategies(result))


def _strategies(result: BacktestResult) -> tuple[tuple[str, str], ...]:
    """What each part of a composite came to, after its gas."""
    a, unit = result.attribution, 10**result.asset_decimals
    found = []
    for who, causes in a.by_strategy.items():
        gas = a.gas_by_strategy.get(who, 0)
        flows = a.flows if who == SHARED else 0
        total = sum(causes.values()) - flows - gas
        largest = sorted(causes.items(), key=lambda one: -abs(one[1]))[:3]
        why = ", ".join(f"{cause} {amount / unit:,.2f}" for cause, amount in largest)
        found.append((f"from {who}", f"{total / unit:,.2f} after gas of {gas / unit:,.2f}; {why}"))
    return tuple(found)
