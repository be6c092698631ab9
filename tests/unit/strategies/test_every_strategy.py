"""What holds of every strategy, whatever it does: pure, bounded, still when something is wrong."""

import ast
import dataclasses
import importlib
import inspect
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.journal.codec import decode, encode
from keeper.model.decision import Lane, Target
from keeper.model.market import MarketState
from keeper.model.outlook import NO_OUTLOOK, Funding, Outlook, Smile
from keeper.model.parameters import ranges_of
from keeper.model.units import BPS, WAD, Raw, Wad, Wei
from keeper.risk import assess
from tests.builders import NOW
from tests.unit.strategies.catalogue import EVERY, RISKY, registered
from tests.unit.strategies.worlds import (
    DAY,
    ask,
    market,
    option,
    outlook,
    perpetual,
    position,
    smiles,
    vault,
    with_positions,
    written_of,
)

every = pytest.mark.parametrize("name", sorted(EVERY))
risky = pytest.mark.parametrize("name", sorted(RISKY))
NAN = float("nan")


def test_the_catalogue_is_what_is_registered() -> None:
    declared = registered()
    assert set(EVERY) == set(declared)
    for name, value in declared.items():
        module, _, cls = value.partition(":")
        assert type(EVERY[name]) is getattr(importlib.import_module(module), cls)


@every
def test_says_what_it_earns_what_it_risks_and_when_it_loses(name: str) -> None:
    if name in ("collateral_guard", "delta_band"):
        return  # they earn nothing: they protect
    said = inspect.getdoc(type(EVERY[name])) or ""
    assert "Earns" in said
    assert "risks" in said.lower()
    assert "loses" in said.lower()


@every
def test_its_file_imports_values_and_numerics_only(name: str) -> None:
    module = inspect.getmodule(type(EVERY[name]))
    assert module is not None
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
        for imported in names:
            if imported.startswith("keeper"):
                assert imported.startswith(("keeper.model", "keeper.quant"))
            assert imported.split(".")[0] not in ("random", "time", "datetime", "os")


@every
def test_is_a_frozen_value(name: str) -> None:
    strategy = EVERY[name]
    assert dataclasses.is_dataclass(strategy)
    field = dataclasses.fields(strategy)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(strategy, field, getattr(strategy, field))


@every
def test_refuses_every_parameter_outside_its_range(name: str) -> None:
    strategy = EVERY[name]
    for field, allowed in ranges_of(type(strategy)).items():
        over = allowed.high + max(1.0, abs(allowed.high))
        under = allowed.low - max(1.0, abs(allowed.low))
        for bad in (over, under, NAN, math.inf, -math.inf, "0.5", True):
            with pytest.raises(ValueError, match=field):
                replace(strategy, **{field: bad})


@every
def test_decides_the_same_again_and_its_target_is_journalled(name: str) -> None:
    found = market()
    first, again = ask(EVERY[name], found), ask(EVERY[name], found)
    assert first == again
    assert decode(encode(first)) == first
    assert first.reason


def test_the_default_world_makes_most_of_them_act() -> None:
    """Else the tests below prove nothing."""
    acting = {name for name in EVERY if not ask(EVERY[name], market()).hold}
    assert acting == set(RISKY)


FAULTS: dict[str, Any] = {
    "stale": lambda: market(faults=("ETH / USD feed is 9000 s old",)),
    "deviates": lambda: market(faults=("oracle and pool are 400 bps apart",)),
    "sequencer": lambda: market(faults=("the sequencer is down",)),
    "venue": lambda: market(
        replace(vault(), venue_readable=False), faults=("lending venue could not be read",)
    ),
    "no price": lambda: market(vault(price=0), faults=("price is not positive",)),
    "no price, unsaid": lambda: market(vault(price=0)),
    "paused": lambda: market(vault(paused=True)),
    "winding down": lambda: market(vault(winding_down=True)),
    "unhedged": lambda: market(vault(unhedged=True)),
    "empty": lambda: market(vault(idle_base=0, idle_asset=0)),
    "insolvent": lambda: market(vault(idle_base=0, idle_asset=0, debt_asset=1_000)),
}


