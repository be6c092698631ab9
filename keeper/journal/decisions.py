"""Decisions with everything they were made from, and how ticks ended."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select
from sqlalchemy.engine import Connection

from keeper.journal import schema
from keeper.journal.attempts import AttemptsBook
from keeper.journal.base import clean
from keeper.journal.codec import decode, encode
from keeper.journal.context import Context
from keeper.journal.prepared import Prepared
from keeper.journal.prune import KEEP_HELD, prune_held
from keeper.journal.witness import Answers
from keeper.model.decision import Intent, Plan, Target, Verdict
from keeper.model.intent_state import IntentState
from keeper.model.market import MarketState, Readings
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.model.risk import RiskReport

_PRUNE_EVERY = 1_000
"""Decisions."""
_TIDY_EVERY = 50
"""Ticks: some hundred kilobytes of log."""

_r, _d, _p, _v, _i, _o = (
    table.c
    for table in (
        schema.readings,
        schema.decisions,
        schema.plans,
        schema.verdicts,
        schema.intents,
        schema.outcomes,
    )
)
_ADD_READINGS = Prepared(insert(schema.readings).returning(_r.id))
_ADD_DECISION = Prepared(insert(schema.decisions).returning(_d.id))
_ADD_PLAN = Prepared(insert(schema.plans))
_ADD_VERDICT = Prepared(insert(schema.verdicts))
_ADD_REFUSAL = Prepared(insert(schema.refusals))
_ADD_INTENT = Prepared(insert(schema.intents))
_ADD_STATE = Prepared(insert(schema.intent_states))
_ADD_CONTEXT = Prepared(insert(schema.contexts).returning(schema.contexts.c.id))
_CONTEXT = select(schema.contexts.c.id).where(schema.contexts.c.digest == bindparam("of"))
_ADD_OUTCOME = Prepared(insert(schema.outcomes))
_KEEP_HELD_OF_EACH = 2_000
"""Newest ticks without an intent that are left for each vault, where vaults are many."""
_COUNT = Prepared(select(func.coalesce(func.max(_i.id), 0)))
_PARTS = (
    select(_r.market, _d.risk, _d.target, _p.plan, _v.verdict, _i.intent)
    .select_from(
        schema.decisions.join(schema.readings, _r.id == _d.readings_id)
        .join(schema.plans, _p.decision_id == _d.id)
        .join(schema.verdicts, _v.decision_id == _d.id)
        .outerjoin(schema.intents, _i.intent_id == _d.intent_id)
    )
    .order_by(_d.id.desc())
    .limit(bindparam("most"))
)
_MARKET = select(_r.market).order_by(_r.id.desc()).limit(1)
_PARTS_OF_INTENT = _PARTS.where(_d.intent_id == bindparam("of"))
_OUTCOMES = (
    select(_o.block_number, _o.status, _o.reason, _o.intent_id, _o.tx_hash)
    .order_by(_o.id.desc())
    .limit(bindparam("most"))
)
_MINE = or_(_o.vault == bindparam("of_vault"), _o.vault == "")
_OUTCOMES_OF_VAULT = _OUTCOMES.where(_MINE)
_FAILURES = (
    select(_o.block_number)
    .where(_o.status == TickStatus.FAILED.value)
    .order_by(_o.id.desc())
    .limit(1)
)
_LAST_FAILURE = Prepared(_FAILURES)
_LAST_FAILURE_OF_VAULT = Prepared(_FAILURES.where(_MINE))


@dataclass(frozen=True, slots=True)
class Decision:
    """A journalled decision, whole."""

    market: MarketState
    risk: RiskReport
    target: Target
    plan: Plan
    verdict: Verdict
    intent: Intent | None


@dataclass(slots=True)
class Scope:
    """What one vault's ticks have in common, and what the newest of them has done so far."""

    vault: str = ""
    """Its address; empty for the only one of a journal."""
    context: Context | None = None
    context_id: int | None = None
    heard: Answers = field(default_factory=Answers)
    decided: tuple[int, int, str] | None = None
    """Newest decision: its id, block and vault."""

    def answers(self) -> str | None:
        """What the other ends answered to this tick, told once."""
        found = self.heard.text()
        self.heard.clear()
        return found


