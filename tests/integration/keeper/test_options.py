"""A series from wish to money, by the keeper's own plans against the real contracts.

The keeper observes volatility, has the series created, writes it through the vault, buys a part back, and settles
and collects the rest after expiry. Others only bid.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from keeper.app import Keeper, build_keeper_for
from keeper.localnet.market import advance_to
from keeper.localnet.rpc import send
from keeper.localnet.vaults import DEFAULT_TERMS, deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.decision import (
    Collect,
    CreateSeries,
    Lane,
    MoveKind,
    Observe,
    OptionTarget,
    ProvePrice,
    Rebalance,
    RecordPrice,
    Target,
)
from keeper.model.market import MarketState
from keeper.model.option_marks import mark_of
from keeper.model.outcome import TickStatus
from keeper.model.policy import GuardPolicy, MarketPolicy, OptionPolicy, PlanningPolicy, Policies
from keeper.model.risk import RiskReport
from keeper.model.series import Series
from keeper.model.units import BPS, WAD, Bps, Raw, Wad
from tests.integration.keeper.kept import DOLLAR, Kept

ETHER = 10**18
STRIKE = Wad(1_980 * WAD)
SLOT_S = 300


@dataclass
class Wanted:
    """A strategy of one put, as much of it as the test says."""

    expiry: int
    quantity: int = 0

    def __call__(self, market: MarketState, risk: RiskReport) -> Target:
        options = (OptionTarget(False, STRIKE, self.expiry, -self.quantity),)
        return Target(Lane.ROUTINE, None, None, "a put", options=options if self.quantity else ())


@pytest.fixture
def writer(world: World, tmp_path: Path) -> Kept:
    """Three hundred thousand dollars, idle, in a vault that may write options."""
    terms = replace(
        DEFAULT_TERMS,
        caps=replace(DEFAULT_TERMS.caps, delta_target_bps=Bps(0), max_option_bps=Bps(BPS)),
        options=replace(
            DEFAULT_TERMS.options,
            max_notional_bps=Bps(BPS),
            max_vega_bps=Bps(BPS),
            max_bid_bps=Bps(BPS),
            max_series=4,
        ),
    )
    keepers = [world.accounts.keeper]
    deployment = deploy_vault(world, terms=terms, keepers=keepers, with_options=True)
    deposit(world, deployment, world.accounts.depositor, 300_000 * DOLLAR)
    return Kept(world, deployment, tmp_path)


def keeper_of(kept: Kept, strategy: Wanted) -> Keeper:
    planning = PlanningPolicy(
        slippage_bps=Bps(50),
        min_trade=Raw(DOLLAR),
        max_swap=Raw(10**12),
        idle_reserve=Raw(0),
        loss_margin_bps=Bps(50),
        options=OptionPolicy(start_window_s=0),
    )
    return build_keeper_for(
        rpc_url=kept.world.http_url,
        chain_id=1,
        vault=kept.deployment.vault,
        lens=kept.deployment.lens,
        strategy=strategy,
        policies=Policies(
            MarketPolicy(1, 4_000, Bps(300), Bps(300)),
            planning,
            GuardPolicy(10**12, Bps(200), 10**15),
        ),
        journal_path=kept.folder / "options.sqlite",
        private_key=kept.key,
        clock=kept.now,
    )


def act(keeper: Keeper, kept: Kept, kind: type, *, ticks: int = 6) -> Any:
    """Tick until something of this kind is sent and mined; what else is due may come before it."""
    for _ in range(ticks):
        outcome = keeper.tick()
        kept.mine()
        assert outcome.status in (TickStatus.SENT, TickStatus.HELD, TickStatus.SKIPPED), outcome
        record = keeper.last
        intent = record.intent if record is not None else None
        sent = outcome.status is TickStatus.SENT and intent is not None
        if sent and intent is not None and isinstance(intent.payload, kind):
            return intent.payload
    raise AssertionError(f"no {kind.__name__} in {ticks} ticks: {outcome}")


def test_a_put_is_written_sold_bought_back_in_part_and_collected(writer: Kept) -> None:
    world, options = writer.world, writer.deployment.options
    assert options is not None
    bidder = world.accounts.depositor
    house = world.contract("OptionAuction", options.auction).functions
    book = world.contract("OptionBook", options.book).functions
    desk = world.contract("OptionDesk", options.desk).functions
    vault = world.contract("Vault", writer.deployment.vault).functions
    usdc = world.contract("ERC20", world.addresses.usdc).functions
    start = int(writer.now()) // SLOT_S * SLOT_S
    strategy = Wanted(expiry=start + 7 * 3_600)
    with keeper_of(writer, strategy) as keeper:
        for slot in range(1, 5):  # four observations make the three returns of a floor
            advance_to(world, start + slot * SLOT_S + 1)
            assert act(keeper, writer, Observe, ticks=1).slot == start // SLOT_S + slot

        strategy.quantity = 10 * ETHER
        created = act(keeper, writer, CreateSeries)
        assert int(created.series.id) == book.idOf(_fields(created.series)).call()
        idle = vault.idle(world.addresses.usdc).call()
        plan = act(keeper, writer, Rebalance).plan
        assert [m.kind for m in plan.moves] == [MoveKind.WRITE]
        series_id = int(created.series.id)
        assert book.writtenOf(series_id, options.desk).call() == 10 * ETHER
        assert idle - vault.idle(world.addresses.usdc).call() == 19_800 * DOLLAR
        _mark_agrees(keeper, created.series)

        advance_to(world, int(writer.now()) + 700)  # past the start that the auction drew
        price = house.priceWad(1).call()
        send(world.w3, usdc.approve(options.auction, 10**12), bidder)
        send(world.w3, house.bid(1, 10 * ETHER, price, bidder), bidder)
        assert book.balanceOf(bidder, series_id).call() == 10 * ETHER

        strategy.quantity = 6 * ETHER
        plan = act(keeper, writer, Rebalance).plan
        assert [(m.kind, m.amount) for m in plan.moves] == [(MoveKind.BUY_BACK, 4 * ETHER)]
        advance_to(world, int(writer.now()) + 700)
        send(world.w3, book.setOperator(options.auction, True), bidder)
        send(world.w3, house.offer(2, 4 * ETHER, 0, bidder), bidder)
        assert book.writtenOf(series_id, options.desk).call() == 6 * ETHER
        assert keeper.tick().status is not TickStatus.SENT  # as wanted

        strategy.quantity = 0
        advance_to(world, strategy.expiry - 60)
        advance_to(world, strategy.expiry + 301)
        act(keeper, writer, RecordPrice)
        act(keeper, writer, ProvePrice)
        act(keeper, writer, Collect)
    assert desk.openSeries().call() == []
    assert usdc.balanceOf(options.desk).call() == 0
    assert vault.idle(world.addresses.usdc).call() > idle  # premiums earned, no payoff


def _fields(series: Series) -> tuple[Any, ...]:
    terms = (series.expiry, series.is_call, int(series.strike_wad), int(series.second_strike_wad))
    return (series.base, series.quote, series.oracle, *terms)


def _mark_agrees(keeper: Keeper, series: Series) -> None:
    """What planning takes for the mark is what the desk takes: of the series just written, nothing being sold."""
    readings = keeper.read()
    state = readings.options.state
    assert state is not None
    assert [(a.auction_id, a.sells, a.left) for a in state.auctions] == [(1, True, 10 * ETHER)]
    mark = mark_of(
        state.volatility, series, int(readings.price.price_wad), readings.block.timestamp
    )
    assert mark is not None
    assert readings.measure is not None
    assert readings.measure.vega == pytest.approx(mark.vega * 10 * DOLLAR, rel=1e-6)
