"""States of intents that version 2 did not keep, told from what became of their attempts."""

from itertools import pairwise
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import Connection

_NOTE = "told from the attempts of a journal of version 2"
_START = ("created", "journalled")
_ATTEMPTED = (*_START, "signed", "attempted")
_PATHS: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    # that version looked no further than the receipt: these were over
    (frozenset({"mined", "reverted"}), (*_ATTEMPTED, "included", "finalised")),
    (frozenset({"sent"}), _ATTEMPTED),
    (frozenset({"signed"}), (*_START, "signed")),
    (frozenset({"dropped"}), (*_ATTEMPTED, "cancelled")),
    (frozenset({"replaced"}), (*_ATTEMPTED, "superseded")),
    (frozenset({"refused"}), (*_START, "signed", "failed")),
)
_NEVER_SIGNED = (*_START, "failed")

_ATTEMPTS = text(
    "SELECT tx_hash, status, account, block_number, gas_used, gas_price_wei FROM attempts"
    " WHERE intent_id = :intent_id ORDER BY id"
)
_INTENT = text(
    "UPDATE intents SET state = :state, account = :account, block_number = :block_number,"
    " tx_hash = :tx_hash, note = :note WHERE intent_id = :intent_id"
)
_STATE = text(
    "INSERT INTO intent_states (intent_id, recorded_ms, from_state, to_state, account, block_number,"
    " tx_hash, note) VALUES (:intent_id, :recorded_ms, :from_state, :to_state, :account,"
    " :block_number, :tx_hash, :note)"
)
_COST = text(
    "INSERT INTO costs (intent_id, tx_hash, kind, amount, unit)"
    " VALUES (:intent_id, :tx_hash, 'gas', :amount, 'wei')"
)
_IN_A_BLOCK = frozenset({"included", "finalised"})


def write(connection: Connection) -> None:
    """State, history and gas of every intent."""
    intents = connection.execute(
        text(
            "SELECT i.intent_id, d.recorded_ms FROM intents i JOIN decisions d"
            " ON d.id = i.decision_id ORDER BY i.id"
        )
    ).all()
    for intent_id, recorded_ms in intents:
        attempts = connection.execute(_ATTEMPTS, {"intent_id": intent_id}).all()
        _write_one(connection, intent_id, recorded_ms, attempts)
    for row in connection.execute(
        text("SELECT * FROM attempts WHERE status IN ('mined', 'reverted') ORDER BY id")
    ).all():
        amount = str(int(row.gas_used) * int(row.gas_price_wei))
        values = {"intent_id": row.intent_id, "tx_hash": row.tx_hash, "amount": amount}
        connection.execute(_COST, values)


def _write_one(connection: Connection, intent_id: str, recorded_ms: int, attempts: Any) -> None:
    statuses = {row.status for row in attempts}
    path = next((p for found, p in _PATHS if found & statuses), _NEVER_SIGNED)
    ended = next((row for row in attempts if row.status in ("mined", "reverted")), None)
    account = attempts[-1].account if attempts else ""
    for before, after in pairwise(path):
        block = ended if after in _IN_A_BLOCK else None
        facts = {
            "intent_id": intent_id,
            "account": account if after != "journalled" else "",
            "block_number": block.block_number if block else None,
            "tx_hash": block.tx_hash if block else None,
            "note": _NOTE,
        }
        step = {"recorded_ms": recorded_ms, "from_state": before, "to_state": after}
        connection.execute(_STATE, facts | step)
        connection.execute(_INTENT, {**facts, "state": after, "note": _NOTE})
