"""One pass of the pipeline for one block. Knows the stages, not the world."""

from dataclasses import dataclass, field, replace

from keeper.clock import Clock
from keeper.errors import ReadError, SendError, TooSoonError
from keeper.execution.intents import make_intent, rebalance_of
from keeper.execution.worth import NO_STAKE, WorthPolicy, stake_of, value_at_risk_wei
from keeper.guard import check, check_upkeep
from keeper.market import build_market
from keeper.model.block import BlockStamp
from keeper.model.control import FREE, Control
from keeper.model.decision import (
    Beat,
    Intent,
    Lane,
    Payload,
    Plan,
    Rebalance,
    Refusal,
    Target,
    Verdict,
)
from keeper.model.exposure import Exposure, RiskInputs
from keeper.model.market import MarketState, Readings
from keeper.model.outcome import AttemptResult, TickOutcome, TickStatus
from keeper.model.outlook import Outlook
from keeper.model.policy import Policies
from keeper.model.ports import (
    ChainReader,
    Executor,
    Journal,
    RiskModules,
    Strategy,
    Surroundings,
)
from keeper.model.quick import quick
from keeper.model.risk import RiskReport
from keeper.model.risk_report import ModuleResult
from keeper.model.units import BPS
from keeper.planning import due_work, make_plan
from keeper.risk import assess, module_refusals


@dataclass(frozen=True, slots=True)
class Ports:
    """The ends that touch the world."""

    chain: ChainReader
    executor: Executor
    journal: Journal
    modules: RiskModules | None = None
    control: Control = FREE
    """What people and leadership forbid."""
    surroundings: Surroundings | None = None
    """Forecasts and other venues; without them the risk policy's forecast is all that is known."""


@dataclass(frozen=True, slots=True)
class TickRules:
    """How the loop behaves around the stages."""

    deadline_s: int = 120
    """Life of an intent after its block."""
    max_head_age_s: int = 180
    """A head older than this by the clock is not decided on."""
    max_head_ahead_s: int = 60
    """Nor one further ahead of it: clocks differ, but not by more. Simulated chains need more."""
    cooldown_blocks: int = 2
    """Pause of routine plans after a failed simulation or sending."""
    max_reverts: int = 3
    """Mined reverts in a row that open the breaker."""
    breaker_blocks: int = 100
    """Pause of routine plans while the breaker is open."""
    protective_backoff_blocks: int = 5
    """First pause of protective plans while the breaker is open (K-11: a revert burns gas on any lane).
    It doubles with every further revert in a row; a success ends it."""
    protective_backoff_max_blocks: int = 40
    """Longest of these pauses, until reverts of a day cost `protective_revert_budget_wei`."""
    protective_revert_budget_wei: int = 10**18
    """What reverts may cost in `revert_budget_blocks` before protection that reverts over and over is tried ever
    less often: its pauses then double up to `revert_budget_blocks`, danger or not, so a day over the budget has no
    more tries than there are doublings (about ten). It is never stopped, and a success ends it."""
    danger_burn_bps: int = 1_000
    """Under the mandate's minimum health protection does not pause, until reverts since the last success cost
    this share of what the account held before them: a pause in a fall is a liquidation."""
    calm_burn_bps: int = 100
    """The same above that minimum: the first pauses are for reverts that cost something."""
    stake_burn_bps: int = 2_500
    """All these bounds, and the day's budget below, are at least this share of what lateness is expected to cost
    (a liquidation's penalty times its probability), but no more than the same share of the account."""
    revert_budget_wei: int = 5 * 10**17
    """What reverts may cost in `revert_budget_blocks`; then routine plans wait until the oldest are past.
    Protection is only slowed down by its pauses: what it saves is worth more than gas."""
    revert_budget_blocks: int = 7_200
    """A day of 12 s blocks."""
    stop_patience_s: float = 30.0
    """How long a keeper that is told to stop waits for what is in flight."""
    worth: WorthPolicy = field(default_factory=WorthPolicy)
    """How lateness of protection is valued: the ceiling of its fees (K-06)."""
    dry_run: bool = False
    """Do everything but sign and send."""


PASSED = Verdict(())


@quick
@dataclass(frozen=True, slots=True)
class TickRecord:
    """Everything one tick saw and decided; parts a tick did not reach are None."""

    outcome: TickOutcome
    block: BlockStamp | None = None
    settled: tuple[AttemptResult, ...] = ()
    market: MarketState | None = None
    risk: RiskReport | None = None
    target: Target | None = None
    plan: Plan | None = None
    modules: tuple[ModuleResult, ...] = ()
    """What third-party risk modules said, if they were asked."""
    verdict: Verdict | None = None
    intent: Intent | None = None
    vault: str = ""
    """What a keeper of several calls the vault."""
    unread: bool = False
    """True if the block could not be read to the end: the same block is worth another try."""


