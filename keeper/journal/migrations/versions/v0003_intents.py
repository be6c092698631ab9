"""Version 3: intents with states and history, readings apart from decisions, costs, fences.

Version 2 was SQLite only, so this speaks SQLite. It is written out and not taken from the schema of today: a
migration must do tomorrow what it did when it was tested.
"""

from alembic import op
from sqlalchemy import text

from keeper.journal.migrations import states_of_2

revision = "0003"
down_revision = "0002"

_OLD = ("decisions", "attempts", "outcomes")
_OLD_INDEXES = (
    "decisions_by_intent",
    "attempts_by_intent",
    "attempts_by_status",
    "attempts_by_nonce",
)
_TABLES = (
    """
    CREATE TABLE contexts (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        digest TEXT NOT NULL,
        software TEXT NOT NULL,
        strategy TEXT NOT NULL,
        parameters TEXT NOT NULL,
        policies TEXT NOT NULL,
        rules TEXT NOT NULL,
        UNIQUE (digest)
    )
     STRICT
    """,
    """
    CREATE TABLE readings (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        chain_id INTEGER NOT NULL,
        vault TEXT NOT NULL,
        block_number INTEGER NOT NULL,
        block_hash TEXT NOT NULL,
        block_timestamp INTEGER NOT NULL,
        market TEXT NOT NULL
    )
     STRICT
    """,
    "CREATE INDEX readings_by_block ON readings (block_number)",
    "CREATE INDEX readings_by_time ON readings (block_timestamp)",
    """
    CREATE TABLE decisions (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        readings_id INTEGER NOT NULL,
        context_id INTEGER,
        account TEXT NOT NULL,
        fence INTEGER NOT NULL,
        risk TEXT NOT NULL,
        target TEXT NOT NULL,
        answers TEXT,
        intent_id TEXT,
        recorded_ms INTEGER NOT NULL
    )
     STRICT
    """,
    "CREATE INDEX decisions_by_intent ON decisions (intent_id)",
    "CREATE INDEX decisions_by_readings ON decisions (readings_id)",
    """
    CREATE TABLE plans (
        decision_id INTEGER NOT NULL,
        lane TEXT NOT NULL,
        moves INTEGER NOT NULL,
        "plan" TEXT NOT NULL,
        PRIMARY KEY (decision_id)
    )
     STRICT
    """,
    """
    CREATE TABLE verdicts (
        decision_id INTEGER NOT NULL,
        passed INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        PRIMARY KEY (decision_id)
    )
     STRICT
    """,
    """
    CREATE TABLE refusals (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        decision_id INTEGER NOT NULL,
        rule TEXT NOT NULL,
        message TEXT NOT NULL
    )
     STRICT
    """,
    "CREATE INDEX refusals_by_decision ON refusals (decision_id)",
    """
    CREATE TABLE intents (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        intent_id TEXT NOT NULL,
        decision_id INTEGER NOT NULL,
        chain_id INTEGER NOT NULL,
        account TEXT NOT NULL,
        lane TEXT NOT NULL,
        kind TEXT NOT NULL,
        deadline INTEGER NOT NULL,
        state TEXT NOT NULL,
        block_number INTEGER,
        block_hash TEXT,
        tx_hash TEXT,
        fence INTEGER NOT NULL,
        note TEXT NOT NULL,
        intent TEXT NOT NULL,
        UNIQUE (intent_id)
    )
     STRICT
    """,
    "CREATE INDEX intents_by_state ON intents (chain_id, state)",
    """
    CREATE TABLE intent_states (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        intent_id TEXT NOT NULL,
        recorded_ms INTEGER NOT NULL,
        from_state TEXT NOT NULL,
        to_state TEXT NOT NULL,
        account TEXT NOT NULL,
        block_number INTEGER,
        block_hash TEXT,
        tx_hash TEXT,
        note TEXT NOT NULL
    )
     STRICT
    """,
    "CREATE INDEX intent_states_by_intent ON intent_states (intent_id)",
    """
    CREATE TABLE attempts (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        tx_hash TEXT NOT NULL,
        intent_id TEXT NOT NULL,
        chain_id INTEGER NOT NULL,
        account TEXT NOT NULL,
        nonce INTEGER NOT NULL,
        attempt TEXT NOT NULL,
        status TEXT NOT NULL,
        block_number INTEGER,
        gas_used INTEGER DEFAULT 0 NOT NULL,
        gas_price_wei TEXT DEFAULT '0' NOT NULL,
        problem TEXT DEFAULT '' NOT NULL,
        recorded_ms INTEGER NOT NULL,
        UNIQUE (tx_hash)
    )
     STRICT
    """,
    "CREATE INDEX attempts_by_intent ON attempts (intent_id)",
    "CREATE INDEX attempts_by_nonce ON attempts (chain_id, account, nonce)",
    "CREATE INDEX attempts_by_status ON attempts (chain_id, account, status)",
    """
    CREATE TABLE costs (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        intent_id TEXT NOT NULL,
        tx_hash TEXT NOT NULL,
        kind TEXT NOT NULL,
        amount TEXT NOT NULL,
        unit TEXT NOT NULL,
        CONSTRAINT costs_once UNIQUE (tx_hash, kind)
    )
     STRICT
    """,
    "CREATE INDEX costs_by_intent ON costs (intent_id)",
    """
    CREATE TABLE outcomes (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        decision_id INTEGER,
        block_number INTEGER NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        intent_id TEXT,
        tx_hash TEXT,
        recorded_ms INTEGER NOT NULL
    )
     STRICT
    """,
    "CREATE INDEX outcomes_by_decision ON outcomes (decision_id)",
    "CREATE INDEX outcomes_by_intent ON outcomes (intent_id)",
    "CREATE INDEX outcomes_by_status ON outcomes (status)",
    """
    CREATE TABLE fences (
        fence INTEGER NOT NULL,
        holder TEXT NOT NULL,
        recorded_ms INTEGER NOT NULL,
        PRIMARY KEY (fence)
    )
     STRICT
    """,
)
_COPIES = (
    """
    INSERT INTO readings (id, chain_id, vault, block_number, block_hash, block_timestamp, market)
    SELECT id, json_extract(market, '$.readings.chain_id'), vault, block_number, block_hash,
           block_timestamp, market
    FROM old_decisions
    """,
    """
    INSERT INTO decisions (id, readings_id, account, fence, risk, target, intent_id, recorded_ms)
    SELECT id, id, '', 0, risk, target, intent_id, block_timestamp * 1000 FROM old_decisions
    """,
    """
    INSERT INTO plans (decision_id, lane, moves, plan)
    SELECT id, json_extract(plan, '$.lane'), json_array_length(plan, '$.moves'), plan
    FROM old_decisions
    """,
    """
    INSERT INTO verdicts (decision_id, passed, verdict)
    SELECT id, json_array_length(verdict, '$.refusals') = 0, verdict FROM old_decisions
    """,
    """
    INSERT INTO refusals (decision_id, rule, message)
    SELECT d.id, json_extract(r.value, '$.rule'), json_extract(r.value, '$.message')
    FROM old_decisions d, json_each(d.verdict, '$.refusals') r ORDER BY d.id, r.key
    """,
    """
    INSERT OR IGNORE INTO intents
        (intent_id, decision_id, chain_id, account, lane, kind, deadline, state, fence, note, intent)
    SELECT intent_id, id, json_extract(market, '$.readings.chain_id'), '',
           json_extract(intent, '$.lane'), lower(json_extract(intent, '$.payload."$"')),
           json_extract(intent, '$.deadline'), 'journalled', 0, '', intent
    FROM old_decisions WHERE intent_id IS NOT NULL ORDER BY id
    """,
    """
    INSERT INTO attempts (tx_hash, intent_id, chain_id, account, nonce, attempt, status,
                          block_number, gas_used, gas_price_wei, problem, recorded_ms)
    SELECT a.tx_hash, a.intent_id, a.chain_id, a.account, a.nonce, a.attempt, a.status,
           a.block_number, a.gas_used, a.gas_price_wei, a.problem,
           COALESCE((SELECT MAX(d.block_timestamp) * 1000 FROM old_decisions d
                     WHERE d.intent_id = a.intent_id), 0)
    FROM old_attempts a ORDER BY a.rowid
    """,
    """
    INSERT INTO outcomes
        (id, decision_id, block_number, status, reason, intent_id, tx_hash, recorded_ms)
    SELECT id,
           (SELECT MAX(r.id) FROM readings r WHERE r.block_number = o.block_number),
           block_number, status, reason, intent_id, tx_hash,
           COALESCE((SELECT r.block_timestamp * 1000 FROM readings r
                     WHERE r.block_number <= o.block_number
                     ORDER BY r.block_number DESC LIMIT 1), 0)
    FROM old_outcomes o
    """,
)


def upgrade() -> None:
    """New tables beside the old, everything copied, the old dropped; one transaction of its caller."""
    for name in _OLD_INDEXES:
        op.execute(text(f"DROP INDEX IF EXISTS {name}"))
    for name in _OLD:
        op.execute(text(f"ALTER TABLE {name} RENAME TO old_{name}"))
    for statement in _TABLES:
        op.execute(text(statement))
    connection = op.get_bind()
    for statement in _COPIES:
        connection.exec_driver_sql(statement)
    states_of_2.write(connection)
    for name in _OLD:
        op.execute(text(f"DROP TABLE old_{name}"))


def downgrade() -> None:
    """A journal is never taken back: its copy is."""
    raise NotImplementedError
