"""One tick: read, decide, journal, act; every expected fault is an outcome, none a transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from keeper.errors import (
    EndpointError,
    FeeCeilingError,
    JournalError,
    RejectedError,
    ReorganisedError,
    SimulationReverted,
    TooSoonError,
    UnfundedError,
    WrongChainError,
    WrongVaultError,
)
from keeper.loop import Ports, TickRecord, TickRules, _breaker_pause, _paused, run_tick, tick
from keeper.model.block import BlockStamp
from keeper.model.decision import (
    Beat,
    Intent,
    Lane,
    MoveKind,
    Plan,
    Rebalance,
    Settle,
    Target,
    Verdict,
)
from keeper.model.exposure import RiskInputs
from keeper.model.market import MarketState, PriceFault, Readings
from keeper.model.outcome import AttemptResult, AttemptStatus, TickOutcome, TickStatus
from keeper.model.policy import ModulePolicy, Policies
from keeper.model.ports import RiskModules
from keeper.model.risk import RiskReport
from keeper.model.risk_report import ModuleResult, Standing
from keeper.model.units import WAD, Raw, Wad
from tests.builders import (
    CHAIN_ID,
    MANDATE,
    NOW,
    guard_policy,
    make_depositors,
    make_feed,
    make_limits,
    make_price,
    make_readings,
    market_policy,
    planning_policy,
)

POLICIES = Policies(market_policy(), planning_policy(), guard_policy())
ENDANGERED = make_readings(idle_asset=200_000)
RULES = TickRules(
    max_reverts=2, cooldown_blocks=2, breaker_blocks=50, protective_backoff_blocks=3,
    protective_backoff_max_blocks=20, revert_budget_wei=10**17, revert_budget_blocks=10,
)  # fmt: skip


@dataclass
class World:
    """All three ends in memory, and the order in which they were used."""

    readings: Readings = ENDANGERED
    pending: int = 0
    routine_pending: int = 0
    read_fails: Exception | None = None
    submit_fails: Exception | None = None
    settled: tuple[AttemptResult, ...] = ()
    reverts: tuple[int, ...] = ()
    burned_wei: int = 0
    count: int = 7
    failure: int | None = None
    waits_until: int = 0
    without_receipt: int = 0
    held_wei: int = 0
    day_blocks: int = 10
    inclusion: float | None = None
    calls: list[str] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    decided: list[tuple[Plan, Verdict, Intent | None]] = field(default_factory=list)
    outcomes: list[TickOutcome] = field(default_factory=list)
    journalled_for: list[tuple[str, int]] = field(default_factory=list)

    def head(self) -> BlockStamp:
        if self.read_fails:
            raise self.read_fails
        return self.readings.block

    def read(self, block: BlockStamp) -> Readings:
        assert block == self.readings.block
        self.calls.append("read")
        return self.readings

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        self.calls.append("follow")
        return self.settled

    def inclusion_blocks(self) -> float | None:
        return self.inclusion

    def routine_waits_until(self) -> int:
        return self.waits_until

    def unmined(self, lane: Lane) -> int:
        return self.in_flight(lane) - self.without_receipt

    def balance_wei(self, lane: Lane) -> int:
        assert lane is Lane.PROTECTIVE
        return self.held_wei

    def in_flight(self, lane: Lane | None = None) -> int:
        of_lane = {Lane.PROTECTIVE: self.pending, Lane.ROUTINE: self.routine_pending}
        return sum(of_lane.values()) if lane is None else of_lane[lane]

    def account_of(self, lane: Lane) -> str:
        return f"0x{lane}"

    def rehearse(self, intent: Intent) -> str:
        self.calls.append("rehearse")
        return "would send"

    def submit(self, intent: Intent) -> str:
        self.calls.append("submit")
        self.intents.append(intent)
        if self.submit_fails:
            raise self.submit_fails
        return "0xhash"

    def record_decision(  # noqa: PLR0917 - as the port
        self, market: MarketState, risk: RiskReport, target: Target, plan: Plan, verdict: Verdict,
        intent: Intent | None, *, account: str = "", fence: int = 0,
    ) -> None:  # fmt: skip
        self.calls.append("decision")
        self.decided.append((plan, verdict, intent))
        self.journalled_for.append((account, fence))

    def record_outcome(self, outcome: TickOutcome) -> None:
        self.calls.append("outcome")
        self.outcomes.append(outcome)

    def intent_count(self) -> int:
        return self.count

    def last_failure(self) -> int | None:
        return self.failure

    def mined_reverts(self, chain_id: int) -> tuple[int, ...]:
        assert chain_id == CHAIN_ID
        return self.reverts

    def reverted_gas_wei(self, chain_id: int, since_block: int) -> int:
        # of a day for the gas budget; since the last success for the danger
        since = {self.readings.block.number - self.day_blocks + 1, *self.reverts[-1:]}
        assert chain_id == CHAIN_ID
        assert since_block in since
        return self.burned_wei


def wants(health: float, lane: Lane = Lane.PROTECTIVE) -> Callable[..., Target]:
    return lambda market, risk: Target(lane, Wad(int(health * WAD)), None, "health is low")


def holds(_market: MarketState, _risk: RiskReport) -> Target:
    return Target(Lane.ROUTINE, None, None, "inside the band")


def run(
    world: World,
    strategy: Any = None,
    rules: TickRules = RULES,
    clock: Callable[[], float] = lambda: NOW,
    *,
    modules: RiskModules | None = None,
    policies: Policies = POLICIES,
) -> TickRecord:
    ports = Ports(world, world, world, modules)
    return run_tick(ports, policies, strategy or wants(1.6), clock, rules=rules)


def test_an_endangered_vault_is_acted_on_in_the_order_of_the_design() -> None:
    """K-03: the decision is journalled before anything is signed."""
    world = World()
    record = run(world)
    assert record.outcome.status is TickStatus.SENT, record.outcome
    assert world.calls == ["follow", "read", "decision", "submit", "outcome"]
    (intent,) = world.intents
    assert record.outcome.intent_id == intent.id
    assert record.outcome.tx_hash == "0xhash"
    assert intent.block_hash == ENDANGERED.block.hash
    assert intent.deadline == ENDANGERED.block.timestamp + RULES.deadline_s
    assert world.outcomes == [record.outcome]


def test_tick_returns_what_run_tick_ended_with() -> None:
    world = World()
    ports = Ports(world, world, world)
    outcome = tick(ports, POLICIES, holds, lambda: NOW, block=ENDANGERED.block)
    assert outcome == TickOutcome(ENDANGERED.block.number, TickStatus.HELD, "inside the band")


def test_the_same_readings_give_the_same_intent() -> None:
    """K-07."""
    first, second = World(), World()
    run(first)
    run(second)
    assert first.intents == second.intents


def test_the_same_moves_decided_again_are_another_intent() -> None:
    first, second = World(), World(count=8)
    run(first)
    run(second)
    assert first.intents[0].id != second.intents[0].id


def test_holding_is_journalled_and_sends_nothing() -> None:
    world = World()
    assert run(world, holds).outcome.status is TickStatus.HELD
    assert world.calls == ["follow", "read", "decision", "outcome"]


def test_while_protection_is_in_flight_nothing_new_is_decided() -> None:
    world = World(pending=1)
    assert run(world).outcome.status is TickStatus.PENDING
    assert world.calls == ["follow", "outcome"]


def test_protection_is_decided_and_sent_while_a_routine_intent_is_in_flight() -> None:
    """K-05."""
    world = World(routine_pending=1)
    assert run(world).outcome.status is TickStatus.SENT
    assert [intent.lane for intent in world.intents] == [Lane.PROTECTIVE]
    assert world.journalled_for == [("0xprotective", 0)]


@pytest.mark.parametrize("strategy", ["routine", "beat"])
def test_routine_work_waits_for_a_routine_intent_in_flight(strategy: str) -> None:
    readings = make_readings(debt_asset=1_500_000, last_beat=QUIET)
    world = World(readings, routine_pending=1)
    chosen = wants(1.3, Lane.ROUTINE) if strategy == "routine" else holds
    outcome = run(world, chosen).outcome
    assert (outcome.status, outcome.reason) == (
        TickStatus.PENDING,
        "a routine intent is in flight",
    )
    assert not world.intents


def test_a_protective_intent_carries_what_lateness_would_cost_and_a_routine_one_does_not() -> None:
    """K-06."""
    endangered = World()
    run(endangered)
    (protective,) = endangered.intents
    assert protective.value_at_risk_wei > 0
    assert protective.needed_by >= ENDANGERED.block.timestamp
    safe = World(make_readings(debt_asset=1_500_000))
    run(safe, wants(1.3, Lane.ROUTINE))
    assert (safe.intents[0].value_at_risk_wei, safe.intents[0].needed_by) == (0, 0)


def test_what_was_settled_is_in_the_record() -> None:
    result = AttemptResult("0x1", "0x2", AttemptStatus.MINED, 99, 1, 1)
    assert run(World(settled=(result,)), holds).settled == (result,)


@pytest.mark.parametrize(
    "error",
    [
        EndpointError("http://e", "eth_call", "could not connect"),
        WrongChainError("http://e", 1, 10),
        ReorganisedError("0xab"),
    ],
)
def test_a_fault_of_reading_skips_the_tick_with_its_reason(error: Exception) -> None:
    world = World(read_fails=error)
    outcome = run(world).outcome
    assert (outcome.status, outcome.reason) == (TickStatus.SKIPPED, str(error))
    assert world.calls == ["outcome"]


def test_a_vault_without_position_is_held() -> None:
    world = World(make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000))
    outcome = run(world).outcome
    assert (outcome.status, outcome.reason) == (
        TickStatus.HELD,
        "no position to protect or to lever",
    )
    assert "submit" not in world.calls


def test_a_hedge_may_open_in_a_vault_that_holds_only_dollars() -> None:
    def buys(market: MarketState, risk: RiskReport) -> Target:
        return Target(Lane.ROUTINE, None, Raw(10 * WAD), "ten whole base tokens")

    world = World(make_readings(supplied_base=0, debt_asset=0, idle_asset=100_000))
    outcome = run(world, buys).outcome
    assert outcome.status is TickStatus.SENT, outcome
    payload = world.intents[0].payload
    assert isinstance(payload, Rebalance)
    assert [move.kind for move in payload.plan.moves] == [MoveKind.SWAP]


def test_an_old_head_is_not_decided_on() -> None:
    outcome = run(World(), clock=lambda: NOW + 181).outcome
    assert outcome.status is TickStatus.SKIPPED
    assert "181 s old" in outcome.reason
    assert run(World(), clock=lambda: NOW + 180).outcome.status is TickStatus.SENT


def test_what_is_in_flight_is_followed_also_at_an_old_head() -> None:
    world = World()
    run(world, clock=lambda: NOW + 10_000)
    assert world.calls == ["follow", "outcome"]


@pytest.mark.parametrize(("ahead", "refused"), [(60, False), (61, True)])
def test_a_head_of_the_future_is_not_acted_on(ahead: int, refused: bool) -> None:
    """Nor followed: by its time what is in flight would be given up."""
    world = World()
    outcome = run(world, clock=lambda: NOW - ahead).outcome
    assert (outcome.status is TickStatus.SKIPPED) == refused, outcome
    assert ("61 s ahead of the clock" in outcome.reason) == refused
    assert ("follow" in world.calls) != refused
    assert outcome.block_number == ENDANGERED.block.number


def _with_price(**change: Any) -> Readings:
    return replace(ENDANGERED, idle_asset=Raw(0), price=replace(make_price(), **change))


@pytest.mark.parametrize(
    ("readings", "word"),
    [
        (_with_price(fault=PriceFault.STALE, base=make_feed(age_s=90_000, fault=PriceFault.STALE)), "old"),
        (_with_price(price_wad=Wad(0), fault=PriceFault.NOT_POSITIVE, base=make_feed(answer=0)), ""),
        (_with_price(price_wad=Wad(0), fault=PriceFault.NOT_POSITIVE, base=make_feed(answer=-5)), ""),
        (_with_price(fault=PriceFault.DEVIATES, twap_wad=Wad(1500 * WAD), deviation_bps=2500), ""),
    ],
)  # fmt: skip
def test_a_price_that_cannot_be_trusted_is_not_traded_on(readings: Readings, word: str) -> None:
    """Stale, zero, negative, or sources that disagree."""
    world = World(replace(readings, nav_valid=False))
    outcome = run(world).outcome
    assert outcome.status in (TickStatus.SKIPPED, TickStatus.REFUSED)
    assert word in outcome.reason
    assert outcome.reason
    assert world.intents == []


@pytest.mark.parametrize(
    "error",
    [
        SimulationReverted("HealthTooLow()"),
        UnfundedError("0xa", 0, 1),
        RejectedError("0xh", "no"),
        FeeCeilingError(2, 1),
    ],
)
def test_a_fault_of_sending_fails_the_tick_with_its_reason(error: Exception) -> None:
    world = World(submit_fails=error)
    outcome = run(world).outcome
    assert (outcome.status, outcome.reason) == (TickStatus.FAILED, str(error))
    assert outcome.intent_id == world.intents[0].id


def test_a_routine_plan_that_comes_too_soon_is_held_and_a_protective_one_has_failed() -> None:
    error = TooSoonError("CooldownActive(until=9, timestamp=8)", 9)
    safe = make_readings(debt_asset=1_500_000)
    held = run(World(safe, submit_fails=error), strategy=wants(1.3, Lane.ROUTINE)).outcome
    assert (held.status, held.reason) == (TickStatus.HELD, str(error))
    assert run(World(submit_fails=error)).outcome.status is TickStatus.FAILED


def test_after_a_rescue_routine_plans_wait_and_beats_go_on() -> None:
    """Only the first simulation meets the mandate's refusal; the heart must not fall silent for a day."""
    safe = make_readings(debt_asset=1_500_000, last_beat=QUIET)
    waiting = World(safe, waits_until=safe.block.timestamp + 60)
    record = run(waiting, strategy=wants(1.3, Lane.ROUTINE))
    assert record.outcome.status is TickStatus.SENT
    assert isinstance(waiting.intents[0].payload, Beat)
    over = World(safe, waits_until=safe.block.timestamp)
    run(over, strategy=wants(1.3, Lane.ROUTINE))
    assert isinstance(over.intents[0].payload, Rebalance)
    endangered = World(waits_until=safe.block.timestamp + 60)
    assert run(endangered).outcome.status is TickStatus.SENT


