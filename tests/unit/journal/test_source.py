"""K-09: where a journal is may be shown, its password never."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from keeper.app import journal_path
from keeper.cli.logs import Redactor, secrets_of
from keeper.config.load import load
from keeper.config.show import rows
from keeper.errors import JournalError, SettingError
from keeper.journal.source import Source, shown_url, url_secrets
from keeper.journal.store import open_journal
from tests.postgres import PostgresServer

SECRET = "s3cret:/@ word"
QUOTED = "s3cret%3A%2F%40%20word"
URL = f"postgresql://me:{QUOTED}@db.example:6543/journal?sslpassword=hush1234"
ENVIRONMENT = {
    "GIMBAL_CHAIN_ID": "1",
    "GIMBAL_RPC_URL": "http://127.0.0.1:8545",
    "GIMBAL_VAULT": "0x" + "11" * 20,
    "GIMBAL_LENS": "0x" + "22" * 20,
}


def hidden(text: str) -> bool:
    return not any(secret in text for secret in (SECRET, QUOTED, "hush1234"))


def test_an_address_is_shown_without_user_password_and_options() -> None:
    assert shown_url(URL) == "postgresql://db.example:6543/journal"
    assert (
        shown_url("postgresql://me@/journal?host=/run/sockets")
        == "postgresql:///run/sockets/journal"
    )
    assert shown_url("mysql://me:secret@h/x") == "postgresql://?"


def test_every_form_of_the_secrets_is_known_to_the_log() -> None:
    assert url_secrets(URL) == {SECRET, QUOTED, "hush1234"}
    assert url_secrets("postgresql://me@db/journal") == set()
    settings = load(None, {**ENVIRONMENT, "GIMBAL_JOURNAL__URL": URL}).settings
    text = Redactor(secrets_of(settings, {})).text(f"{URL} and {SECRET}")
    assert hidden(text)


def test_settings_never_show_the_password() -> None:
    loaded = load(None, {**ENVIRONMENT, "GIMBAL_JOURNAL__URL": URL})
    assert isinstance(loaded.settings.journal.url, SecretStr)
    assert hidden(repr(loaded.settings) + str(loaded.settings.model_dump()))
    (row,) = [row for row in rows(loaded) if row.name == "journal.url"]
    assert row.value == "postgresql://db.example:6543/journal"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (f"mysql://me:{QUOTED}@h/db", "must start with postgresql://"),
        (f"postgresql://me:{QUOTED}@h", "must name a database"),
        (f"postgresql://me:{QUOTED}@h:port/db", "must be postgresql://user@host:port/database"),
    ],
)
def test_a_wrong_address_is_refused_without_being_quoted(url: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as refused:
        load(None, {**ENVIRONMENT, "GIMBAL_JOURNAL__URL": url})
    assert hidden(str(refused.value))
    with pytest.raises(JournalError, match=problem) as caught:
        open_journal(url)
    assert hidden(str(caught.value))


def test_the_setting_takes_the_place_of_the_file_but_for_dry_runs(tmp_path: Path) -> None:
    """A dry run would count as the live keeper's own past."""
    environment = {**ENVIRONMENT, "GIMBAL_JOURNAL__PATH": str(tmp_path / "j.sqlite")}
    in_file = load(None, environment).settings
    in_server = load(None, {**environment, "GIMBAL_JOURNAL__URL": URL}).settings
    assert journal_path(in_file) == tmp_path / "j.sqlite"
    assert journal_path(in_server) == URL
    for settings in (in_file, in_server):
        assert journal_path(settings, dry_run=True) == tmp_path / "j.dry.sqlite"


def test_errors_of_a_server_name_it_and_nothing_secret(postgres: PostgresServer) -> None:
    place = postgres.url("missing_schema")
    with pytest.raises(JournalError) as caught:
        open_journal(place)
    assert postgres.password not in str(caught.value)
    assert "correct%20horse" not in str(caught.value)
    absent = place.replace("/postgres?", "/nothing?")
    with pytest.raises(JournalError, match="nothing") as caught:
        open_journal(absent)
    told: list[Any] = [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
    assert not any(postgres.password in text for text in told)


def test_a_server_that_is_not_there_is_said_at_once() -> None:
    with pytest.raises(JournalError, match=r"journal postgresql://127.0.0.1:9/journal: cannot be"):
        open_journal(f"postgresql://me:{QUOTED}@127.0.0.1:9/journal")


def test_two_keepers_cannot_have_one_database(postgres: PostgresServer) -> None:
    place = postgres.url()
    with open_journal(place):
        with pytest.raises(JournalError, match="in use by another keeper"):
            open_journal(place)
        open_journal(place, exclusive=False).close()  # who only looks, or waits to lead
        open_journal(postgres.url()).close()  # another schema is another journal
    open_journal(place).close()


def test_a_path_stays_a_path() -> None:
    assert Source.of("some/file.sqlite").path == Path("some/file.sqlite")
    assert Source.of(Path("postgres.sqlite")).url is None
