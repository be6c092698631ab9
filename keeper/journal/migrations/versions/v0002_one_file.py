"""Version 2: what keepers wrote before versions were migrated. Those files are stamped with it, not made by it."""

revision = "0002"
down_revision = None


def upgrade() -> None:
    """Nothing: the tables are there."""


def downgrade() -> None:
    """A journal is never taken back: its copy is."""
    raise NotImplementedError
