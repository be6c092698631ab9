"""A live keeper's past as a tear sheet: what its ticks saw, what it did, what that cost.

Between two samples nothing is known but their ends: the Greeks of the earlier one explain the change of NAV, interest
is at its rates, and what they do not explain is the residual (fees taken in shares among it).
"""

from collections.abc import Sequence

import numpy as np

from keeper.errors import QuantityError
from keeper.model.decision import MoveKind
from keeper.model.market import Readings
from keeper.model.past import Done, Seen
from keeper.model.units import INFINITE_HEALTH, WAD
from keeper.report.performance import DAY_S, YEAR_DAYS, Floats
from keeper.report.tearsheet import TearSheet, Trade

_RAY = 10**27
_GAMMA_SCALE = 10**18
_SHARE_DECIMALS, _LEAST_OFFSET = 18, 6
"""Shares have 18 decimals, and at least 6 more than the asset (VaultShares)."""
_YEAR_S = YEAR_DAYS * DAY_S


def live_sheet(
    seen: Sequence[Seen], done: Sequence[Done], *, names: tuple[str, str], command: str
) -> TearSheet:
    """`names`: of asset and base. `seen`: of one vault, oldest first; those without a usable price are left out.

    QuantityError: fewer than two usable samples, or no share was ever there.
    """
    usable = [s for s in seen if s.risk.nav is not None and s.market.readings.total_shares > 0]
    if len(usable) < 2:
        problem = f"holds {len(usable)} usable states of the vault in that time"
        raise QuantityError("the journal", problem, "ask for more time, or a shorter --every")
    first = usable[0].market.readings
    unit = 10**first.asset.decimals
    nav = np.array([(s.risk.nav or 0) / unit for s in usable])
    price = np.array([s.market.readings.price.price_wad / WAD for s in usable])
    shares = np.array([s.market.readings.total_shares for s in usable], dtype=np.float64)
    shares /= 10.0 ** max(_SHARE_DECIMALS, first.asset.decimals + _LEAST_OFFSET)
    times = np.array([s.market.readings.block.timestamp for s in usable], dtype=np.int64)
    trades = tuple(t for d in done if (t := _trade(d, unit)) is not None)
    gas = np.array([_gas_assets(d) for d in done])
    gas_times = np.array([d.market.readings.block.timestamp for d in done], dtype=np.int64)
    spent = np.array([gas[gas_times <= t].sum() for t in times]) if done else np.zeros(times.size)
    # gas is paid by the keeper; a share bears it in proportion to what it is worth then
    borne = np.diff(spent, prepend=spent[0]) / np.maximum(nav, 1e-12)
    sold = sum(abs(t.quantity) * t.price for t in trades)
    years = max(1, int(times[-1] - times[0])) / _YEAR_S
    return TearSheet(
        title=f"Vault {first.vault}",
        asset=names[0],
        base=names[1],
        times=times,
        equity=nav / shares * np.cumprod(1.0 - np.minimum(borne, 1.0)),
        nav=nav,
        price=price,
        health=np.array([_health(s) for s in usable]),
        band=None,
        greeks=_greeks(usable, names),
        trades=trades,
        parts=_parts(usable, nav, price, shares, float(spent[-1] - spent[0])),
        turnover=sold / years / float(nav.mean()),
        facts=_facts(seen, usable, done),
        notes=_notes(done),
        command=command,
    )


def _health(seen: Seen) -> float:
    health = seen.risk.health_wad
    return float("inf") if health >= INFINITE_HEALTH else health / WAD


def _greeks(usable: Sequence[Seen], names: tuple[str, str]) -> tuple[tuple[str, Floats], ...]:
    first = usable[0].market.readings
    base, unit = 10**first.base.decimals, 10**first.asset.decimals
    delta = np.array([s.risk.net_delta / base for s in usable])
    gamma = np.array([_gamma(s.market.readings) for s in usable])
    vega = np.array(
        [sum(p.vega for p in s.market.readings.options.positions) / unit for s in usable]
    )
    return (
        (f"delta [{names[1]}]", delta),
        (f"gamma [{names[1]} per {names[0]}]", gamma),
        (f"vega [{names[0]}]", vega),
    )