def test_a_dry_run_rehearses_and_submits_nothing() -> None:
    world = World()
    outcome = run(world, rules=replace(RULES, dry_run=True)).outcome
    assert outcome.status is TickStatus.DRY
    assert "would send" in outcome.reason
    assert world.calls == ["follow", "read", "decision", "rehearse", "outcome"]


def test_the_guards_refusals_are_all_told() -> None:
    world = World(make_readings(idle_asset=200_000, keeper_allowed=False))
    record = run(world)
    assert record.outcome.status is TickStatus.REFUSED
    assert "keeper: " in record.outcome.reason
    assert world.decided[0][2] is None
    assert world.intents == []


@pytest.mark.parametrize(
    ("lane", "reverts", "failure", "waits"),
    [
        (Lane.ROUTINE, (), None, ""),
        (Lane.ROUTINE, (), 99, "cooldown"),
        (Lane.ROUTINE, (), 98, ""),
        (Lane.ROUTINE, (), 5_000, ""),  # a journal of another chain says nothing
        (Lane.ROUTINE, (99,), None, ""),
        (Lane.ROUTINE, (99, 90), None, "breaker"),
        (Lane.ROUTINE, (51, 40), None, "breaker"),
        (Lane.ROUTINE, (50, 40), None, ""),
        (Lane.PROTECTIVE, (), 99, ""),  # protection waits for no cooldown
        (Lane.PROTECTIVE, (99, 90), None, "breaker"),  # and after reverts for a few blocks only
        (Lane.PROTECTIVE, (97, 90), None, ""),
        # each further revert doubles that: 6, 12, then no more than 20
        (Lane.PROTECTIVE, (95, 90, 80), None, "breaker"),
        (Lane.PROTECTIVE, (94, 90, 80), None, ""),
        (Lane.PROTECTIVE, (89, 80, 70, 60), None, "breaker"),
        (Lane.PROTECTIVE, (88, 80, 70, 60), None, ""),
        (Lane.PROTECTIVE, (81, *range(80, 0, -1)), None, "breaker"),
        (Lane.PROTECTIVE, (80, *range(79, 0, -1)), None, ""),
        # a head behind the last revert closes no breaker
        (Lane.PROTECTIVE, (101, 100), None, "breaker"),
        (Lane.ROUTINE, (104, 100), None, "breaker"),
    ],
)
def test_pauses_after_failures(
    lane: Lane, reverts: tuple[int, ...], failure: int | None, waits: str
) -> None:
    """K-11, at block 100."""
    world = World(reverts=reverts, failure=failure)
    outcome = run(world, wants(1.6, lane)).outcome
    assert outcome.status is (TickStatus.REFUSED if waits else TickStatus.SENT), outcome
    assert outcome.reason.startswith(waits)