class DecisionBook(AttemptsBook):
    """The journal as the loop sees it: of its only vault, unless the scope of another is given."""

    _own: Scope
    _scopes: int
    _decided: int
    _ended: int

    def decide_with(self, context: Context, scope: Scope | None = None) -> None:
        """Strategy, parameters and policies of the decisions that follow, and who makes them (K-07)."""
        scope = scope or self._own
        scope.context, scope.context_id = context, None

    def record_decision(  # noqa: PLR0917 - in the order of the way of the data
        self,
        market: MarketState,
        risk: RiskReport,
        target: Target,
        plan: Plan,
        verdict: Verdict,
        intent: Intent | None,
        *,
        account: str = "",
        fence: int = 0,
        scope: Scope | None = None,
    ) -> None:
        """The decision, before anything is signed (K-03); its intent is JOURNALLED. One transaction.

        One without an intent is written lazily: nothing is signed for it, and a hundred vaults hold at every block.
        """
        scope = scope or self._own
        seen = market.readings
        row = {
            "chain_id": seen.chain_id,
            "vault": seen.vault,
            "block_number": seen.block.number,
            "block_hash": seen.block.hash,
            "block_timestamp": seen.block.timestamp,
            "market": encode(market),
        }
        made: dict[str, Any] = {
            "account": account,
            "fence": fence or self._fence,
            "risk": encode(risk),
            "target": encode(target),
            "answers": scope.answers(),
            "intent_id": intent.id if intent else None,
            "recorded_ms": self._now_ms(),
        }
        plan_text, verdict_text = encode(plan), encode(verdict)
        with self._writing(lazily=intent is None) as db:
            self._refuse_deposed(db, fence)
            made["context_id"] = context_id = self._context_row(db, scope)
            made["readings_id"] = _ADD_READINGS.one(db, row)[0]
            number = _ADD_DECISION.one(db, made)[0]
            _ADD_PLAN.run(
                db,
                {
                    "decision_id": number,
                    "lane": plan.lane.value,
                    "moves": len(plan.moves),
                    "plan": plan_text,
                },
            )
            passed = int(verdict.passed)
            _ADD_VERDICT.run(db, {"decision_id": number, "passed": passed, "verdict": verdict_text})
            for refusal in verdict.refusals:
                rule, message = clean(refusal.rule), clean(refusal.message)
                reason = {"decision_id": number, "rule": rule, "message": message}
                _ADD_REFUSAL.run(db, reason)
            if intent is not None:
                self._add_intent(db, number, intent, seen, made)
        scope.context_id = context_id
        scope.decided = (number, seen.block.number, seen.vault)
        self._decided += 1

    def _add_intent(
        self, db: Connection, decision_id: int, intent: Intent, seen: Readings, made: dict[str, Any]
    ) -> None:
        state = IntentState.JOURNALLED.value
        shared = {"intent_id": intent.id, "account": made["account"], "note": ""}
        _ADD_INTENT.run(
            db,
            {
                **shared,
                "decision_id": decision_id,
                "chain_id": seen.chain_id,
                "vault": seen.vault,
                "lane": intent.lane.value,
                "kind": type(intent.payload).__name__.lower(),
                "deadline": intent.deadline,
                "state": state,
                "fence": made["fence"],
                "intent": encode(intent),
            },
        )
        step = {"from_state": IntentState.CREATED.value, "to_state": state}
        _ADD_STATE.run(db, {**shared, **step, "recorded_ms": made["recorded_ms"]})

    @staticmethod
    def _context_row(db: Connection, scope: Scope) -> int | None:
        """The row of the running context, made with the first decision that needs it."""
        if scope.context is None or scope.context_id is not None:
            return scope.context_id
        digest = scope.context.digest
        found = db.execute(_CONTEXT, {"of": digest}).scalar_one_or_none()
        if found is not None:
            return int(found)
        row = scope.context.columns() | {"digest": digest}
        return int(_ADD_CONTEXT.one(db, row)[0])

    def record_outcome(self, outcome: TickOutcome, scope: Scope | None = None) -> None:
        """How the tick ended. Written lazily, and the time to tidy up: nothing is waited for now."""
        scope = scope or self._own
        number, block, vault = scope.decided or (None, None, "")
        decided = block == outcome.block_number
        row = {
            "decision_id": number if decided else None,
            "vault": scope.vault or (vault if decided else ""),
            "block_number": outcome.block_number,
            "status": outcome.status.value,
            "reason": clean(outcome.reason),
            "intent_id": outcome.intent_id,
            "tx_hash": outcome.tx_hash,
            "recorded_ms": self._now_ms(),
        }
        with self._writing(lazily=True) as db:
            _ADD_OUTCOME.run(db, row)
        scope.answers()  # what was asked after the decision is of no further use
        self._tidy()

    def intent_count(self) -> int:
        """How many intents were ever decided: the next intent's counter. (The newest is never pruned.)"""
        return int(self._found(_COUNT)[0][0])

    def decisions(self, intent_id: str | None = None, limit: int = 100) -> tuple[Decision, ...]:
        """Newest first; of one intent if named."""
        statement = _PARTS_OF_INTENT if intent_id else _PARTS
        of = {"of": intent_id} if intent_id else {}
        rows = self._rows(statement, {"most": limit, **of})
        with self._understood("a decision"):
            return tuple(_decision(row) for row in rows)

    def market(self, block_number: int | None = None) -> MarketState | None:
        """What was seen last, or last at a block; None if nothing was."""
        statement = (
            _MARKET if block_number is None else _MARKET.where(_r.block_number == block_number)
        )
        rows = self._rows(statement)
        with self._understood("a market state"):
            found: MarketState | None = decode(rows[0].market) if rows else None
        return found

    def outcomes(self, limit: int = 100, vault: str | None = None) -> tuple[TickOutcome, ...]:
        """Newest first; of one vault, if named."""
        if vault is None:
            rows = self._rows(_OUTCOMES, {"most": limit})
        else:
            rows = self._rows(_OUTCOMES_OF_VAULT, {"most": limit, "of_vault": vault})
        with self._understood("an outcome"):
            return tuple(TickOutcome(n, TickStatus(s), r, i, t) for n, s, r, i, t in rows)

    def last_failure(self, vault: str | None = None) -> int | None:
        """Block number of the newest tick that failed to simulate or send; of one vault, if named."""
        asked = _LAST_FAILURE if vault is None else _LAST_FAILURE_OF_VAULT
        rows = self._found(asked, {} if vault is None else {"of_vault": vault})
        return int(rows[0][0]) if rows else None

    def _tidy(self) -> None:
        """Forget old ticks on which nothing was sent; what led to an intent stays for ever."""
        self._ended += 1
        if self._decided >= _PRUNE_EVERY:
            self._decided = 0
            with self._writing() as db:
                prune_held(db, max(KEEP_HELD, _KEEP_HELD_OF_EACH * self._scopes))
        if self._ended % _TIDY_EVERY == 0:
            self._database.tidy()


def _decision(row: Any) -> Decision:
    parts: list[Any] = [decode(text) if text else None for text in row]
    return Decision(*parts)
