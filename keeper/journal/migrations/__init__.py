"""Alembic's migrations of the journal; run by `keeper.journal.migrate`, never by hand."""