@pytest.mark.parametrize(
    ("lane", "burned", "waits"),
    [
        (Lane.ROUTINE, 10**17 - 1, False),
        (Lane.ROUTINE, 10**17, True),
        (Lane.PROTECTIVE, 10**20, False),
    ],
)
def test_what_reverts_may_cost_in_a_day_stops_routine_plans_and_never_protection(
    lane: Lane, burned: int, waits: bool
) -> None:
    """K-11, however far apart the reverts are; protection is only slowed down by its pauses."""
    outcome = run(World(burned_wei=burned), wants(1.6, lane)).outcome
    assert outcome.status is (TickStatus.REFUSED if waits else TickStatus.SENT), outcome
    assert ("gas budget: reverts cost 0.1000 ETH" in outcome.reason) is waits


def test_by_default_a_vault_that_always_reverts_costs_fewer_than_two_hundred_transactions_a_day() -> (
    None
):
    reverts: list[int] = []
    for number in range(100, 7_300):
        pause = _breaker_pause(TickRules(), Lane.PROTECTIVE, len(reverts[-100:]))
        if not reverts or number >= reverts[-1] + pause:
            reverts.append(number)
    assert len(reverts) < 200


ETHER = 10**18


@pytest.mark.parametrize(
    ("health", "burned_wei", "held_wei", "waits"),
    [
        (1.29, 0, ETHER, False),
        (1.29, ETHER // 10, 9 * ETHER // 10 + 1, False),
        (1.29, ETHER // 10, 9 * ETHER // 10, True),  # a tenth of what there was: slower again
        (1.29, 0, 0, True),  # nobody knows what there is
        (
            1.31,
            ETHER // 2,
            99 * ETHER // 2,
            True,
        ),  # the minimum holds: a hundredth, for there is time
        (1.31, ETHER // 2 - 1, 99 * ETHER // 2 + 1, False),
    ],
)
def test_under_the_mandates_minimum_protection_does_not_pause_until_reverts_cost_a_tenth(
    health: float, burned_wei: int, held_wei: int, waits: bool
) -> None:
    """K-11: reverts cannot burn the account, and K-05: a pause in a fall is a liquidation."""
    limits = make_limits(min_health=1.3)
    readings = make_readings(idle_asset=200_000, limits=limits)
    account = replace(readings.account, health_wad=Wad(int(health * WAD)))
    world = World(
        replace(readings, account=account),
        reverts=(99, 95, 90),
        burned_wei=burned_wei,
        held_wei=held_wei,
    )
    outcome = run(world, wants(1.6, Lane.PROTECTIVE)).outcome
    assert outcome.status is (TickStatus.REFUSED if waits else TickStatus.SENT), outcome
    assert ("breaker" in outcome.reason) is waits


@pytest.mark.parametrize("health", [1.29, 1.31])
@pytest.mark.parametrize(
    ("burned_wei", "reverts", "waits"),
    [
        (10**18 - 1, (79, 78, 77, 76, 75), False),  # no longer than 20 blocks
        (10**18, (79, 78, 77, 76, 75), True),  # 24 blocks of 5 in a row, and not over yet
        (10**18, (76, 75, 74, 73, 72), False),
        (10**18, (53, *range(52, 46, -1)), True),  # 96
        (10**20, (3, 2), False),  # it is never stopped
        (10**20, (99,), False),  # nor while it does not revert in a row
    ],
)
def test_over_the_days_budget_what_reverts_over_and_over_is_tried_ever_less_often(
    health: float, burned_wei: int, reverts: tuple[int, ...], waits: bool
) -> None:
    """K-11: danger or not, for it saves nothing."""
    readings = make_readings(idle_asset=200_000, limits=make_limits(min_health=1.3))
    account = replace(readings.account, health_wad=Wad(int(health * WAD)))
    world = World(
        replace(readings, account=account),
        reverts=reverts,
        burned_wei=burned_wei,
        held_wei=10**24,  # so rich that a tenth of it is no bound
        day_blocks=7_200,
    )
    rules = replace(RULES, revert_budget_blocks=7_200)
    outcome = run(world, wants(1.6, Lane.PROTECTIVE), rules=rules).outcome
    assert outcome.status is (TickStatus.REFUSED if waits else TickStatus.SENT), outcome
    assert ("breaker" in outcome.reason) is waits


@pytest.mark.parametrize(
    ("burned_wei", "held_wei", "debt", "waits"),
    [
        (12 * ETHER, 10**24, 2_400_000, False),  # a liquidation would take sixty ether
        (15 * ETHER, 10**24, 2_400_000, True),  # a quarter of them
        (2 * ETHER, 10**24, 8_000, True),  # a fifth of one ether is at stake
        (2 * ETHER, 7 * ETHER, 2_400_000, False),
        (2 * ETHER, 6 * ETHER, 2_400_000, True),  # a quarter of the account
    ],
)
def test_at_the_edge_reverts_may_cost_a_quarter_of_what_a_liquidation_would(
    burned_wei: int, held_wei: int, debt: float, waits: bool
) -> None:
    """K-11 and K-05: the day's budget is for what is not worth more, and never for more than the account bears."""
    limits = make_limits(min_health=1.3)
    readings = make_readings(
        supplied_base=debt / 2_000 / 0.83 * 0.999, debt_asset=debt, idle_asset=debt, limits=limits
    )
    world = World(
        readings,
        reverts=(99, 98, 97, 96),
        burned_wei=burned_wei,
        held_wei=held_wei,
        day_blocks=7_200,
    )
    rules = replace(RULES, revert_budget_blocks=7_200)
    outcome = run(world, wants(1.6, Lane.PROTECTIVE), rules=rules).outcome
    assert outcome.status is (TickStatus.REFUSED if waits else TickStatus.SENT), outcome
    assert ("breaker" in outcome.reason) is waits


def test_reverting_protection_cannot_burn_the_gas_account() -> None:
    """K-11, in wei a day: the budget, the revert that crosses it, and a dozen tries; whatever health is.

    A day of nothing but reverts at a fifth of an ether each, always in danger, with a thousand in the account.
    """
    rules, cost = TickRules(), ETHER // 5
    readings = make_readings(idle_asset=200_000, limits=make_limits(min_health=1.3))
    readings = replace(readings, account=replace(readings.account, health_wad=Wad(WAD)))
    reverts: list[int] = []
    for number in range(10_000, 10_000 + rules.revert_budget_blocks):
        block = replace(readings.block, number=number)
        spent = len(reverts) * cost
        world = World(
            replace(readings, block=block),
            reverts=tuple(reversed(reverts)),
            burned_wei=spent,
            held_wei=1_000 * ETHER - spent,
            day_blocks=rules.revert_budget_blocks,
        )
        ports = Ports(world, world, world)
        if not _paused(ports, rules, Lane.PROTECTIVE, replace(readings, block=block)):
            reverts.append(number)
    crossed = -(-rules.protective_revert_budget_wei // cost)
    assert crossed < len(reverts) <= crossed + 13
    assert len(reverts) * cost < 4 * rules.protective_revert_budget_wei


def test_danger_spares_routine_plans_no_pause() -> None:
    limits = make_limits(min_health=3.0)
    world = World(
        make_readings(idle_asset=200_000, limits=limits), reverts=(99, 95, 90), held_wei=ETHER
    )
    assert run(world, wants(1.6, Lane.ROUTINE)).outcome.status is TickStatus.REFUSED


def test_protection_waits_for_no_receipt() -> None:
    """K-05: whose nonce is used is mined, and what is decided now is bound to a state that has its effect."""
    assert run(World(pending=1)).outcome.status is TickStatus.PENDING
    assert run(World(pending=1, without_receipt=1)).outcome.status is TickStatus.SENT


@pytest.mark.parametrize("fails", [EndpointError("e", "m", "no"), None])
def test_a_block_that_could_not_be_read_is_worth_another_try(fails: Exception | None) -> None:
    assert run(World(read_fails=fails)).unread is (fails is not None)


def test_a_head_may_be_ahead_of_the_clock_as_far_as_the_rules_say() -> None:
    late = lambda: NOW - 900  # noqa: E731
    assert run(World(), clock=late).outcome.status is TickStatus.SKIPPED
    record = run(World(), clock=late, rules=replace(RULES, max_head_ahead_s=1_000))
    assert record.outcome.status is TickStatus.SENT


def test_the_breaker_says_until_when() -> None:
    outcome = run(World(reverts=(99, 90)), wants(1.6, Lane.ROUTINE)).outcome
    assert "2 reverts in a row; routine plans wait until block 149" in outcome.reason


@pytest.mark.parametrize(
    "error", [WrongVaultError("0xv", "gone", "look"), JournalError("j", "disk full"), KeyError("x")]
)
def test_what_the_loop_does_not_understand_stops_it(error: Exception) -> None:
    with pytest.raises(type(error)):
        run(World(read_fails=error))


# ------------------------------------------------------------------ work that is due

CALM = make_readings(debt_asset=1_500_000)
QUIET = NOW - 1_800
"""Half the mandate's silence ago."""
WAITED_FOR = make_depositors(pending_redemptions=1, due_in_s=0)


def test_a_heart_that_is_due_is_beaten_through_the_same_pipeline() -> None:
    """K-03 holds for it as for a rebalance."""
    world = World(make_readings(debt_asset=1_500_000, last_beat=QUIET))
    record = run(world, holds)
    assert record.outcome.status is TickStatus.SENT
    assert world.calls == ["follow", "read", "decision", "submit", "outcome"]
    assert world.intents[0].payload == Beat(MANDATE, QUIET)
    assert world.decided[0][2] == world.intents[0]


def test_an_epoch_that_somebody_waits_for_is_settled() -> None:
    world = World(make_readings(debt_asset=1_500_000, depositors=WAITED_FOR))
    outcome = run(world, holds).outcome
    assert outcome.status is TickStatus.SENT
    assert "epoch 3" in outcome.reason
    assert world.intents[0].payload == Settle(3)


def test_a_vault_without_a_position_is_settled_too() -> None:
    world = World(
        make_readings(supplied_base=0, debt_asset=0, idle_asset=1_000, depositors=WAITED_FOR)
    )
    assert run(world).outcome.status is TickStatus.SENT


def test_a_plan_goes_before_work_that_is_due() -> None:
    """K-05: protection waits for nothing, and every rebalance beats the heart anyway."""
    world = World(make_readings(idle_asset=200_000, last_beat=QUIET, depositors=WAITED_FOR))
    run(world)
    assert isinstance(world.intents[0].payload, Rebalance)


def test_a_keeper_that_cannot_protect_does_not_say_that_it_is_there() -> None:
    """Silence is what lets others protect the vault in its place."""
    world = World(
        make_readings(
            idle_asset=200_000, last_beat=QUIET, depositors=WAITED_FOR, keeper_allowed=False
        )
    )
    outcome = run(world).outcome
    assert outcome.status is TickStatus.REFUSED
    assert not world.intents


def test_a_routine_plan_that_is_refused_does_not_stop_the_heart() -> None:
    limits = make_limits(max_loss_bps=0)
    world = World(make_readings(debt_asset=1_500_000, last_beat=QUIET, limits=limits))
    record = run(world, wants(1.7, Lane.ROUTINE))
    assert record.outcome.status is TickStatus.SENT
    assert isinstance(world.intents[0].payload, Beat)


@pytest.mark.parametrize(
    ("world", "why"),
    [
        (World(make_readings(debt_asset=1_500_000, last_beat=QUIET), reverts=(99, 98)), "breaker"),
        (World(make_readings(debt_asset=1_500_000, last_beat=QUIET), failure=99), "cooldown"),
        (
            World(make_readings(debt_asset=1_500_000, last_beat=QUIET, base_fee_gwei=101)),
            "base-fee",
        ),
        (
            World(make_readings(debt_asset=1_500_000, last_beat=QUIET, keeper_allowed=False)),
            "keeper",
        ),
    ],
)
def test_due_work_is_held_back_as_routine_plans_are(world: World, why: str) -> None:
    """K-11."""
    outcome = run(world, holds).outcome
    assert outcome.status is TickStatus.REFUSED
    assert why in outcome.reason
    assert not world.intents


def test_due_work_is_rehearsed_in_a_dry_run() -> None:
    world = World(make_readings(debt_asset=1_500_000, last_beat=QUIET))
    assert run(world, holds, replace(RULES, dry_run=True)).outcome.status is TickStatus.DRY
    assert "submit" not in world.calls


def test_nothing_due_is_held() -> None:
    assert run(World(CALM), holds).outcome.status is TickStatus.HELD


@dataclass
class Modules:
    """Third parties in memory."""

    results: tuple[ModuleResult, ...]
    asked: int = 0

    def ask(self, market: MarketState) -> tuple[ModuleResult, ...]:
        self.asked += 1
        return self.results

    def close(self) -> None:
        raise AssertionError("the loop ends nothing")


VETO = ModuleResult("moon", Standing.BREACH, "the moon is full", (), "")
SILENT = ModuleResult("sun", Standing.UNKNOWN, "", (), "gave no answer within 0.25 s")
CONTENT = ModuleResult("star", Standing.OK, "", (), "")
LAX = replace(POLICIES, modules=ModulePolicy(silence_refuses=False))


def test_a_modules_veto_stops_a_routine_plan_and_is_journalled() -> None:
    world, modules = World(), Modules((CONTENT, VETO))
    record = run(world, wants(1.6, Lane.ROUTINE), modules=modules)
    assert record.outcome.status is TickStatus.REFUSED
    assert record.outcome.reason == "risk module moon: the moon is full"
    ((_, verdict, intent),) = world.decided
    assert [(r.rule, r.message) for r in verdict.refusals] == [
        ("risk module moon", "the moon is full")
    ]
    assert intent is None
    assert record.modules == (CONTENT, VETO)
    assert "submit" not in world.calls


def test_no_module_stops_or_delays_protection() -> None:
    world, modules = World(), Modules((VETO, SILENT))
    assert run(world, modules=modules).outcome.status is TickStatus.SENT
    assert modules.asked == 0


@pytest.mark.parametrize(
    ("policies", "status"), [(POLICIES, TickStatus.REFUSED), (LAX, TickStatus.SENT)]
)
def test_a_silent_module_refuses_unless_its_silence_is_let_pass(
    policies: Policies, status: TickStatus
) -> None:
    world = World()
    routine = wants(1.6, Lane.ROUTINE)
    record = run(world, routine, modules=Modules((SILENT,)), policies=policies)
    assert record.outcome.status is status
    if status is TickStatus.REFUSED:
        assert record.outcome.reason == (
            "risk module sun: has not answered: gave no answer within 0.25 s"
        )


def test_a_veto_counts_also_where_silence_is_let_pass() -> None:
    modules = Modules((VETO,))
    outcome = run(World(), wants(1.6, Lane.ROUTINE), modules=modules, policies=LAX).outcome
    assert outcome.status is TickStatus.REFUSED


def test_a_content_module_lets_a_routine_plan_pass() -> None:
    modules = Modules((CONTENT,))
    assert run(World(), wants(1.6, Lane.ROUTINE), modules=modules).outcome.status is TickStatus.SENT
    assert modules.asked == 1


def test_modules_are_not_asked_where_nothing_is_planned() -> None:
    modules = Modules((VETO,))
    assert run(World(), holds, modules=modules).outcome.status is TickStatus.HELD
    assert modules.asked == 0


def test_strategies_see_the_health_the_forecast_asks_for() -> None:
    seen: list[RiskReport] = []

    def looks(market: MarketState, risk: RiskReport) -> Target:
        seen.append(risk)
        return holds(market, risk)

    run(World(), looks)
    run(World(), looks, policies=replace(POLICIES, risk=RiskInputs(volatility=0.8)))
    assert seen[0].collateral is None
    assert seen[1].collateral is not None
    assert seen[1].collateral.low > 1.05


def test_the_slower_recent_blocks_take_protection_in_the_earlier_it_begins() -> None:
    """The health under which the strategy asks for protection leaves time for what inclusion takes now."""
    seen: list[float] = []

    def looks(market: MarketState, risk: RiskReport) -> Target:
        assert risk.collateral is not None
        seen.append(risk.collateral.low)
        return holds(market, risk)

    policies = replace(POLICIES, risk=RiskInputs(volatility=0.8))
    usual = policies.risk.tempo.inclusion_blocks
    for blocks in (None, usual, 4.0, 10.0):
        run(World(inclusion=blocks), looks, policies=policies)
    assert seen[0] == seen[1] < seen[2] < seen[3]
