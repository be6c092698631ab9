"""What one rebalance may do to the simulated vault: its amounts, its swaps, and what needs a price."""

from dataclasses import replace

import pytest

from keeper.backtest.reverts import Reverted
from keeper.backtest.spec import BacktestSpec, Holdings
from keeper.backtest.vault import Effect, execute
from keeper.backtest.world import World
from keeper.model.decision import Lane, Move, MoveKind, Plan, Rebalance
from keeper.model.units import MAX_UINT256, WAD, Bps, Raw, Wad

START, ETHER, DOLLAR = 1_600_000_000, 10**18, 10**6
LENDING, SWAPPER = "0x" + "1e" * 20, "0x" + "5a" * 20


def world(**holdings: int) -> World:
    """100,000 dollars and 100 ether idle, unless told otherwise."""
    held = {"idle_asset": 100_000 * DOLLAR, "idle_base": 100 * ETHER} | holdings
    return World.opened(BacktestSpec(holdings=Holdings(**held)), START, 2_000 * WAD)


def move(w: World, kind: MoveKind, amount: int, *, base: bool = False, limit: int = 0) -> Move:
    token = (w.spec.base if base else w.spec.asset).address
    adapter = SWAPPER if kind is MoveKind.SWAP else LENDING
    return Move(kind, adapter, token, Raw(amount), Raw(limit))


def done(w: World, *moves: Move) -> Effect:
    plan = Plan(
        lane=Lane.ROUTINE,
        moves=moves,
        reason="asked",
        expected_health_wad=Wad(WAD),
        expected_net_delta=Raw(0),
        expected_loss=Raw(0),
        max_loss=Raw(10**12),
        gas_limit_estimate=10**6,
        trades_price=True,
    )
    return execute(w, Rebalance(plan, w.mandate.state_hash, Raw(10**12)))


@pytest.mark.parametrize("base", [False, True])
def test_a_swap_gives_no_less_than_the_mandate_allows_nor_than_was_asked(base: bool) -> None:
    w = world()
    amount = ETHER if base else 2_000 * DOLLAR
    (swap,) = done(w, move(w, MoveKind.SWAP, amount, base=base)).swaps
    cost = 1 - swap.received / (2_000 * DOLLAR if base else ETHER)
    assert 0 < cost < 0.002
    w = world()
    with pytest.raises(Reverted, match="SwapLossTooLarge"):
        done(w, move(w, MoveKind.SWAP, amount, base=base, limit=swap.received + 1))
    done(w, move(w, MoveKind.SWAP, amount, base=base, limit=swap.received))
    strict = world()
    terms = strict.mandate.terms
    strict.mandate.terms = replace(terms, limits=replace(terms.limits, max_swap_loss_bps=Bps(1)))
    before = (strict.idle_asset, strict.idle_base, strict.ledger.nav, len(strict.ledger.entries))
    with pytest.raises(Reverted, match="SwapLossTooLarge"):
        done(strict, move(strict, MoveKind.SWAP, amount, base=base))
    after = (strict.idle_asset, strict.idle_base, strict.ledger.nav, len(strict.ledger.entries))
    assert after == before


def test_what_is_sold_for_base_is_turnover_of_the_day_and_the_way_to_cash_is_none() -> None:
    w = world()
    done(w, move(w, MoveKind.SWAP, 2_000 * DOLLAR))
    assert w.mandate.turnover.used_wad == pytest.approx(WAD * 2_000 / 300_000, rel=1e-6)
    other = world()
    done(other, move(other, MoveKind.SWAP, ETHER, base=True))
    assert other.mandate.turnover.used_wad == 0


def test_all_of_a_debt_is_repaid_but_what_is_to_stay_idle_stays() -> None:
    """`limit` of a repayment of all: units that are left."""
    owing = {"supplied_base": 500 * ETHER, "debt_asset": 50_000 * DOLLAR}
    w = world(**owing)
    done(w, move(w, MoveKind.REPAY, MAX_UINT256, limit=70_000 * DOLLAR))
    assert w.idle_asset == 70_000 * DOLLAR
    w = world(**owing)
    done(w, move(w, MoveKind.REPAY, MAX_UINT256))
    assert (w.lending.asset.debt, w.idle_asset) == (0, 50_000 * DOLLAR)


def test_more_than_is_idle_moves_nowhere() -> None:
    w = world()
    for kind in (MoveKind.SUPPLY, MoveKind.SWAP):
        with pytest.raises(Reverted, match="IdleTooLow"):
            done(w, move(w, kind, 100_000 * DOLLAR + 1))
    with pytest.raises(Reverted, match="NothingToMove"):
        done(w, move(w, MoveKind.SUPPLY, 0))


def test_without_a_price_collateral_of_a_debt_stays_and_a_debt_may_be_repaid() -> None:
    """V-07: after a day and more without a round nothing with price exposure moves."""

    def stale(**holdings: int) -> World:
        w = world(**holdings)
        w.advance(START + 30 * 86_400)
        assert w.oracle.price_wad > 0
        return w

    free = stale(supplied_asset=10_000 * DOLLAR)
    owing = stale(supplied_base=500 * ETHER, debt_asset=50_000 * DOLLAR)
    done(free, move(free, MoveKind.WITHDRAW, 1_000 * DOLLAR))
    for kind, base in ((MoveKind.WITHDRAW, True), (MoveKind.BORROW, False), (MoveKind.SWAP, False)):
        with pytest.raises(Reverted, match="MoveNeedsPrice"):
            done(owing, move(owing, kind, ETHER if base else DOLLAR, base=base))
    with pytest.raises(Reverted, match="MoveNeedsPrice"):
        done(free, move(free, MoveKind.SUPPLY, DOLLAR))
    done(owing, move(owing, MoveKind.REPAY, 1_000 * DOLLAR))


def test_an_unhedged_vault_raises_no_risk() -> None:
    w = world(supplied_base=500 * ETHER, debt_asset=50_000 * DOLLAR)
    w.unhedged_at = START
    with pytest.raises(Reverted, match="Unhedged"):
        done(w, move(w, MoveKind.BORROW, 1_000 * DOLLAR))
    done(w, move(w, MoveKind.REPAY, 1_000 * DOLLAR))