def tick(
    ports: Ports,
    policies: Policies,
    strategy: Strategy,
    clock: Clock,
    *,
    rules: TickRules | None = None,
    block: BlockStamp | None = None,
) -> TickOutcome:
    """Read, decide, journal, act, once. Expected faults become the outcome; others are raised."""
    return run_tick(ports, policies, strategy, clock, rules=rules, block=block).outcome


def run_tick(
    ports: Ports,
    policies: Policies,
    strategy: Strategy,
    clock: Clock,
    *,
    rules: TickRules | None = None,
    block: BlockStamp | None = None,
) -> TickRecord:
    """As `tick`, with all that was seen on the way."""
    rules = rules or TickRules()
    decided = decide_tick(ports, policies, strategy, clock, rules=rules, block=block)
    return finish_tick(ports, rules, decided)


def decide_tick(
    ports: Ports,
    policies: Policies,
    strategy: Strategy,
    clock: Clock,
    *,
    rules: TickRules,
    block: BlockStamp | None = None,
) -> TickRecord:
    """The first half of a tick: up to the journalled decision. Nothing is signed before `finish_tick`."""
    settled: tuple[AttemptResult, ...] = ()
    try:
        if block is None:
            block = ports.chain.head()
        _refuse_future(block, clock, rules.max_head_ahead_s)
        settled = ports.executor.follow(block)
        age = clock() - block.timestamp
        if age > rules.max_head_age_s:
            return _early(block, settled, TickStatus.SKIPPED, f"newest block is {age:.0f} s old")
        if ports.executor.unmined(Lane.PROTECTIVE):
            reason = "a protective intent is in flight"
            return _early(block, settled, TickStatus.PENDING, reason)
        return _decide(ports, policies, strategy, rules=rules, seen=(block, settled))
    except ReadError as error:
        return replace(_early(block, settled, TickStatus.SKIPPED, str(error)), unread=True)


def finish_tick(ports: Ports, rules: TickRules, record: TickRecord) -> TickRecord:
    """The second half: what was decided is done, and how the tick ended is journalled."""
    try:
        record = _act(ports, rules, record)
    except ReadError as error:
        record = replace(_ended(record, TickStatus.SKIPPED, str(error)), unread=True)
    ports.journal.record_outcome(record.outcome)
    return record


def _early(
    block: BlockStamp | None, settled: tuple[AttemptResult, ...], status: TickStatus, reason: str
) -> TickRecord:
    """A tick that ends before anything is read."""
    return TickRecord(TickOutcome(block.number if block else 0, status, reason), block, settled)


def _refuse_future(block: BlockStamp, clock: Clock, most_s: int) -> None:
    """Every age would be wrong by as much: of the head, of prices, of what is in flight."""
    ahead = block.timestamp - clock()
    if ahead > most_s:
        raise ReadError(
            f"newest block is {ahead:.0f} s ahead of the clock; set the clock, or use another endpoint"
        )


def _decide(
    ports: Ports,
    policies: Policies,
    strategy: Strategy,
    *,
    rules: TickRules,
    seen: tuple[BlockStamp, tuple[AttemptResult, ...]],
) -> TickRecord:
    """From readings to a journalled decision; the outcome says what is left to do."""
    block, settled = seen
    readings = ports.chain.read(block)
    outlook, holdings = _look_around(ports, policies, readings)
    market = build_market(readings, policies.market, outlook, holdings)
    risk = assess(market, _as_recent(policies.risk, ports.executor))
    target = strategy(market, risk)
    plan = make_plan(market, risk, target, policies.planning)
    said = _modules_say(ports, plan, market)
    verdict = _verdict(plan, market, risk, ports=ports, policies=policies, rules=rules)
    if said:
        verdict = Verdict(verdict.refusals + module_refusals(said, policies.modules))
    payload: Payload | None = rebalance_of(plan, market.readings)
    # What is routine waits for what is routine; protection waits for nothing of it (K-05).
    waits = ports.executor.in_flight(Lane.ROUTINE) > 0
    if waits and (plan.empty or not verdict.passed or plan.lane is Lane.ROUTINE):
        payload = None
    elif not plan.moves or not verdict.passed:
        payload, more = _upkeep(market, risk, target, ports=ports, policies=policies, rules=rules)
        if more or verdict.refusals:
            verdict = Verdict(tuple(dict.fromkeys(verdict.refusals + more)))
    intent = None
    if payload is not None:
        counter = ports.journal.intent_count()
        stake = stake_of(risk, market.readings, rules.worth) if _protects(payload) else NO_STAKE
        intent = make_intent(payload, market.readings, counter, rules.deadline_s, stake)
    account = ports.executor.account_of(intent.lane) if intent else ""
    ports.journal.record_decision(
        market, risk, target, plan, verdict, intent, account=account, fence=ports.control.fence
    )
    if waits and intent is None and (verdict.passed or plan.empty):
        status, why = TickStatus.PENDING, "a routine intent is in flight"
    else:
        status, why = _not_sent(market, verdict, target.reason if target.hold else plan.reason)
    outcome = TickOutcome(block.number, status, why, intent.id if intent else None)
    return TickRecord(outcome, block, settled, market, risk, target, plan, said, verdict, intent)


