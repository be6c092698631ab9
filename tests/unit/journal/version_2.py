"""Writes and reads journals as version 2 of the schema did: what files in the field look like."""

import dataclasses
import json
import sqlite3
from pathlib import Path
from typing import Any

from keeper.journal.codec import decode, encode
from keeper.journal.store import Decision
from keeper.model.decision import Lane, Refusal, Verdict
from keeper.model.intent_state import IntentState
from keeper.model.outcome import AttemptStatus, TickOutcome, TickStatus
from keeper.risk import assess
from tests import builders
from tests.builders import make_market
from tests.unit.execution.intents import make_plan, make_test_intent
from tests.unit.journal.values import ATTEMPT, HOLD

CHAIN_ID = builders.CHAIN_ID
ACCOUNT = ATTEMPT.account
REFUSALS = (Refusal("loss", "12 over 10"), Refusal("cooldown", "wait \u20ac"))
_S, _A = IntentState, AttemptStatus
_CASES: tuple[tuple[tuple[AttemptStatus, ...], IntentState], ...] = (
    ((_A.REPLACED, _A.MINED), _S.FINALISED),
    ((_A.REVERTED,), _S.FINALISED),
    ((_A.SENT,), _S.ATTEMPTED),
    ((_A.SIGNED,), _S.SIGNED),
    ((_A.DROPPED,), _S.CANCELLED),
    ((_A.REPLACED,), _S.SUPERSEDED),
    ((_A.REFUSED,), _S.FAILED),
    ((), _S.FAILED),
)
_INTENTS = tuple(
    make_test_intent(counter=n, lane=Lane.ROUTINE if n % 2 else Lane.PROTECTIVE)
    for n in range(len(_CASES))
)
EXPECTED_STATES = {intent.id: state for intent, (_, state) in zip(_INTENTS, _CASES, strict=True)}
TABLES = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE decisions (id INTEGER PRIMARY KEY, block_number INTEGER NOT NULL,"
    " block_hash TEXT NOT NULL, block_timestamp INTEGER NOT NULL, vault TEXT NOT NULL,"
    " market TEXT NOT NULL, risk TEXT NOT NULL, target TEXT NOT NULL, plan TEXT NOT NULL,"
    " verdict TEXT NOT NULL, intent_id TEXT, intent TEXT) STRICT",
    "CREATE INDEX decisions_by_intent ON decisions (intent_id)",
    "CREATE TABLE attempts (tx_hash TEXT PRIMARY KEY, intent_id TEXT NOT NULL,"
    " chain_id INTEGER NOT NULL, account TEXT NOT NULL, nonce INTEGER NOT NULL,"
    " attempt TEXT NOT NULL, status TEXT NOT NULL, block_number INTEGER,"
    " gas_used INTEGER NOT NULL DEFAULT 0, gas_price_wei TEXT NOT NULL DEFAULT '0',"
    " problem TEXT NOT NULL DEFAULT '') STRICT",
    "CREATE INDEX attempts_by_intent ON attempts (intent_id)",
    "CREATE INDEX attempts_by_status ON attempts (chain_id, account, status)",
    "CREATE INDEX attempts_by_nonce ON attempts (chain_id, account, nonce)",
    "CREATE TABLE outcomes (id INTEGER PRIMARY KEY, block_number INTEGER NOT NULL,"
    " status TEXT NOT NULL, reason TEXT NOT NULL, intent_id TEXT, tx_hash TEXT) STRICT",
)


def write(path: Path) -> None:
    """A journal with every kind of row."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    for statement in TABLES:
        db.execute(statement)
    db.execute("INSERT INTO meta VALUES ('schema_version', '2')")
    _decide(db, None, Verdict(REFUSALS))
    for number, (intent, (statuses, _)) in enumerate(zip(_INTENTS, _CASES, strict=True)):
        _decide(db, intent, Verdict(()))
        for turn, status in enumerate(statuses):
            _attempt(db, intent.id, f"0x{number}{turn}", status, number)
        _outcome(db, TickOutcome(number, TickStatus.SENT, "sent", intent.id, f"0x{number}0"))
    _outcome(db, TickOutcome(99, TickStatus.FAILED, "reverted"))
    _outcome(db, TickOutcome(100, TickStatus.HELD, "inside"))
    db.close()


def _decide(db: sqlite3.Connection, intent: Any, verdict: Verdict) -> None:
    market = make_market()
    block = market.readings.block
    parts = (market, assess(market), HOLD, make_plan(), verdict)
    db.execute(
        "INSERT INTO decisions (block_number, block_hash, block_timestamp, vault, market, risk, target,"
        " plan, verdict, intent_id, intent) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            block.number, block.hash, block.timestamp, market.readings.vault,
            *(encode(part) for part in parts),
            *((intent.id, encode(intent)) if intent else (None, None)),
        ),
    )  # fmt: skip


def _attempt(
    db: sqlite3.Connection, intent_id: str, tx_hash: str, status: AttemptStatus, nonce: int
) -> None:
    attempt = dataclasses.replace(
        ATTEMPT, intent_id=intent_id, tx_hash=tx_hash, chain_id=CHAIN_ID, nonce=nonce
    )
    ended = status in (_A.MINED, _A.REVERTED)
    db.execute(
        "INSERT INTO attempts VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            tx_hash, intent_id, CHAIN_ID, ACCOUNT, nonce, encode(attempt), status.value,
            50 + nonce if ended else None, 300 if ended else 0, str(2**70 if ended else 0), "",
        ),
    )  # fmt: skip


def _outcome(db: sqlite3.Connection, outcome: TickOutcome) -> None:
    db.execute(
        "INSERT INTO outcomes (block_number, status, reason, intent_id, tx_hash) VALUES (?,?,?,?,?)",
        dataclasses.astuple(outcome),
    )


def _decision(row: Any) -> Decision:
    parts: list[Any] = [decode(text) if text else None for text in row]
    return Decision(*parts)


def values(path: Path) -> dict[str, Any]:
    """What version 2 answered of a file."""
    db = sqlite3.connect(path)
    attempts = [
        (dataclasses.replace(decode(text), status=AttemptStatus(status)), number, gas, price)
        for text, status, number, gas, price in db.execute(
            "SELECT attempt, status, block_number, gas_used, gas_price_wei FROM attempts ORDER BY rowid"
        )
    ]
    decisions = db.execute(
        "SELECT market, risk, target, plan, verdict, intent FROM decisions ORDER BY id DESC"
    ).fetchall()
    outcomes = db.execute(
        "SELECT block_number, status, reason, intent_id, tx_hash FROM outcomes ORDER BY id DESC"
    ).fetchall()
    db.close()
    intents = [json.loads(row[5])["id"] for row in reversed(decisions) if row[5]]
    reverted = [(n, g, p) for a, n, g, p in attempts if a.status is _A.REVERTED]
    of_status = {
        status: tuple(a for a, *_ in attempts if a.status is status) for status in AttemptStatus
    }
    return {
        "decisions": tuple(_decision(row) for row in decisions),
        "outcomes": tuple(TickOutcome(n, TickStatus(s), r, i, t) for n, s, r, i, t in outcomes),
        "intents": intents,
        "attempts": [a for i in intents for a, *_ in attempts if a.intent_id == i],
        "intent_count": len(intents),
        "last_failure": 99,
        "mined_reverts": tuple(n for n, *_ in reverted),
        "reverted_gas": sum(g * int(p) for _, g, p in reverted),
        "given_up": of_status[_A.DROPPED] + of_status[_A.REFUSED],
        "open": of_status[_A.SENT] + of_status[_A.SIGNED],
    }
