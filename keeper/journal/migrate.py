"""Brings a journal's tables to what this keeper knows: in one transaction, after a copy of the file was put aside."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert, inspect
from sqlalchemy.engine import Connection

from keeper.journal import schema
from keeper.journal.database import Database
from keeper.journal.lock import take_lock

_OLDEST = 2
MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(database: Database) -> None:
    """Create or migrate the tables. JournalError for a journal of a newer keeper, or of a foreign program."""
    with database.reading() as db:
        found = _version(database, db)
    if found == schema.VERSION:
        return
    if found is None:
        _create(database)
        return
    if not database.exclusive and database.source.path is not None:
        # somebody only looks; a live keeper of the older version must not lose its tables under its hands
        with take_lock(database.source.path):
            _migrate(database, found)
        return
    _migrate(database, found)


def alembic_config(connection: Connection) -> Any:
    """Configuration for alembic's commands on an open connection."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _version(database: Database, db: Connection) -> int | None:
    """Schema version of the tables; None for a database without any of ours."""
    tables = set(inspect(db).get_table_names())
    if "meta" not in tables:
        if tables & {"decisions", "attempts", "alembic_version"}:
            raise database.refuse("holds tables of another program")
        return None
    row = db.execute(
        schema.meta.select().where(schema.meta.c.key == "schema_version")
    ).one_or_none()
    said = row.value if row else "nothing"
    version = int(said) if said.isascii() and said.isdecimal() else 0
    if "alembic_version" in tables:
        revision = db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        if version == schema.VERSION and revision != schema.HEAD:
            version, said = 0, f"{said} and revision {revision}"
    if version > schema.VERSION:
        problem = (
            f"has schema version {said}, this keeper knows {schema.VERSION}; use a newer keeper"
        )
        raise database.refuse(problem)
    if version < _OLDEST:
        raise database.refuse(f"has schema version {said}, which this keeper cannot migrate")
    return version


def _create(database: Database) -> None:
    with database.writing() as db:
        _one_at_a_time(db)
        if _version(database, db) is not None:
            return  # another process came first
        schema.metadata.create_all(db)
        db.execute(insert(schema.meta), {"key": "schema_version", "value": str(schema.VERSION)})
        db.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL,"
            " CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
        db.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{schema.HEAD}')")  # noqa: S608


def _one_at_a_time(db: Connection) -> None:
    """SQLite's transaction is exclusive already; PostgreSQL's is not."""
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("SELECT pg_advisory_xact_lock(1, hashtext(current_schema()))")


def _migrate(database: Database, found: int, upgrade: Callable[[Any], None] | None = None) -> None:
    """From `found` to the head, atomically; a crash before the commit leaves the journal as it was."""
    if database.source.path is not None:
        _put_aside(database, found)
    with database.writing() as db:
        _one_at_a_time(db)
        if _version(database, db) == schema.VERSION:
            return
        (upgrade or _upgrade)(alembic_config(db))
        db.execute(schema.meta.update().values(value=str(schema.VERSION)))


def _upgrade(config: Any) -> None:
    from alembic import command

    command.upgrade(config, "head")


def _put_aside(database: Database, found: int) -> None:
    """A whole copy of the file as it was, durable before anything is changed; an earlier copy is kept."""
    path = Path(os.path.realpath(database.source.path or ""))
    copy = path.with_name(f"{path.name}.v{found}.bak")
    if copy.exists():
        return
    half = copy.with_name(f"{copy.name}.part")
    try:
        half.unlink(missing_ok=True)
        handle = os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _copy(path, half)
            os.fsync(handle)
        finally:
            os.close(handle)
        half.rename(copy)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except (OSError, sqlite3.Error) as error:
        raise database.refuse(f"is not migrated: no copy can be put aside ({error})") from error


def _copy(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(path), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()
