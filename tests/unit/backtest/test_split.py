"""The books by strategy are the books: every unit has an owner, and what nobody asked for is shared."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keeper.backtest import BacktestResult
from keeper.backtest.events import Event, FundingEvent, VolatilityEvent
from keeper.backtest.sheet import sheet_of
from keeper.backtest.spec import Holdings, levered
from keeper.backtest.split import SHARED, pro_rata
from keeper.backtest.store import tables, write
from keeper.journal.codec import decode, encode
from keeper.model.decision import Lane, Owner, Target
from keeper.model.units import WAD, Raw
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.covered_call import CoveredCall
from strategies.delta_hedge import DeltaHedge
from tests.unit.backtest.worlds import HOUR, START, path, price, run, spec, walk
from tests.unit.strategies.catalogue import CALLS, EVERY, PUTS
from tests.unit.strategies.worlds import ask, market

FEW = settings(
    max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
WHOLE = Composite((CollateralGuard(), CALLS, PUTS, DeltaHedge(venue="perp")))


def around(steps: int) -> list[Event]:
    every: list[Event] = [
        VolatilityEvent(START + i * 4 * HOUR, WAD * (8 + i % 3) // 10) for i in range(steps // 4)
    ]
    every += [FundingEvent(START + i * 8 * HOUR, WAD // 2_000, 8 * HOUR) for i in range(steps // 8)]
    return every


def played(strategy: Any, seed: int, steps: int = 72, *, health: bool = True) -> BacktestResult:
    vault = levered(spec(None), 1.6, price(2_000)) if health else spec(None)
    held = replace(vault.holdings, idle_asset=200_000 * 10**6, idle_base=100 * 10**18)
    events = sorted([*around(steps), *walk(steps, seed, 0.02)], key=lambda e: e.time)
    return run(events, strategy, replace(vault, holdings=held))


@FEW
@given(st.integers(0, 1_000))
def test_every_unit_belongs_to_somebody_and_every_cause_adds_up(seed: int) -> None:
    result = played(WHOLE, seed)
    a = result.attribution
    assert a.exact
    assert set(a.by_strategy) == {*WHOLE.names, SHARED}
    for cause, amount in a.by_cause.items():
        assert sum(causes.get(cause, 0) for causes in a.by_strategy.values()) == amount
    assert sum(a.gas_by_strategy.values()) == a.gas
    # positions are their owner's alone
    assert "perpetual" not in a.by_strategy["CoveredCall"]
    assert "options" not in a.by_strategy["DeltaHedge"]
    assert a.by_strategy["DeltaHedge"].get("funding", 0) == a.by_cause.get("funding", 0)


def test_a_run_that_ends_with_what_was_simulated_and_refused_is_split_as_well() -> None:
    """What a simulation booked is taken back; its moments go with it."""
    from tests.gauntlet.play import play
    from tests.gauntlet.scenarios import Case

    outcome = play(Case("idle_yield", "gap", 1))
    assert not outcome.breaches, outcome.breaches[0]


def test_what_no_part_asked_for_is_shared() -> None:
    still = Composite((CoveredCall(delta=0.01, least_premium=1.0),))
    a = played(still, 3).attribution
    mine = a.by_strategy["CoveredCall"]
    assert sum(mine.values()) == 0
    assert sum(a.by_strategy[SHARED].values()) == a.closing - a.opening


class Buys:
    """Wants so much base long, from the start."""

    def __init__(self, name: str, tokens: float) -> None:
        self.name, self.tokens = name, tokens

    def __call__(self, market: Any, risk: Any) -> Target:
        wanted = Raw(round(self.tokens * 10**18))
        if abs(risk.net_delta - wanted) < 10**17:
            return Target(Lane.ROUTINE, None, None, "there")
        return Target(Lane.ROUTINE, None, wanted, f"{self.name} buys")


def test_base_belongs_to_who_bought_it_when_its_price_changes() -> None:
    """A hundred bought by one part rise by ten dollars each; what was there before is shared."""
    world = replace(spec(None), holdings=Holdings(500_000 * 10**6, 50 * 10**18))
    prices = [2_000, 2_000, 2_000, 2_100, 2_100]
    result = run(path(*prices), Composite((Buys("buyer", 150),)), world)
    a = result.attribution
    assert a.exact
    mine = a.by_strategy["buyer"]
    assert mine["price"] == pytest.approx(100 * 100 * 10**6, rel=0.02)
    assert a.by_strategy[SHARED]["price"] == pytest.approx(50 * 100 * 10**6, rel=0.02)
    for cost in ("pool fee", "impact"):
        assert mine[cost] == a.by_cause[cost]
    assert a.gas_by_strategy == {"buyer": a.gas}


@given(
    st.integers(-(10**30), 10**30),
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 10**25), max_size=5),
)
def test_parts_pro_rata_never_exceed_the_whole(amount: int, weights: dict[str, int]) -> None:
    parts = pro_rata(amount, weights)
    total = sum(parts.values())
    assert abs(total) <= abs(amount)
    assert abs(amount - total) < max(1, len(weights)) or not weights
    assert all(part * amount >= 0 for part in parts.values())
    ordered = sorted(weights, key=lambda who: weights[who])
    assert [abs(parts[who]) for who in ordered] == sorted(abs(part) for part in parts.values())


def test_a_strategy_alone_has_no_split_and_the_same_books() -> None:
    alone = played(CALLS, 5, health=False)
    together = played(Composite((CALLS,)), 5, health=False)
    assert alone.attribution.by_strategy == {}
    assert together.attribution.by_cause == alone.attribution.by_cause
    assert [e.amount for e in together.entries] == [e.amount for e in alone.entries]


@pytest.mark.parametrize("name", ["composite", "objective"])
def test_it_is_in_the_summary_the_tables_and_the_sheet(name: str, tmp_path: Path) -> None:
    result = played(EVERY[name], 7, 48)
    facts: Any = result.summary()["attribution"]
    assert facts["exact"]
    assert SHARED in facts["by_strategy"]
    rows = tables(result)["strategies"]
    change = sum(
        amount
        for amount, cause in zip(rows["amount"], rows["cause"], strict=True)
        if cause != "gas"
    )
    assert change == result.attribution.closing - result.attribution.opening
    write(result, tmp_path)
    assert pq.read_table(tmp_path / "strategies.parquet").num_rows == len(rows["cause"])
    said = dict(sheet_of(result).facts)
    assert f"from {SHARED}" in said


def test_who_asked_is_in_the_target_and_in_the_journal() -> None:
    target = ask(WHOLE, market())
    owners = {owner.what: owner.who for owner in target.owners}
    assert owners["written calls"] == "CoveredCall"
    assert owners["written puts"] == "CashSecuredPut"
    assert decode(encode(target)) == target
    short = replace(target, owners=(Owner("health", "x", 7),))
    assert decode(encode(short)).owners == short.owners
    two = Composite((Buys("one", 5), Buys("two", 7)))
    assert two.names == ("one", "two")
    assert Composite((DeltaHedge(), DeltaHedge())).names == ("DeltaHedge 1", "DeltaHedge 2")


def test_a_protective_answer_is_its_owners() -> None:
    from tests.builders import make_readings

    target = ask(WHOLE, market(make_readings(price=1_600)))
    assert target.lane is Lane.PROTECTIVE
    assert target.owners == (Owner("health", "CollateralGuard"),)