def _gamma(readings: Readings) -> float:
    total = sum(p.gamma_base for p in readings.options.positions)
    return float(total / (10**readings.base.decimals * _GAMMA_SCALE))


def _carry(readings: Readings) -> float:
    """Interest a year at the rates of the moment, assets."""
    asset, base = readings.asset_position, readings.base_position
    price = readings.price.price_wad / WAD
    earned = 0.0
    for position, worth in (
        (asset, 1 / 10**readings.asset.decimals),
        (base, price / 10**readings.base.decimals),
    ):
        received = position.supplied * position.supply_rate_ray / _RAY
        paid = position.debt * position.borrow_rate_ray / _RAY
        earned += (received - paid) * worth
    return earned


def _parts(
    usable: Sequence[Seen], nav: Floats, price: Floats, shares: Floats, gas: float
) -> tuple[tuple[str, float], ...]:
    """Delta, gamma, carry, gas, residual: they add up to the change of NAV less flows, after gas."""
    readings = [s.market.readings for s in usable]
    base = 10 ** readings[0].base.decimals
    moved = np.diff(price)
    seconds = np.diff([r.block.timestamp for r in readings])
    delta = np.array([s.risk.net_delta / base for s in usable])[:-1]
    gamma = np.array([_gamma(r) for r in readings])[:-1]
    carry = np.array([_carry(r) for r in readings])[:-1]
    flows = float(np.sum(np.diff(shares) * (nav / shares)[1:]))
    explained = {
        "delta": float(np.sum(delta * moved)),
        "gamma": float(np.sum(gamma * moved**2) / 2),
        "carry": float(np.sum(carry * seconds) / _YEAR_S),
    }
    residual = float(nav[-1] - nav[0]) - flows - sum(explained.values())
    return (*explained.items(), ("residual", residual), ("gas", -gas))


def _gas_assets(done: Done) -> float:
    """Gas in assets: the coin that pays it is taken to be worth what base is."""
    return done.gas_wei / WAD * done.market.readings.price.price_wad / WAD


def _trade(done: Done, unit: int) -> Trade | None:
    """What its swaps changed; None where it swapped nothing, or nothing took effect."""
    readings = done.market.readings
    price = readings.price.price_wad / WAD
    if not done.effect or price <= 0:
        return None
    quantity = 0.0
    for move in done.plan.moves:
        if move.kind is not MoveKind.SWAP:
            continue
        if move.token.lower() == readings.base.address.lower():
            quantity -= move.amount / 10**readings.base.decimals
        else:
            quantity += move.amount / unit / price
    if quantity == 0:
        return None
    loss = done.plan.expected_loss if done.loss is None else done.loss
    cost = loss / unit + _gas_assets(done)
    protective = done.plan.lane.value == "protective"
    return Trade(readings.block.timestamp, price, quantity, cost, protective)


def _facts(
    seen: Sequence[Seen], usable: Sequence[Seen], done: Sequence[Done]
) -> tuple[tuple[str, str], ...]:
    first, last = usable[0].market.readings, usable[-1].market.readings
    gas = sum(d.gas_wei for d in done) / WAD
    return (
        ("vault", first.vault),
        ("blocks", f"{first.block.number} to {last.block.number} of chain {first.chain_id}"),
        ("states shown", f"{len(usable)} of {len(seen)}, the others without a usable price"),
        ("intents in a block", f"{sum(d.effect for d in done)} took effect, "
         f"{sum(not d.effect for d in done)} reverted"),
        ("gas", f"{gas:.6f} of the chain's coin"),
    )  # fmt: skip


def _notes(done: Sequence[Done]) -> tuple[str, ...]:
    expected = sum(d.effect and d.loss is None for d in done)
    if not expected:
        return ()
    return (
        f"The cost of {expected} rebalances is what was expected: the vault's own figure is not recorded.",
    )
