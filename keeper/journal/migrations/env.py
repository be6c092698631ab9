"""Alembic's environment: the connection is handed over open, in a transaction that its owner commits."""

from alembic import context

from keeper.journal import schema


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=schema.metadata)
    context.run_migrations()


_run()
