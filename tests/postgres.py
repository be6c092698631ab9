"""A throw-away PostgreSQL server for tests, from Debian's binaries: a socket in a folder of its own, no network.

Without the binaries tests that need it skip, and fail under REQUIRE_POSTGRES=1.
"""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_DEBIAN = Path("/usr/lib/postgresql")
_USER = "keeper"
_PASSWORD = "correct horse: battery/staple"
_ADMIN_MAY_NOT = ("postgres", "nobody")
"""The server refuses to run as root; one of these accounts runs it then."""


class PostgresServer:
    """A server that lives as long as the test session."""

    def __init__(self, binaries: Path, folder: Path) -> None:
        self._binaries, self._folder = binaries, folder
        self._numbers = itertools.count(1)
        self._account = _account()
        if self._account:
            shutil.chown(folder, self._account)
        self.data = folder / "data"
        self.log = folder / "log"

    def start(self) -> None:
        """Make a cluster and wait until it answers."""
        self._run(
            "initdb", "-D", str(self.data), "-U", _USER, "-A", "trust", "-E", "UTF8",
            "--locale=C", "--no-sync",
        )  # fmt: skip
        self._start()

    def _start(self) -> None:
        # the socket's path must be short; loopback is not listened to either
        options = f"-k {self._folder} -c listen_addresses= -c max_connections=40"
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: `immediate` is a crash, from which the next start recovers."""
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", how, "stop")

    def crash(self) -> None:
        """End it as a power cut would, and start it again."""
        self.stop("immediate")
        self._start()

    def url(self, schema: str | None = None) -> str:
        """Address of a new, empty place for tables; or of the one named."""
        name = schema or f"test_{next(self._numbers)}"
        if schema is None:
            self.sql(f"CREATE SCHEMA {name}")
        from urllib.parse import quote

        return (
            f"postgresql://{_USER}:{quote(_PASSWORD, safe='')}@/postgres"
            f"?host={self._folder}&options=-csearch_path%3D{name}"
        )

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run something as the administrator."""
        import psycopg

        with psycopg.connect(
            host=str(self._folder), user=_USER, dbname="postgres", autocommit=True
        ) as db:
            cursor = db.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    @property
    def password(self) -> str:
        """Of its user, as a person would type it."""
        return _PASSWORD

    def _run(self, program: str, *arguments: str) -> None:
        with (self._folder / "out").open("ab") as out:
            done = subprocess.run(
                [str(self._binaries / program), *arguments],
                user=self._account,
                group=self._account and _group(self._account),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=60,
                check=False,
            )
        if done.returncode:
            said = (self._folder / "out").read_text(errors="replace")[-2_000:]
            raise RuntimeError(f"{program} failed: {said}")


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _ADMIN_MAY_NOT if name in known)


def _group(account: str) -> int:
    return pwd.getpwnam(account).pw_gid


def _binaries() -> Path | None:
    for folder in sorted(_DEBIAN.glob("*/bin"), reverse=True):
        if (folder / "initdb").is_file():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session; each test takes a schema of its own by `url()`."""
    binaries = _binaries()
    if binaries is None:
        message = "no PostgreSQL server: install Debian's package postgresql"
        if os.environ.get("REQUIRE_POSTGRES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    folder = Path(tempfile.mkdtemp(prefix="gimbal-pg-", dir="/tmp"))
    server = PostgresServer(binaries, folder)
    try:
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
