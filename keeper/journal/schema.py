"""Tables of the journal. Amounts in wei are text: SQLite integers end at 2^63.

`migrations/` brings files of earlier versions here; a test holds that both ways give the same tables.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION = 4
HEAD = "0004"
"""Revision of the newest migration."""

metadata = MetaData()

_Int = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _Int, primary_key=True, autoincrement=True)


def _number(name: str, *, nullable: bool = False, default: int | None = None) -> Column[int]:
    server = text(str(default)) if default is not None else None
    return Column(name, _Int, nullable=nullable, server_default=server)


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> Column[str]:
    server = text(f"'{default}'") if default is not None else None
    return Column(name, Text(), nullable=nullable, server_default=server)


def _table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True, sqlite_autoincrement=True)


meta = Table(
    "meta", metadata, Column("key", Text(), primary_key=True), _text("value"), sqlite_strict=True
)

contexts = _table(
    "contexts",
    _id(),
    Column("digest", Text(), nullable=False, unique=True),
    _text("software"),
    _text("strategy"),
    _text("parameters"),
    _text("policies"),
    _text("rules"),
)
"""What stays the same from tick to tick and decides with the readings; one row for each that ever ran."""

readings = _table(
    "readings",
    _id(),
    _number("chain_id"),
    _text("vault"),
    _number("block_number"),
    _text("block_hash"),
    _number("block_timestamp"),
    _text("market"),
    Index("readings_by_block", "block_number"),
    Index("readings_by_time", "block_timestamp"),
)

decisions = _table(
    "decisions",
    _id(),
    _number("readings_id"),
    _number("context_id", nullable=True),
    _text("account"),
    _number("fence"),
    _text("risk"),
    _text("target"),
    _text("answers", nullable=True),
    _text("intent_id", nullable=True),
    _number("recorded_ms"),
    Index("decisions_by_intent", "intent_id"),
    Index("decisions_by_readings", "readings_id"),
)
"""`answers`: what the ends answered to the tick besides the readings."""

plans = Table(
    "plans",
    metadata,
    Column("decision_id", _Int, primary_key=True, autoincrement=False),
    _text("lane"),
    _number("moves"),
    _text("plan"),
    sqlite_strict=True,
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("decision_id", _Int, primary_key=True, autoincrement=False),
    _number("passed"),
    _text("verdict"),
    sqlite_strict=True,
)

refusals = _table(
    "refusals",
    _id(),
    _number("decision_id"),
    _text("rule"),
    _text("message"),
    Index("refusals_by_decision", "decision_id"),
)
"""Every reason of every verdict, for questions in SQL; `verdicts` has them whole."""

intents = _table(
    "intents",
    _id(),
    Column("intent_id", Text(), nullable=False, unique=True),
    _number("decision_id"),
    _number("chain_id"),
    _text("account"),
    _text("lane"),
    _text("kind"),
    _number("deadline"),
    _text("state"),
    _number("block_number", nullable=True),
    _text("block_hash", nullable=True),
    _text("tx_hash", nullable=True),
    _number("fence"),
    _text("note"),
    _text("intent"),
    _text("vault", default=""),
    Index("intents_by_state", "chain_id", "state"),
)
"""`vault`: whose it is, also where its call goes elsewhere; empty where nobody knows."""

intent_states = _table(
    "intent_states",
    _id(),
    _text("intent_id"),
    _number("recorded_ms"),
    _text("from_state"),
    _text("to_state"),
    _text("account"),
    _number("block_number", nullable=True),
    _text("block_hash", nullable=True),
    _text("tx_hash", nullable=True),
    _text("note"),
    Index("intent_states_by_intent", "intent_id"),
)

attempts = _table(
    "attempts",
    _id(),
    Column("tx_hash", Text(), nullable=False, unique=True),
    _text("intent_id"),
    _number("chain_id"),
    _text("account"),
    _number("nonce"),
    _text("attempt"),
    _text("status"),
    _number("block_number", nullable=True),
    _number("gas_used", default=0),
    _text("gas_price_wei", default="0"),
    _text("problem", default=""),
    _number("recorded_ms"),
    Index("attempts_by_intent", "intent_id"),
    Index("attempts_by_status", "chain_id", "account", "status"),
    Index("attempts_by_nonce", "chain_id", "account", "nonce"),
)

costs = _table(
    "costs",
    _id(),
    _text("intent_id"),
    _text("tx_hash"),
    _text("kind"),
    _text("amount"),
    _text("unit"),
    UniqueConstraint("tx_hash", "kind", name="costs_once"),
    Index("costs_by_intent", "intent_id"),
)
"""What a transaction really cost: gas in wei, and whatever else is known of it."""

outcomes = _table(
    "outcomes",
    _id(),
    _number("decision_id", nullable=True),
    _number("block_number"),
    _text("status"),
    _text("reason"),
    _text("intent_id", nullable=True),
    _text("tx_hash", nullable=True),
    _number("recorded_ms"),
    _text("vault", default=""),
    Index("outcomes_by_intent", "intent_id"),
    Index("outcomes_by_status", "status"),
    Index("outcomes_by_vault", "vault", "status"),
    Index("outcomes_by_decision", "decision_id"),
)

fences = Table(
    "fences",
    metadata,
    Column("fence", _Int, primary_key=True, autoincrement=False),
    _text("holder"),
    _number("recorded_ms"),
    sqlite_strict=True,
)
"""Fencing tokens ever given out: the newest leads."""