def _look_around(
    ports: Ports, policies: Policies, readings: Readings
) -> tuple[Outlook, tuple[Exposure, ...]]:
    if ports.surroundings is None:
        return Outlook(volatility=policies.risk.volatility), ()
    return ports.surroundings.look(readings)


def _as_recent(inputs: RiskInputs, executor: Executor) -> RiskInputs:
    """Inclusion as recent blocks have it; asked only where a forecast makes a health of it."""
    blocks = executor.inclusion_blocks() if inputs.volatility is not None else None
    if blocks is None or blocks == inputs.tempo.inclusion_blocks:
        return inputs
    return replace(inputs, tempo=replace(inputs.tempo, inclusion_blocks=blocks))


def _protects(payload: Payload) -> bool:
    return isinstance(payload, Rebalance) and payload.plan.lane is Lane.PROTECTIVE


def _not_sent(market: MarketState, verdict: Verdict, reason: str) -> tuple[TickStatus, str]:
    """How the tick ends if nothing is sent."""
    if verdict.refusals:
        return TickStatus.REFUSED, "; ".join(f"{r.rule}: {r.message}" for r in verdict.refusals)
    if market.faults:
        return TickStatus.SKIPPED, "; ".join(market.faults)
    return TickStatus.HELD, reason


def _verdict(
    plan: Plan,
    market: MarketState,
    risk: RiskReport,
    *,
    ports: Ports,
    policies: Policies,
    rules: TickRules,
) -> Verdict:
    """The guard's reasons and the loop's own against a plan."""
    if plan.empty:
        return PASSED
    refusals = check(plan, market, policies.guard).refusals
    refusals += ports.control.refusals(plan.lane)
    refusals += _too_soon(ports.executor, plan.lane, market.readings)
    return Verdict(refusals + _paused(ports, rules, plan.lane, market.readings, risk))


def _modules_say(ports: Ports, plan: Plan, market: MarketState) -> tuple[ModuleResult, ...]:
    """Asked of routine plans only: protection neither waits for third parties nor bows to them."""
    if ports.modules is None or plan.empty or plan.lane is not Lane.ROUTINE:
        return ()
    return ports.modules.ask(market)


def _too_soon(executor: Executor, lane: Lane, readings: Readings) -> tuple[Refusal, ...]:
    """The day without new risk that follows a rescue, known from a simulation that met it."""
    left = executor.routine_waits_until() - readings.block.timestamp
    if lane is not Lane.ROUTINE or left <= 0:
        return ()
    return (Refusal("cooldown", f"the mandate takes routine plans in {left} s again"),)


def _upkeep(
    market: MarketState,
    risk: RiskReport,
    target: Target,
    *,
    ports: Ports,
    policies: Policies,
    rules: TickRules,
) -> tuple[Payload | None, tuple[Refusal, ...]]:
    """Other work that is due and may be done, or the reasons against it."""
    work = due_work(market, risk, target, policies.upkeep)
    if work is None:
        return None, ()
    refusals = check_upkeep(work, market, policies.guard).refusals
    # a paused vault is still protected, and its heart says so
    lane = Lane.PROTECTIVE if isinstance(work, Beat) else Lane.ROUTINE
    refusals += ports.control.refusals(lane)
    refusals += _paused(ports, rules, Lane.ROUTINE, market.readings)
    return (None if refusals else work), refusals


