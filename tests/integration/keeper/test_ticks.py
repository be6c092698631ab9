"""The real keeper against real protocols: it saves, it abstains, it survives."""

import time
from typing import Any

import pytest

from keeper.app import Keeper
from keeper.execution.fate import Fate
from keeper.execution.outbox import Outbox
from keeper.localnet.market import set_market_price
from keeper.localnet.rpc import rpc
from keeper.localnet.vaults import add_keeper, remove_keeper
from keeper.localnet.world import World
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptStatus, TickOutcome, TickStatus
from tests.integration.keeper.kept import LOW, TARGET, Kept, open_kept


def test_a_falling_market_is_answered_until_the_vault_is_safe(kept: Kept) -> None:
    """Four falls of the price to -24 %: without the keeper health would end at 1.14."""
    with kept.keeper() as keeper:
        for price in (1_900, 1_760, 1_640, 1_520):
            kept.market(price)
            for _ in range(6):
                outcome = _tick(keeper)
                if outcome.status is TickStatus.HELD:
                    break
                assert outcome.status is TickStatus.SENT, outcome
                assert keeper.last is not None
                assert keeper.last.plan is not None
                assert keeper.last.plan.lane is Lane.PROTECTIVE
                kept.mine()
            assert kept.health() >= LOW
        sent = [a for a in keeper.journal.actions(50) if a.status is AttemptStatus.MINED]
    assert kept.health() == pytest.approx(TARGET, rel=0.1)
    assert kept.rebalances() == kept.nonce() == len(sent) > 1


def test_every_decision_can_be_replayed_from_the_journal(kept: Kept) -> None:
    """K-07: the same plan, bit for bit."""
    from keeper.config.policies import policies
    from keeper.config.strategy import load_strategy
    from keeper.market import build_market
    from keeper.planning import make_plan
    from keeper.risk import assess

    settings = kept.settings
    policy = policies(settings, 6)
    strategy = load_strategy(settings.strategy.name, settings.strategy.parameters)
    with kept.keeper() as keeper:
        for price in (1_990, 1_700):
            kept.market(price)
            _tick(keeper)
        decisions = keeper.journal.decisions()
    assert {bool(d.intent) for d in decisions} == {True, False}
    for decision in decisions:
        market = build_market(decision.market.readings, policy.market)
        risk = assess(market)
        assert (market, risk) == (decision.market, decision.risk)
        plan = make_plan(market, risk, strategy(market, risk), policy.planning)
        assert plan == decision.plan


def test_a_calm_vault_is_left_alone(kept: Kept) -> None:
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.HELD
    assert kept.nonce() == 0


def test_a_stalled_oracle_is_not_traded_on(kept: Kept) -> None:
    """Health is under the band, the last answer is old: nothing is traded until it answers again."""
    set_market_price(kept.world, 1_700)
    kept.mine(400)  # 80 minutes of silence
    assert kept.health() < LOW
    with kept.keeper() as keeper:
        outcome = _abstains(kept, keeper)
        assert "old" in outcome.reason, outcome
        set_market_price(kept.world, 1_700)
        assert _tick(keeper).status is TickStatus.SENT
        assert keeper.last is not None
        assert keeper.last.plan is not None
        assert keeper.last.plan.trades_price


def test_disagreeing_price_sources_are_not_traded_on(kept: Kept) -> None:
    """The oracle fell and the pool's average did not: nobody knows who is right (K-12)."""
    set_market_price(kept.world, 1_700)
    with kept.keeper() as keeper:
        outcome = _abstains(kept, keeper)
    assert "average" in outcome.reason or "differ" in outcome.reason, outcome


def test_idle_dollars_protect_even_while_the_oracle_is_silent(world: World, tmp_path: Any) -> None:
    """Repaying has no price exposure: it stays possible."""
    kept = open_kept(world, tmp_path, idle=30_000)
    set_market_price(world, 1_650)
    kept.mine(400)
    before = kept.health()
    with kept.keeper() as keeper:
        outcome = keeper.tick()
        assert outcome.status is TickStatus.SENT, outcome
        _tick(keeper)
    assert kept.health() > before


def test_a_dry_run_decides_and_sends_nothing(kept: Kept) -> None:
    kept.market(1_700)
    block = kept.world.w3.eth.block_number
    with kept.keeper(dry_run=True) as keeper:
        outcome = keeper.tick()
    assert outcome.status is TickStatus.DRY, outcome
    assert "would send" in outcome.reason
    assert kept.nonce() == kept.pending() == 0
    assert kept.world.w3.eth.block_number == block


def test_a_vault_without_position_is_held(kept: Kept, tmp_path: Any) -> None:
    from keeper.localnet.vaults import deploy_vault

    empty = deploy_vault(kept.world, keepers=[kept.world.accounts.keeper])
    (tmp_path / "empty").mkdir()
    with Kept(kept.world, empty, tmp_path / "empty").keeper() as keeper:
        outcome = keeper.tick()
    assert (outcome.status, outcome.reason) == (
        TickStatus.HELD,
        "no position",
    )


