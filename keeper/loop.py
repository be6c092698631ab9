"""One pass of the pipeline for one block. Knows the stages, not the world."""

from dataclasses import dataclass, replace

from keeper.clock import Clock
from keeper.errors import ReadError, SendError
from keeper.execution.intents import make_intent
from keeper.guard import check
from keeper.market import build_market
from keeper.model.block import BlockStamp
from keeper.model.decision import Intent, Lane, Plan, Refusal, Target, Verdict
from keeper.model.market import MarketState
from keeper.model.outcome import AttemptResult, TickOutcome, TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import ChainReader, Executor, Journal, Strategy
from keeper.model.risk import RiskReport
from keeper.planning import make_plan
from keeper.risk import assess


@dataclass(frozen=True, slots=True)
class Ports:
    """The three ends that touch the world."""

    chain: ChainReader
    executor: Executor
    journal: Journal


@dataclass(frozen=True, slots=True)
class TickRules:
    """How the loop behaves around the stages."""

    deadline_s: int = 120
    """Life of an intent after its block."""
    max_head_age_s: int = 180
    """A head older than this by the clock is not decided on."""
    cooldown_blocks: int = 2
    """Pause of routine plans after a failed simulation or sending."""
    max_reverts: int = 3
    """Mined reverts in a row that open the breaker."""
    breaker_blocks: int = 100
    """Pause of routine plans while the breaker is open."""
    protective_backoff_blocks: int = 5
    """Pause of protective plans while the breaker is open (K-11: a revert burns gas on any lane)."""
    dry_run: bool = False
    """Do everything but sign and send."""


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
    verdict: Verdict | None = None
    intent: Intent | None = None


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
    record = TickRecord(TickOutcome(0, TickStatus.SKIPPED, ""), block)
    try:
        block = block or ports.chain.head()
        record = replace(record, block=block, settled=ports.executor.follow(block))
        age = clock() - block.timestamp
        if age > rules.max_head_age_s:
            record = _ended(record, TickStatus.SKIPPED, f"newest block is {age:.0f} s old")
        elif ports.executor.in_flight():
            record = _ended(record, TickStatus.PENDING, "an intent is in flight")
        else:
            record = _act(
                ports, rules, _decide(ports, policies, strategy, rules=rules, seen=(record, block))
            )
    except ReadError as error:
        record = _ended(record, TickStatus.SKIPPED, str(error))
    ports.journal.record_outcome(record.outcome)
    return record


def _decide(
    ports: Ports,
    policies: Policies,
    strategy: Strategy,
    *,
    rules: TickRules,
    seen: tuple[TickRecord, BlockStamp],
) -> TickRecord:
    """From readings to a journalled decision; the outcome says what is left to do."""
    record, block = seen
    market = build_market(ports.chain.read(block), policies.market)
    risk = assess(market)
    record = replace(record, market=market, risk=risk)
    target = strategy(market, risk)
    plan = make_plan(market, risk, target, policies.planning)
    verdict = check(plan, market, risk, policies.guard)
    verdict = Verdict(verdict.refusals + _paused(ports, rules, plan, block))
    intent = None
    if verdict.passed and not plan.empty:
        counter = ports.journal.intent_count()
        intent = make_intent(plan, market.readings, counter, rules.deadline_s)
    ports.journal.record_decision(market, risk, target, plan, verdict, intent)
    record = replace(record, target=target, plan=plan, verdict=verdict, intent=intent)
    if plan.empty:
        if market.faults:
            return _ended(record, TickStatus.SKIPPED, "; ".join(market.faults))
        if not risk.has_position:
            return _ended(record, TickStatus.SKIPPED, "the vault has no position")
        return _ended(record, TickStatus.HELD, target.reason if target.hold else plan.reason)
    reasons = "; ".join(f"{r.rule}: {r.message}" for r in verdict.refusals)
    return _ended(record, TickStatus.REFUSED, reasons)


def _act(ports: Ports, rules: TickRules, record: TickRecord) -> TickRecord:
    """Send what was decided, or rehearse it in a dry run."""
    intent = record.intent
    if intent is None:
        return record
    try:
        if rules.dry_run:
            said = ports.executor.rehearse(intent)
            return _ended(record, TickStatus.DRY, f"{intent.plan.reason}: {said}")
        tx_hash = ports.executor.submit(intent)
    except SendError as error:
        return _ended(record, TickStatus.FAILED, str(error))
    return _ended(record, TickStatus.SENT, intent.plan.reason, tx_hash)


def _paused(ports: Ports, rules: TickRules, plan: Plan, block: BlockStamp) -> tuple[Refusal, ...]:
    """Why a plan must wait although the guard passed it: cooldown and breaker (K-11)."""
    if plan.empty:
        return ()
    reverts = ports.journal.mined_reverts()
    protective = plan.lane is Lane.PROTECTIVE
    if len(reverts) >= rules.max_reverts:
        pause = rules.protective_backoff_blocks if protective else rules.breaker_blocks
        if 0 <= block.number - reverts[0] < pause:
            until = reverts[0] + pause
            message = f"{len(reverts)} reverts in a row; {plan.lane} plans wait until block {until}"
            return (Refusal("breaker", message),)
    failed = ports.journal.last_failure()
    if not protective and failed is not None and 0 <= block.number - failed < rules.cooldown_blocks:
        return (Refusal("cooldown", f"the tick of block {failed} failed; waiting"),)
    return ()


def _ended(
    record: TickRecord, status: TickStatus, reason: str, tx_hash: str | None = None
) -> TickRecord:
    number = record.block.number if record.block else 0
    intent_id = record.intent.id if record.intent else None
    outcome = TickOutcome(number, status, reason, intent_id, tx_hash)
    return replace(record, outcome=outcome)
