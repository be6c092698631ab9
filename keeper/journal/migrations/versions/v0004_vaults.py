"""Version 4: intents and the ends of ticks name their vault, for keepers of several.

Written out, and not taken from the schema of today; in words that SQLite and PostgreSQL share.
"""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

_OF_THE_DECISION = """
    SELECT r.vault FROM decisions d JOIN readings r ON r.id = d.readings_id WHERE d.id = {}.decision_id
"""
_ONLY_ONE = """
    SELECT CASE WHEN COUNT(DISTINCT r.vault) = 1 THEN MAX(r.vault) ELSE '' END FROM readings r
"""
"""A tick that ended before it decided anything was of the one vault that was ever kept, if it is one."""


def upgrade() -> None:
    """A column each, filled from the decisions; one transaction of its caller."""
    for table in ("intents", "outcomes"):
        op.execute(text(f"ALTER TABLE {table} ADD COLUMN vault TEXT DEFAULT '' NOT NULL"))
        found = _OF_THE_DECISION.format(table)
        op.execute(text(f"UPDATE {table} SET vault = COALESCE(({found}), ({_ONLY_ONE}), '')"))  # noqa: S608
    op.execute(text("CREATE INDEX outcomes_by_vault ON outcomes (vault, status)"))


def downgrade() -> None:
    """A journal is never taken back: its copy is."""
    raise NotImplementedError
