"""Work that is due, by the real keeper against the real contracts: the heart beats, epochs are settled."""

import pytest

from keeper.localnet.market import advance_to, set_market_price
from keeper.localnet.rpc import rpc, send
from keeper.localnet.vaults import claim, request_deposit
from keeper.model.decision import Beat, Rebalance, Settle
from keeper.model.outcome import AttemptStatus, TickStatus
from tests.integration.keeper.kept import DOLLAR, Kept

SILENCE_S = 6 * 3_600


def _later(kept: Kept, seconds: int) -> None:
    """Time passes, the feeds answer as before, and the pool's average with them."""
    advance_to(kept.world, int(kept.now()) + seconds)
    kept.mine(2)


def test_the_heart_is_beaten_before_it_counts_as_silent(kept: Kept) -> None:
    mandate = kept.world.contract("Mandate", kept.deployment.mandate).functions
    before = mandate.lastBeat().call()
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.HELD
        _later(kept, SILENCE_S // 2)
        outcome = keeper.tick()
        assert outcome.status is TickStatus.SENT, outcome
        assert keeper.last is not None
        assert keeper.last.intent is not None
        assert isinstance(keeper.last.intent.payload, Beat)
        kept.mine()
        outcome = keeper.tick()
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.MINED]
        assert outcome.status is TickStatus.HELD, outcome  # once is enough
    assert mandate.lastBeat().call() > before
    assert (kept.nonce(), kept.rebalances()) == (1, 0)


def test_a_rebalance_beats_the_heart_too(kept: Kept) -> None:
    _later(kept, SILENCE_S // 2)
    kept.market(1_700)
    mandate = kept.world.contract("Mandate", kept.deployment.mandate).functions
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        assert keeper.last is not None
        assert keeper.last.intent is not None
        assert isinstance(keeper.last.intent.payload, Rebalance)
        kept.mine()
    assert kept.now() - mandate.lastBeat().call() < 60


def test_an_epoch_is_settled_once_somebody_waits_and_it_is_over(kept: Kept) -> None:
    """V-17: a depositor's request is priced and claimable without the depositor's doing."""
    who = kept.world.accounts.depositor
    vault = kept.world.contract("Vault", kept.deployment.vault).functions
    with kept.keeper() as keeper:
        _later(kept, 700)
        assert keeper.tick().status is TickStatus.HELD  # over, and nobody waits
        request_deposit(kept.world, kept.deployment, who, 1_000 * DOLLAR)
        outcome = keeper.tick()
        assert outcome.status is TickStatus.SENT, outcome
        assert keeper.last is not None
        assert keeper.last.intent is not None
        assert isinstance(keeper.last.intent.payload, Settle)
        kept.mine()
        keeper.tick()
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.MINED]
    assert vault.claimableDepositRequest(0, who).call() == 1_000 * DOLLAR
    assert claim(kept.world, kept.deployment, who) > 0
    assert kept.nonce() == 1


def test_what_waits_is_not_used_to_protect(kept: Kept) -> None:
    """V-01: a deposit that waits lies in the vault, and no plan counts on it."""
    request_deposit(kept.world, kept.deployment, kept.world.accounts.depositor, 200_000 * DOLLAR)
    kept.market(1_700)
    with kept.keeper() as keeper:
        idle = keeper.read().idle_asset
        assert idle < 10_000 * DOLLAR
        assert keeper.tick().status is TickStatus.SENT
        assert keeper.last is not None
        assert keeper.last.plan is not None
        assert keeper.last.plan.trades_price


@pytest.mark.usefixtures("held_back")
def test_a_plan_for_a_state_that_is_gone_is_refused_and_made_anew(kept: Kept) -> None:
    """V-12: somebody settles between the decision and its block; the next decision is on the new state."""
    rpc(kept.world.w3, "evm_setAutomine", True)
    _later(kept, 700)
    kept.market(1_700)
    rpc(kept.world.w3, "evm_setAutomine", False)
    vault = kept.world.contract("Vault", kept.deployment.vault).functions
    tip = kept.world.w3.to_wei(2_000, "gwei")
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        first = vault.settle().transact(
            {
                "from": kept.world.accounts.developer,
                "maxPriorityFeePerGas": tip,
                "maxFeePerGas": tip,
                "gas": 1_000_000,
            }
        )
        kept.mine()
        assert kept.world.w3.eth.get_transaction_receipt(first)["status"] == 1
        outcome = keeper.tick()
        assert keeper.last is not None
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.REVERTED]
        assert outcome.status is TickStatus.SENT, outcome
        kept.mine()
        keeper.tick()
        assert [r.status for r in keeper.last.settled] == [AttemptStatus.MINED]
    assert kept.rebalances() == 1


def test_inside_the_cooldown_routine_waits_and_protection_does_not(kept: Kept) -> None:
    """K-05, V-08: the mandate's cooldown binds what does not reduce every risk."""
    set_market_price(kept.world, 2_000)
    with kept.keeper() as keeper:
        caps = keeper.read().mandate.terms.caps
        assert caps.cooldown_s == 60
    kept.market(1_700)
    sent = []
    with kept.keeper() as keeper:
        for _ in range(3):
            if keeper.tick().status is TickStatus.SENT:
                sent.append(kept.world.w3.eth.get_block("latest")["timestamp"])
            kept.mine()
    assert len(sent) >= 1
    mandate = kept.world.contract("Mandate", kept.deployment.mandate).functions
    assert mandate.lastRoutineAt().call() < sent[0] - 60  # what protects starts no cooldown


def test_a_stranger_may_settle_as_well(kept: Kept) -> None:
    """V-17: nobody's exit depends on the keeper."""
    _later(kept, 700)
    vault = kept.world.contract("Vault", kept.deployment.vault)
    send(kept.world.w3, vault.functions.settle(), kept.world.accounts.noise)
