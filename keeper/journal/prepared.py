"""Statements of SQLAlchemy Core, compiled once for each database and run by its driver.

Writing a decision takes half a dozen of them between a block and its transaction; Core's own execution costs several
times what the driver does.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, or_
from sqlalchemy.engine import Connection


def one_of(column: ColumnElement[str], values: Iterable[str]) -> ColumnElement[bool]:
    """As `column.in_(values)`, without the list."""
    return or_(*(column == value for value in values))


class Prepared:
    """One statement with named parameters; no list among them."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[
            tuple[str, tuple[str, ...]], tuple[str, list[str] | None, dict[str, Any]]
        ] = {}

    def run(self, db: Connection, values: Mapping[str, Any]) -> Any:
        """The driver's cursor."""
        key = (db.dialect.name, tuple(values))
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(db, key[1])
        sql, order, fixed = found
        given = {**fixed, **values} if fixed else values
        driver: Any = db.connection.dbapi_connection
        if order is None:
            return driver.execute(sql, given)
        return driver.execute(sql, [given[name] for name in order])

    def one(self, db: Connection, values: Mapping[str, Any]) -> Any:
        """Its first row as a tuple, or None."""
        return self.run(db, values).fetchone()

    def rows(self, db: Connection, values: Mapping[str, Any]) -> list[Any]:
        """All its rows, as tuples."""
        found: list[Any] = self.run(db, values).fetchall()
        return found

    def _compile(
        self, db: Connection, names: tuple[str, ...]
    ) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled: Any = self._statement.compile(dialect=db.dialect, column_keys=list(names))
        order = list(compiled.positiontup) if compiled.positional else None
        fixed = {name: value for name, value in compiled.params.items() if name not in names}
        return str(compiled), order, fixed
