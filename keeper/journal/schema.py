"""Tables of the journal. Amounts in wei are text: SQLite integers end at 2^63."""

VERSION = 2

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA foreign_keys = ON",
)

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS meta (
        key   TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS decisions (
        id              INTEGER PRIMARY KEY,
        block_number    INTEGER NOT NULL,
        block_hash      TEXT NOT NULL,
        block_timestamp INTEGER NOT NULL,
        vault           TEXT NOT NULL,
        market          TEXT NOT NULL,
        risk            TEXT NOT NULL,
        target          TEXT NOT NULL,
        plan            TEXT NOT NULL,
        verdict         TEXT NOT NULL,
        intent_id       TEXT,
        intent          TEXT
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS decisions_by_intent ON decisions (intent_id)",
    """
    CREATE TABLE IF NOT EXISTS attempts (
        tx_hash       TEXT PRIMARY KEY,
        intent_id     TEXT NOT NULL,
        chain_id      INTEGER NOT NULL,
        account       TEXT NOT NULL,
        nonce         INTEGER NOT NULL,
        attempt       TEXT NOT NULL,
        status        TEXT NOT NULL,
        block_number  INTEGER,
        gas_used      INTEGER NOT NULL DEFAULT 0,
        gas_price_wei TEXT NOT NULL DEFAULT '0',
        problem       TEXT NOT NULL DEFAULT ''
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS attempts_by_intent ON attempts (intent_id)",
    "CREATE INDEX IF NOT EXISTS attempts_by_status ON attempts (chain_id, account, status)",
    "CREATE INDEX IF NOT EXISTS attempts_by_nonce ON attempts (chain_id, account, nonce)",
    """
    CREATE TABLE IF NOT EXISTS outcomes (
        id           INTEGER PRIMARY KEY,
        block_number INTEGER NOT NULL,
        status       TEXT NOT NULL,
        reason       TEXT NOT NULL,
        intent_id    TEXT,
        tx_hash      TEXT
    ) STRICT
    """,
)
