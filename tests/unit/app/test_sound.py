"""Whatever a strategy of the keeper's own process does, the vault holds still, or only protects, and it is said."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.app.sound import SoundStrategy
from keeper.model.decision import (
    NO_DECISION,
    Lane,
    OptionTarget,
    PerpetualTarget,
    SupplyTarget,
    Target,
)
from keeper.model.soundness import LARGEST, MOST_ENTRIES, unsound
from keeper.model.units import Raw, Wad
from strategies.collateral_guard import CollateralGuard
from strategies.composite import Composite
from strategies.objective import Objective
from strategies.volatility_target import VolatilityTarget
from tests.builders import NOW, make_readings, wad
from tests.unit.strategies.worlds import ask, judged, market

HOLD = Target(Lane.ROUTINE, None, None, "calm")
CALL = OptionTarget(True, wad(2_000), NOW, -1)
NAN: Any = float("nan")


def raises(error: BaseException) -> Callable[..., Target]:
    def strategy(market: Any, risk: Any) -> Target:
        raise error

    return strategy


def answers(value: Any) -> Callable[..., Any]:
    return lambda market, risk: value


BAD: dict[str, Callable[..., Any]] = {
    "raises": raises(ValueError("out of\ncheese")),
    "exits": raises(SystemExit(3)),
    "runs out of memory": raises(MemoryError()),
    "recurses": raises(RecursionError("too deep")),
    "returns nothing": answers(None),
    "returns a number": answers(1.5),
    "returns text": answers("sell everything"),
    "wants nan": answers(replace(HOLD, net_delta=NAN)),
    "wants an infinite health": answers(replace(HOLD, health_wad=math.inf)),  # type: ignore[arg-type]
    "wants a float": answers(replace(HOLD, net_delta=1.0)),  # type: ignore[arg-type]
    "wants a health under nothing": answers(replace(HOLD, health_wad=Wad(-1))),
    "wants the absurd": answers(replace(HOLD, net_delta=Raw(LARGEST + 1))),
    "wants a list": answers(replace(HOLD, options=[CALL])),  # type: ignore[arg-type]
    "wants too many": answers(replace(HOLD, options=(CALL,) * (MOST_ENTRIES + 1))),
    "wants something else": answers(replace(HOLD, options=(HOLD,))),  # type: ignore[arg-type]
    "wants a nan of it": answers(replace(HOLD, options=(replace(CALL, quantity=NAN),))),
    "wants no strike": answers(replace(HOLD, options=(replace(CALL, strike_wad=Wad(0)),))),
    "wants a venue that is no name": answers(
        replace(HOLD, perpetuals=(PerpetualTarget(7, 1),))  # type: ignore[arg-type]
    ),
    "wants a venue that writes in the terminal": answers(
        replace(HOLD, perpetuals=(PerpetualTarget("\x1b[2Jsafe", Raw(1)),))
    ),
    "wants a venue with a name like a book": answers(
        replace(HOLD, perpetuals=(PerpetualTarget("v" * 100_000, Raw(1)),))
    ),
    "wants a negative supply": answers(
        replace(HOLD, supplies=(SupplyTarget("lending", "0x1", Raw(-1)),))
    ),
    "knows no lane": answers(replace(HOLD, lane="fast")),  # type: ignore[arg-type]
    "says what cannot be printed": answers(replace(HOLD, reason="\x00")),
    "talks": answers(replace(HOLD, reason="x" * 5_000)),
}
bad = pytest.mark.parametrize("strategy", BAD.values(), ids=BAD)


@bad
def test_holds_still_and_says_why(strategy: Any) -> None:
    target = SoundStrategy(strategy)(*judged(market()))
    assert target.hold
    assert target.lane is Lane.ROUTINE
    assert target.reason.startswith(NO_DECISION)
    assert unsound(target) == ""
    assert target == SoundStrategy(strategy)(*judged(market()))  # K-07


@bad
def test_beside_one_that_misbehaves_the_guard_still_protects(strategy: Any) -> None:
    """In a composite, in a wrapper and in an objective: a guard before it acts, and the fault is said with it."""
    danger, calm = market(make_readings(price=1_600)), market()
    parts = (
        Composite((CollateralGuard(), strategy)),
        Composite((CollateralGuard(), VolatilityTarget(strategy))),
        Objective((strategy,), ("it",), (0.1,), ((0.01,) * 100,), guards=(CollateralGuard(),)),
    )
    for whole in parts:
        protecting = SoundStrategy(whole)(*judged(danger))
        assert protecting.lane is Lane.PROTECTIVE
        assert not protecting.hold
        still = SoundStrategy(whole)(*judged(calm))
        assert still.hold
        assert NO_DECISION in still.reason
        assert unsound(protecting) == unsound(still) == ""


@given(st.text(max_size=6_000))
def test_whatever_an_error_says_the_reason_is_short_and_printable(text: str) -> None:
    target = SoundStrategy(raises(ValueError(text)))(*judged(market()))
    assert unsound(target) == ""
    assert len(target.reason) < 600


def test_what_is_sound_passes_as_it_is() -> None:
    whole = CollateralGuard()
    for found in (market(), market(make_readings(price=1_600))):
        assert SoundStrategy(whole)(*judged(found)) == ask(whole, found)
    left_alone = replace(HOLD, supplies=(SupplyTarget("lending", "0x1", Raw(5)),))
    assert unsound(left_alone) == ""
    assert unsound(replace(HOLD, options=(CALL,), net_delta=Raw(-5))) == ""


def test_an_interrupt_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        SoundStrategy(raises(KeyboardInterrupt()))(*judged(market()))