@risky
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_holds_on_every_fault_and_says_why(name: str, fault: str) -> None:
    target = ask(EVERY[name], FAULTS[fault]())
    if name == "composite" and target.lane is Lane.PROTECTIVE:
        return  # its guard's, which faults do not stop
    if name == "delta_band" and fault in ("unhedged", "empty", "insolvent"):
        return  # it leaves those to the planner
    assert target.hold, target
    assert target.reason


HALF_BLIND: dict[str, Outlook] = {
    "nothing": NO_OUTLOOK,
    "no forecast": outlook(volatility=None, drawdown=None),
    "a forecast that is none": outlook(volatility=NAN, drawdown=NAN),
    "a forecast of nothing": outlook(volatility=0.0, drawdown=-1.0),
    "infinite forecast": outlook(volatility=math.inf, drawdown=math.inf),
    "no smiles": outlook(smiles=()),
    "smiles of the past": outlook(smiles=(Smile(NOW - 1, 2_000.0, ((0.0, 0.8),)),)),
    "smiles without strikes": outlook(smiles=(Smile(NOW + DAY, 2_000.0, ()),)),
    "smiles that are none": outlook(smiles=(Smile(NOW + DAY, NAN, ((0.0, 0.8),)),)),
    "volatility that is none": outlook(smiles=(Smile(NOW + DAY, 2_000.0, ((0.0, NAN),)),)),
    "strikes in disorder": outlook(smiles=(Smile(NOW + DAY, 2_000.0, ((0.1, 0.8), (0.0, 0.8))),)),
    "no venues": outlook(lending=(), funding=(), pools=()),
    "no mark": outlook(funding=(Funding("perp", 0.25, 0.0, 2_000.0, 0.03, 0.0005, 5e6),)),
}
NEEDS = {
    "covered_call": {"smiles"},
    "cash_secured_put": {"smiles"},
    "short_strangle": {"smiles", "forecast"},
    "protective_put": {"smiles"},
    "collar": {"smiles"},
    "volatility_arbitrage": {"smiles", "forecast"},
    "delta_hedge": {"forecast"},
    "volatility_target": {"forecast", "smiles"},
    "drawdown_throttle": {"drawdown", "smiles"},
    "gas_throttle": {"smiles"},
    "gamma_scalping": {"forecast"},
    "basis_funding": {"venues"},
    "collateral_optimisation": {"venues"},
}


def lacks(blind: str) -> set[str]:
    found = set()
    if "forecast" in blind:
        found |= {"forecast", "drawdown"}
    if "smile" in blind or "strikes" in blind or "volatility" in blind:
        found |= {"smiles"}
    if blind in ("no mark", "no venues"):
        found |= {"venues"}
    return {"forecast", "drawdown", "smiles", "venues"} if blind == "nothing" else found


@every
@pytest.mark.parametrize("blind", sorted(HALF_BLIND))
def test_holds_without_what_it_needs_and_never_raises(name: str, blind: str) -> None:
    target = ask(EVERY[name], market(seen=HALF_BLIND[blind]))
    needed = NEEDS.get(name, set()) & lacks(blind)
    if name == "collateral_optimisation" and blind == "no mark":
        return  # which is no lending venue's
    if needed:
        assert target.hold, (needed, target)
    assert target.reason


@every
def test_a_desk_that_cannot_mark_writes_nothing(name: str) -> None:
    readings = vault()
    blind = replace(readings, options=replace(readings.options, volatility_known=False))
    unread = replace(readings, options=replace(readings.options, value=None))
    faulty = with_positions(vault(), position(fault=3))
    for bad in (blind, unread, faulty):
        target = ask(EVERY[name], market(bad))
        before = sum(p.written for p in bad.options.positions)
        assert -sum(one.quantity for one in written_of(target)) <= before


