"""Books of a replayed vault: each change has its cause, and what is left over is said to be."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeper.backtest.ledger import Cause
from keeper.backtest.spec import PoolSpec
from keeper.backtest.venue_pool import Pool
from keeper.model.decision import MoveKind
from keeper.model.market import Readings
from keeper.model.units import WAD, Raw
from keeper.replay_market.books import UNEXPLAINED, Books, Holdings, price_of
from keeper.replay_market.logs import (
    ANSWERED,
    LIQUIDATED,
    MOVED,
    SWAPPED,
    Action,
    Answered,
    Moved,
    Places,
    Seized,
    actions_of,
)
from tests.builders import dollars, ether, make_readings

SCALE, ROOT = 10**30, 1 << 96
VAULT = make_readings(idle_asset=20_000, idle_base=3, supplied_base=1_500, debt_asset=2_000_000)
PLACES = Places(*("0x" + f"{i:040x}" for i in range(1, 8)))


def later(readings: Readings, **changes: object) -> Readings:
    """The next block, with some of what was read changed."""
    block = replace(readings.block, number=101, timestamp=readings.block.timestamp + 12)
    return replace(readings, block=block, **changes)  # type: ignore[arg-type]


def booked(before: Readings, after: Readings, actions: Sequence[Action]) -> Books:
    books = Books(SCALE, base_is_token0=False, fee_pips=500)
    books.open(before)
    books.block(before, after, actions)
    change = books.steps[1].nav - books.steps[0].nav
    assert sum(books.by_cause().values()) == change  # whatever happened
    return books


def answered(readings: Readings, answer: int) -> Readings:
    base = replace(readings.price.base, answer=answer)
    return replace(readings, price=replace(readings.price, base=base))


def test_balances_that_grow_by_themselves_are_interest_earned_and_paid() -> None:
    supplied = replace(VAULT.base_position, supplied=Raw(VAULT.base_position.supplied + 10**15))
    owed = replace(VAULT.asset_position, debt=Raw(VAULT.asset_position.debt + 5 * 10**6))
    books = booked(VAULT, later(VAULT, base_position=supplied, asset_position=owed), [])
    assert books.by_cause() == {Cause.INTEREST_EARNED: 2 * 10**6, Cause.INTEREST_PAID: -5 * 10**6}


def test_a_round_is_a_change_of_price_on_all_that_is_held() -> None:
    lower = VAULT.price.base.answer * 9 // 10
    after = answered(later(VAULT), lower)
    books = booked(VAULT, after, [Answered(True, lower)])
    moved = price_of(after) - price_of(VAULT)
    assert books.by_cause() == {Cause.PRICE: 1_503 * ether(1) * moved // SCALE}


def test_a_price_no_round_explains_is_unexplained() -> None:
    after = answered(later(VAULT), VAULT.price.base.answer * 9 // 10)
    assert set(booked(VAULT, after, []).by_cause()) == {UNEXPLAINED}


def test_idle_assets_that_leave_without_a_move_are_unexplained() -> None:
    gone = Raw(VAULT.idle_asset - 7)
    assert booked(VAULT, later(VAULT, idle_asset=gone), []).by_cause() == {UNEXPLAINED: -7}


def test_what_a_liquidation_took_is_no_interest() -> None:
    taken = replace(VAULT.base_position, supplied=Raw(VAULT.base_position.supplied - ether(1)))
    books = booked(VAULT, later(VAULT, base_position=taken), [Seized("0x1")])
    assert set(books.by_cause()) == {Cause.LIQUIDATION}
    assert books.liquidations == 1


@given(st.integers(10**6, 50_000 * 10**6), st.floats(0.97, 1.03), st.booleans())
def test_a_swap_is_booked_in_the_parts_the_backtest_books_it_in(
    value: int, off: float, sells_base: bool
) -> None:
    """The same pool, once as the simulation fills it and once as its logs are read."""
    pool = Pool(PoolSpec(), 6, 18)
    pool.open(0, round(price_of(VAULT) * off))
    root, price = pool.sqrt_price_x96, price_of(VAULT)
    amount = value * SCALE // price if sells_base else value
    rich = replace(VAULT, idle_base=Raw(10**24), idle_asset=Raw(10**15))
    done = pool.swap(0, sells_base, amount)
    move = Moved(MoveKind.SWAP, sells_base, amount, done.received, root, "0xa")
    signed = (-amount, done.received) if sells_base else (done.received, -amount)
    after = later(
        rich,
        idle_base=Raw(rich.idle_base + signed[0]),
        idle_asset=Raw(rich.idle_asset + signed[1]),
    )
    swap = booked(rich, after, [move]).swaps[0]

    def worth(out: int) -> int:
        return out if sells_base else out * price // SCALE

    fee = worth(done.at_spot) - worth(done.after_fee_at_spot)
    impact = worth(done.after_fee_at_spot) - worth(done.received)
    assert swap.fee == pytest.approx(fee, abs=2)
    assert swap.impact == pytest.approx(impact, abs=2)
    assert swap.basis == swap.value - worth(done.at_spot)


def test_lending_moves_shift_holdings_and_leave_nav_alone() -> None:
    moves = [
        Moved(MoveKind.WITHDRAW, True, ether(2), 0, 0, "0xb"),
        Moved(MoveKind.REPAY, False, dollars(1_000), 0, 0, "0xb"),
        Moved(MoveKind.SUPPLY, True, ether(1), 0, 0, "0xb"),
        Moved(MoveKind.BORROW, False, dollars(400), 0, 0, "0xb"),
    ]
    base = replace(VAULT.base_position, supplied=Raw(VAULT.base_position.supplied - ether(1)))
    asset = replace(VAULT.asset_position, debt=Raw(VAULT.asset_position.debt - dollars(600)))
    after = later(
        VAULT,
        base_position=base,
        asset_position=asset,
        idle_base=Raw(VAULT.idle_base + ether(1)),
        idle_asset=Raw(VAULT.idle_asset - dollars(600)),
    )
    assert booked(VAULT, after, moves).by_cause() == {}


def test_debt_in_base_is_rounded_against_the_vault() -> None:
    owes = Holdings(0, 0, 0, 0, 0, 1)
    assert owes.nav(2_000 * WAD, SCALE) == -1


# ---------------------------------------------------------------- logs


def words(*values: int) -> str:
    return "0x" + "".join(f"{value:064x}" for value in values)


def receipt(index: int, *logs: dict[str, object]) -> dict[str, object]:
    return {"transactionIndex": hex(index), "transactionHash": f"0x{index}", "logs": list(logs)}


def log(address: str, *topics: str, data: str = "0x") -> dict[str, object]:
    return {"address": address, "topics": list(topics), "data": data}


def swapped(root: int) -> dict[str, object]:
    return log(PLACES.swap_pool, SWAPPED, words(1), words(2), data=words(5, 6, root, 8, 9))


def moved(kind: MoveKind, token: str, amount: int, result: int) -> dict[str, object]:
    data = words(int(token, 16), amount, result)
    return log(PLACES.vault, MOVED, words(1), words(kind), words(2), data=data)


def test_a_swap_is_measured_from_where_the_pool_stood_just_before_it() -> None:
    """Others traded earlier in the block, and receipts may come in any order."""
    ours = receipt(2, swapped(333), moved(MoveKind.SWAP, PLACES.base, 10, 20))
    found = list(actions_of([ours, receipt(1, swapped(222))], PLACES, 111))
    assert found == [Moved(MoveKind.SWAP, True, 10, 20, 222, "0x2")]


def test_a_withdrawal_counts_what_came_and_a_supply_what_went() -> None:
    logs = (
        moved(MoveKind.WITHDRAW, PLACES.base, 10, 9),
        moved(MoveKind.SUPPLY, "0x" + "99" * 20, 5, 4),
    )
    amounts = [(a.of_base, a.amount) for a in actions_of([receipt(0, *logs)], PLACES, ROOT)]  # type: ignore[union-attr]
    assert amounts == [(True, 9), (False, 5)]


def test_what_concerns_other_vaults_other_feeds_and_other_pools_is_passed_over() -> None:
    other = "0x" + "77" * 20
    nothing: dict[str, object] = {"address": other, "topics": [], "data": "0x"}
    logs = (
        log(other, ANSWERED, words(5)),
        {**moved(MoveKind.REPAY, PLACES.base, 1, 1), "address": other},
        {**swapped(9), "address": other},
        log(PLACES.lending_pool, LIQUIDATED, words(1), words(2), words(int(other, 16))),
        log(other),
        nothing,
    )
    assert not list(actions_of([receipt(0, *logs)], PLACES, ROOT))


def test_rounds_of_both_feeds_and_liquidations_of_this_vault_are_heard() -> None:
    lending = words(int(PLACES.lending, 16))
    logs = (
        log(PLACES.base_feed, ANSWERED, words(5)),
        log(PLACES.quote_feed, ANSWERED, words(6)),
        log(PLACES.lending_pool, LIQUIDATED, words(1), words(2), lending),
    )
    found = list(actions_of([receipt(3, *logs)], PLACES, ROOT))
    assert found == [Answered(True, 5), Answered(False, 6), Seized("0x3")]
