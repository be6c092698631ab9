"""The guard refuses every move of options that desk, mandate or care forbid, one reason for each."""

from dataclasses import replace

import pytest

from keeper.guard import check
from keeper.model.decision import Lane, Move, MoveKind, Plan
from keeper.model.desk import VolatilityFault
from keeper.model.market import MarketState
from keeper.model.series import Series
from keeper.model.units import WAD, Raw, Wad
from tests.builders import ASSET, BASE, NOW, dollars, guard_policy
from tests.desk_builders import DESK, ETHER, auction, desk_market, position, series, volatility

CALL, PUT = series(2_200), series(1_800, is_call=False)
PURCHASE = auction(CALL, sells=False, cash=10**9)


def write(
    terms: Series = CALL, amount: int = ETHER, *, start: int = 200, token: str = BASE
) -> Move:
    return Move(MoveKind.WRITE, DESK, token, Raw(amount), Raw(start * WAD), int(terms.id))


def cancel(number: int = 1) -> Move:
    return Move(MoveKind.CANCEL, DESK, ASSET, Raw(0), Raw(0), number)


def buy(amount: int = ETHER, *, at: float = 5, token: str = ASSET) -> Move:
    return Move(MoveKind.BUY_BACK, DESK, token, Raw(amount), Raw(round(at * WAD)), int(CALL.id))


def rules(market: MarketState, *moves: Move, terms: tuple[Series, ...] = (CALL, PUT)) -> list[str]:
    plan = Plan(
        lane=Lane.ROUTINE,
        moves=moves,
        reason="a test",
        expected_health_wad=Wad(WAD),
        expected_net_delta=Raw(0),
        expected_loss=Raw(0),
        max_loss=dollars(10),
        gas_limit_estimate=1,
        trades_price=True,
        series=terms,
    )
    return [r.rule for r in check(plan, market, guard_policy()).refusals]


KNOWN = desk_market(known=(CALL, PUT))
SOLD = desk_market(position(CALL, sold=2 * ETHER))


def test_a_sale_within_the_mandate_passes() -> None:
    assert rules(KNOWN, write()) == []
    assert rules(KNOWN, write(PUT, token=ASSET)) == []


@pytest.mark.parametrize(
    ("market", "move", "rule"),
    [
        (desk_market(unknown=(CALL,)), write(), "series"),
        (desk_market(), write(), "series"),
        (KNOWN, write(start=5), "start-price"),
        (KNOWN, write(token=ASSET), "token"),
        (KNOWN, write(amount=101 * ETHER), "impossible-move"),
        (desk_market(known=(CALL,), max_series=0), write(), "max-series"),
        (desk_market(known=(CALL,), max_notional_bps=10), write(), "option-notional"),
        (desk_market(known=(CALL,), max_vega_bps=0), write(), "option-vega"),
        (desk_market(known=(CALL,), max_option_bps=10), write(), "option-collateral"),
        (desk_market(known=(CALL,), max_delta_bps=600), write(), "option-delta"),
        (
            desk_market(known=(CALL,), last_routine_at=NOW - 1, cooldown_s=60),
            write(),
            "cooldown",
        ),
        (
            desk_market(known=(CALL,), surface=volatility(fault=VolatilityFault.EXPIRED)),
            write(),
            "volatility",
        ),
        (desk_market(position(CALL, sold=ETHER), auctions=(PURCHASE,)), write(), "both-ways"),
        (KNOWN, replace(write(), adapter="0x" + "0f" * 20), "adapter"),
        (KNOWN, replace(write(), amount=Raw(0)), "amount"),
        (KNOWN, cancel(7), "impossible-move"),
        (KNOWN, buy(), "series"),
        (SOLD, buy(3 * ETHER), "amount"),
        (SOLD, buy(at=40), "buy-back-price"),
        (SOLD, buy(token=BASE), "token"),
        (
            desk_market(position(CALL, sold=2 * ETHER), idle_asset=2),
            buy(),
            "impossible-move",
        ),
        (
            desk_market(position(CALL, sold=2 * ETHER, unsold=1), auctions=(auction(CALL),)),
            buy(),
            "both-ways",
        ),
    ],
)
def test_what_must_not_be_done_is_refused_by_its_rule(
    market: MarketState, move: Move, rule: str
) -> None:
    assert rule in rules(market, move)


def test_terms_that_are_not_those_of_the_id_are_no_terms() -> None:
    assert "series" in rules(KNOWN, write(), terms=(PUT,))
    assert "series" in rules(KNOWN, write(), terms=())


def test_a_series_of_another_settlement_oracle_is_refused() -> None:
    foreign = replace(CALL, oracle="0x" + "ee" * 20)
    assert "series" in rules(desk_market(known=(foreign,)), write(foreign), terms=(foreign,))


def test_tenors_beyond_the_mandate_are_refused_both_ways() -> None:
    for days in (0.02, 31):
        terms = series(2_050, days=days)
        assert "tenor" in rules(desk_market(known=(terms,)), write(terms), terms=(terms,))


def test_purchases_and_cancellations_pass() -> None:
    assert rules(SOLD, buy()) == []
    sale = desk_market(position(CALL, sold=0, unsold=ETHER), auctions=(auction(CALL),))
    assert rules(sale, cancel()) == []
    assert rules(desk_market(position(CALL, sold=ETHER), auctions=(PURCHASE,)), cancel()) == []


def test_a_series_sold_and_bought_back_by_one_plan_is_refused() -> None:
    assert "both-ways" in rules(SOLD, buy(), write(start=200))