def checked(found: MarketState, target: Target) -> None:
    """Nothing beyond the mandate, beyond what is idle, or beyond what a venue takes."""
    readings, limits = found.readings, found.readings.mandate.terms.options
    price = readings.price.price_wad / WAD
    calls = -sum(one.quantity for one in written_of(target) if one.is_call)
    held = sum(p.written for p in readings.options.positions if p.is_call)
    assert calls <= max(held, held + readings.idle_base)
    needed = sum(
        -one.quantity * one.strike_wad // WAD
        for one in written_of(target)
        if not one.is_call and one.reason != "held"
    )
    unit = 10 ** (readings.base.decimals - readings.asset.decimals)
    assert needed <= readings.idle_asset * unit + 10**18
    nav = assess(found).nav or 0
    notional = sum(-one.quantity for one in written_of(target) if one.reason != "held")
    value = readings.options.value
    room = nav / 10**6 * limits.max_notional_bps / BPS - (
        value.notional_base / 1e18 * price if value else 0
    )
    assert notional / 1e18 * price <= max(0.0, room) * (1 + 1e-9) + 1e-6
    for one in target.perpetuals or ():
        offered = {f.venue: f for f in found.outlook.funding}.get(one.venue)
        now = abs(sum(h.quantity for h in found.holdings if h.venue == one.venue))
        most = offered.most_notional / offered.mark if offered else 0.0
        assert abs(one.quantity) / 1e18 <= max(most, now) * (1 + 1e-9)
    for series in target.options or ():
        assert series.strike_wad > 0
        assert series.expiry > readings.block.timestamp
        assert series.quantity != 0
    for supply in target.supplies or ():
        assert supply.amount >= 0
        assert (supply.owed or 0) >= 0
    assert target.health_wad is None or target.health_wad > WAD


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    price=st.floats(0.01, 1e6),
    idle_base=st.floats(0, 5_000),
    idle_asset=st.floats(0, 1e8),
    implied=st.floats(0.05, 4.0),
    forecast=st.floats(0.05, 4.0),
    short=st.floats(-200, 50),
    calls=st.floats(0, 50),
    shift=st.integers(0, 14 * DAY),
    fee_gwei=st.floats(0, 500),
    drawdown=st.floats(0, 1),
)
@every
def test_no_target_is_outside_its_bounds(  # noqa: PLR0917 - one argument for each thing that varies
    name: str,
    price: float,
    idle_base: float,
    idle_asset: float,
    implied: float,
    forecast: float,
    short: float,
    calls: float,
    shift: int,
    fee_gwei: float,
    drawdown: float,
) -> None:
    readings = vault(
        price=price, idle_base=idle_base, idle_asset=idle_asset, base_fee_gwei=fee_gwei
    )
    if calls > 1:
        readings = with_positions(readings, position(strike=price * 1.2, written=calls))
    block = replace(readings.block, timestamp=NOW + shift)
    readings = replace(readings, block=block, keeper_balance_wei=Wei(10**18))
    seen = outlook(
        price=price,
        implied=implied,
        smiles=tuple(replace(s, expiry=s.expiry + shift) for s in smiles(implied, price)),
        volatility=forecast,
        drawdown=drawdown,
    )
    found = market(
        readings, seen=seen, holdings=(perpetual(short, entry=price), option(3, strike=price))
    )
    target = ask(EVERY[name], found)
    checked(found, target)
    assert decode(encode(target)) == target


@risky
def test_never_asks_for_the_protective_lane(name: str) -> None:
    """Only guards may pass pauses, cooldowns and gas limits."""
    assert ask(EVERY[name], market()).lane is Lane.ROUTINE


def test_the_bounds_would_be_seen_to_break() -> None:
    """`checked` itself: a target for more calls than there is base is caught."""
    found = market()
    target = ask(EVERY["covered_call"], found)
    assert target.options
    greedy = replace(target.options[0], quantity=target.options[0].quantity * 3)
    with pytest.raises(AssertionError):
        checked(found, replace(target, options=(greedy,)))
    wild = replace(target, health_wad=Wad(1), net_delta=Raw(0))
    with pytest.raises(AssertionError):
        checked(found, wild)
