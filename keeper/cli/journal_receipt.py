"""A receipt out of the journal."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keeper.journal.store import SqlJournal
    from keeper.report.receipt import Receipt


def receipt_of(journal: "SqlJournal", number: int) -> "Receipt":
    """Everything known of a decision. JournalError where a row cannot be understood."""
    from keeper.journal import query
    from keeper.journal.codec import CodecError, decode
    from keeper.report.receipt import Paid, Passed, Receipt

    row = query.whole_decision(journal, number)
    if row is None:
        raise journal.database.refuse(f"is corrupt: decision {number} lacks its parts; verify it")
    intent_id = row.intent_id
    try:
        return Receipt(
            decision_id=row.id,
            recorded_ms=row.recorded_ms,
            software=row.software or "of an earlier version",
            strategy=(row.strategy or "a strategy that is not recorded").rpartition(":")[2],
            market=decode(row.market),
            risk=decode(row.risk),
            target=decode(row.target),
            plan=decode(row.plan),
            verdict=decode(row.verdict),
            outcome=_outcome(query.last_outcome(journal, number)),
            intent=decode(row.intent) if row.intent else None,
            record=journal.intent(intent_id) if intent_id else None,
            history=[
                Passed(step.recorded_ms, step.state.value, step.note)
                for step in (journal.history(intent_id) if intent_id else ())
            ],
            tried=[_tried(a) for a in query.attempt_rows(journal, intent_id)] if intent_id else [],
            paid=[
                Paid(cost.tx_hash, cost.kind, cost.amount, cost.unit)
                for cost in (journal.costs(intent_id) if intent_id else ())
            ],
        )
    except CodecError as error:
        raise journal.database.refuse(f"is corrupt: decision {number} {error}") from error


def _outcome(row: Any) -> Any:
    from keeper.model.outcome import TickOutcome, TickStatus

    if row is None:
        return None
    status = TickStatus(row.status)
    return TickOutcome(row.block_number, status, row.reason, row.intent_id, row.tx_hash)


def _tried(row: Any) -> Any:
    from keeper.journal.codec import decode
    from keeper.model.outcome import AttemptResult, AttemptStatus
    from keeper.report.receipt import Tried

    status, price = AttemptStatus(row.status), int(row.gas_price_wei)
    result = AttemptResult(
        row.intent_id, row.tx_hash, status, row.block_number, row.gas_used, price
    )
    return Tried(decode(row.attempt), result, row.problem)