@pytest.mark.usefixtures("held_back")
def test_a_reverted_transaction_costs_one_nonce_and_the_keeper_goes_on(kept: Kept) -> None:
    """Mined after its deadline, the vault refuses it; the next intent saves the vault."""
    _move_market(kept, 1_700)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        rpc(kept.world.w3, "evm_setNextBlockTimestamp", int(kept.now()) + 150)
        rpc(kept.world.w3, "evm_mine")
        assert (kept.nonce(), kept.rebalances()) == (1, 0)
        outcome = keeper.tick()
        assert keeper.last is not None
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.REVERTED]
        assert outcome.status is TickStatus.SENT, outcome
        kept.mine()
        assert (kept.nonce(), kept.rebalances()) == (2, 1)
        keeper.tick()
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.MINED]


@pytest.mark.usefixtures("held_back")
def test_an_intent_the_vault_would_refuse_is_never_sent(kept: Kept) -> None:
    """Simulation reverts: told with the vault's own words, no nonce lost, the keeper goes on."""
    _move_market(kept, 1_700)
    with kept.keeper() as keeper:
        head = keeper.head()
        readings = keeper.read()
        remove_keeper(kept.world, kept.deployment, kept.world.accounts.keeper)
        assert readings.mandate.keeper_allowed
        outcome = keeper.tick()  # the guard mirrors the mandate: refused before any simulation
        assert outcome.status is TickStatus.REFUSED
        assert "keeper" in outcome.reason
        assert keeper.head().number == head.number + 1
        add_keeper(kept.world, kept.deployment, kept.world.accounts.keeper)
        _move_market(kept, 1_700)
        assert keeper.tick().status is TickStatus.SENT
    assert kept.pending() == 1


@pytest.mark.usefixtures("held_back")
def test_a_stuck_transaction_is_outbid_and_takes_effect_once(kept: Kept) -> None:
    _move_market(kept, 1_700)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        for _ in range(3):  # heads go by and it is not mined
            rpc(kept.world.w3, "anvil_dropAllTransactions")
            kept.mine()
            assert keeper.tick().status is TickStatus.PENDING
        assert len(keeper.journal.actions()) > 1
        kept.mine()
        keeper.tick()
        assert keeper.last is not None
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.MINED]
    assert (kept.nonce(), kept.rebalances()) == (1, 1)


class _Killed(BaseException):
    """Stands for SIGKILL: nothing between it and the test may catch it."""


@pytest.mark.usefixtures("held_back")
@pytest.mark.parametrize("sent_before_death", [False, True])
def test_killed_around_the_broadcast_a_restart_ends_with_one_effect(
    kept: Kept, monkeypatch: pytest.MonkeyPatch, sent_before_death: bool
) -> None:
    """K-01: between journal and send, or between send and journal."""

    public = Outbox._public

    def die(outbox: Outbox, raw: str) -> tuple[Fate, str]:
        if sent_before_death:
            public(outbox, raw)
        raise _Killed

    _move_market(kept, 1_700)
    with monkeypatch.context() as patch, kept.keeper() as doomed:
        patch.setattr(Outbox, "_public", die)
        with pytest.raises(_Killed):
            doomed.tick()
    assert kept.pending() == int(sent_before_death)

    with kept.keeper() as restarted:
        if sent_before_death:
            kept.mine()
            restarted.tick()
            assert restarted.last is not None
            assert [r.status for r in restarted.last.settled] == [AttemptStatus.MINED]
        else:
            kept.mine()
            assert restarted.tick().status is TickStatus.PENDING  # sent again, the same bytes
            assert kept.pending() == 1
            kept.mine()
            restarted.tick()
        assert len(restarted.journal.actions(10)) == kept.rebalances() == 1
    assert kept.nonce() == 1


@pytest.mark.usefixtures("held_back")
def test_a_reorganisation_takes_the_effect_back_and_the_keeper_decides_again(kept: Kept) -> None:
    """Blocks that are gone are not read from; the vault is safe in the end, by one effect."""
    _move_market(kept, 1_700)
    kept.mine(3)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        gone = keeper.head()
        kept.mine()
        rpc(kept.world.w3, "anvil_rollback", 2)
        outcome = keeper.tick(gone)
        assert outcome.status is TickStatus.SKIPPED, outcome
        assert gone.hash in outcome.reason
        for _ in range(4):
            kept.mine()
            keeper.tick()
    assert kept.health() >= LOW
    assert kept.rebalances() >= 1


def _tick(keeper: Keeper) -> TickOutcome:
    """A tick after the node has mined what is in flight, which it does a moment after taking it."""
    for _ in range(100):
        outcome = keeper.tick()
        if outcome.status is not TickStatus.PENDING:
            return outcome
        time.sleep(0.05)
    raise AssertionError("what was sent is not mined")


def _abstains(kept: Kept, keeper: Keeper) -> TickOutcome:
    """Ticks until nothing more is done; what was done had no price exposure (V-07). The last outcome."""
    collateral = keeper.read().base_position.supplied
    for _ in range(3):
        outcome = _tick(keeper)
        if outcome.status is not TickStatus.SENT:
            break
        assert keeper.last is not None
        assert keeper.last.plan is not None
        assert not keeper.last.plan.trades_price  # repaying from idle is all that is left
    assert outcome.status in (TickStatus.SKIPPED, TickStatus.REFUSED), outcome
    assert keeper.read().base_position.supplied >= collateral
    assert kept.health() < LOW
    return outcome


def _move_market(kept: Kept, price: float) -> None:
    """As Kept.market, while blocks are held back."""
    rpc(kept.world.w3, "evm_setAutomine", True)
    kept.market(price)
    rpc(kept.world.w3, "evm_setAutomine", False)