def _act(ports: Ports, rules: TickRules, record: TickRecord) -> TickRecord:
    """Send what was decided, or rehearse it in a dry run."""
    intent = record.intent
    if intent is None:
        return record
    try:
        if rules.dry_run:
            said = ports.executor.rehearse(intent)
            return _ended(record, TickStatus.DRY, f"{intent.reason}: {said}")
        tx_hash = ports.executor.submit(intent)
    except SendError as error:
        # A routine plan that comes too soon is no failure: it waits, and other work goes on.
        waits = isinstance(error, TooSoonError) and intent.lane is Lane.ROUTINE
        return _ended(record, TickStatus.HELD if waits else TickStatus.FAILED, str(error))
    return _ended(record, TickStatus.SENT, intent.reason, tx_hash)


def _paused(
    ports: Ports, rules: TickRules, lane: Lane, readings: Readings, risk: RiskReport | None = None
) -> tuple[Refusal, ...]:
    """Why a lane must wait although the guard passed its plan: breaker, gas budget, cooldown (K-11)."""
    block, chain_id, journal = readings.block, readings.chain_id, ports.journal
    reverts = journal.mined_reverts(chain_id)
    day = block.number - rules.revert_budget_blocks + 1
    pause = _breaker_pause(rules, lane, len(reverts))
    if pause and lane is Lane.PROTECTIVE:
        pause = _protective_pause(ports, rules, readings, risk, reverts)
    # a head behind the last revert (endpoints differ, chains reorganise) waits as well
    if pause and block.number < (until := reverts[0] + pause):
        message = f"{len(reverts)} reverts in a row; {lane} plans wait until block {until}"
        return (Refusal("breaker", message),)
    routine = lane is Lane.ROUTINE
    burned = journal.reverted_gas_wei(chain_id, day)
    if routine and burned >= rules.revert_budget_wei:
        message = (
            f"reverts cost {burned / 1e18:.4f} ETH in {rules.revert_budget_blocks} blocks, "
            f"the budget is {rules.revert_budget_wei / 1e18:.4f}; find out why they revert"
        )
        return (Refusal("gas budget", message),)
    failed = journal.last_failure()
    if routine and failed is not None and 0 <= block.number - failed < rules.cooldown_blocks:
        return (Refusal("cooldown", f"the tick of block {failed} failed; waiting"),)
    return ()


def _breaker_pause(rules: TickRules, lane: Lane, reverts: int, most: int | None = None) -> int:
    """Blocks a lane waits after the last of some reverts in a row; 0 while the breaker is closed.

    most: of protection, in the place of the longest pause of the rules.
    """
    if reverts < rules.max_reverts:
        return 0
    if lane is Lane.ROUTINE:
        return rules.breaker_blocks
    doublings = min(reverts - rules.max_reverts, 64)
    longest = rules.protective_backoff_max_blocks if most is None else most
    return min(rules.protective_backoff_blocks << doublings, longest)


def _protective_pause(
    ports: Ports,
    rules: TickRules,
    readings: Readings,
    risk: RiskReport | None,
    reverts: tuple[int, ...],
) -> int:
    """Blocks protection waits after reverts in a row: none while they cost little beside what it saves (K-11, K-05).

    What the account holds counts with what was burned of it: a purse that shrinks must not move the bound.
    """
    chain_id, journal = readings.chain_id, ports.journal
    burned = journal.reverted_gas_wei(chain_id, reverts[-1])
    spent = journal.reverted_gas_wei(
        chain_id, readings.block.number - rules.revert_budget_blocks + 1
    )
    had = ports.executor.balance_wei(Lane.PROTECTIVE) + burned
    danger = readings.account.health_wad < readings.limits.min_health_wad
    stake = value_at_risk_wei(risk, readings, rules.worth) if risk is not None else 0
    worth = min(stake, had) * rules.stake_burn_bps
    if spent * BPS >= max(rules.protective_revert_budget_wei * BPS, worth):
        return _breaker_pause(rules, Lane.PROTECTIVE, len(reverts), most=rules.revert_budget_blocks)
    share = rules.danger_burn_bps if danger else rules.calm_burn_bps
    if burned * BPS < max(had * share, worth):
        return 0
    return _breaker_pause(rules, Lane.PROTECTIVE, len(reverts))


def _ended(
    record: TickRecord, status: TickStatus, reason: str, tx_hash: str | None = None
) -> TickRecord:
    number = record.block.number if record.block else 0
    intent_id = record.intent.id if record.intent else None
    outcome = TickOutcome(number, status, reason, intent_id, tx_hash)
    return replace(record, outcome=outcome)
