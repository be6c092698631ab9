"""No secret reaches a log, whatever a library puts into a message (K-09)."""

import json
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from keeper.cli.logs import Redactor, configure, secrets_of
from tests.unit.config.test_load import settings

KEY = "0x" + "5e" * 32


@given(before=st.text(), after=st.text())
def test_a_secret_is_blotted_out_wherever_it_stands(before: str, after: str) -> None:
    redactor = Redactor([KEY])
    for form in (KEY, KEY.removeprefix("0x")):
        shown = redactor.text(f"{before}{form}{after}")
        assert KEY.removeprefix("0x") not in shown


@pytest.mark.parametrize(
    "value",
    [KEY, [KEY], {"a": {"b": (KEY,)}}, {KEY: 1}, ValueError(f"bad key {KEY}"), Path(f"/x/{KEY}")],
)
def test_any_value_of_an_event_is_cleaned(value: object) -> None:
    event = Redactor([KEY])(None, "info", {"event": "x", "value": value})
    assert KEY.removeprefix("0x") not in repr(event)


def test_numbers_and_short_words_stay_as_they_are() -> None:
    event = Redactor(["abc", ""])(None, "info", {"event": "abc", "n": 1, "f": 0.5, "b": True})
    assert event == {"event": "abc", "n": 1, "f": 0.5, "b": True}


def test_every_secret_of_the_settings_is_known(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("from-file\nsecond line\n")
    loaded = settings(
        tmp_path,
        '[key]\npassword_file = "p"',
        GIMBAL_RPC_URL="https://me:pass123@node.example/v3/apikey?token=t0k3n",
    )
    environment = {"GIMBAL_PRIVATE_KEY": KEY, "GIMBAL_KEYSTORE_PASSWORD": "hunter2"}
    found = secrets_of(loaded.settings, environment)
    assert found == {
        KEY,
        "hunter2",
        "from-file",
        "pass123",
        "me:pass123",
        "v3/apikey",
        "token=t0k3n",
    }


def test_a_key_of_an_address_is_known_without_its_path_too(tmp_path: Path) -> None:
    """The endpoint repeats the key alone."""
    address = "https://TOKENUSER:@node.example/v3/SECRET99KEY?a=1&k=QSECRET77"
    loaded = settings(tmp_path, GIMBAL_RPC_URL=address)
    redactor = Redactor(secrets_of(loaded.settings, {}))
    said = redactor.text("project SECRET99KEY of TOKENUSER over quota; k=QSECRET77")
    assert said == "project *** of *** over quota; k=***"


@pytest.mark.parametrize(
    "address", ["http://u:SECRET99@exa\u2100mple/", "http://u:SECRET99/x@127.0.0.1:9/"]
)
def test_a_password_in_an_odd_address_is_known(tmp_path: Path, address: str) -> None:
    loaded = settings(
        tmp_path, '[log]\nlevel = "info"', GIMBAL_WS_URL=address.replace("http", "ws")
    )
    assert "SECRET99" not in Redactor(secrets_of(loaded.settings, {})).text(f"bad {address}")


@pytest.mark.parametrize("format_", ["json", "console"])
def test_logs_go_to_standard_error_without_secrets(
    capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    configure("json" if format_ == "json" else "console", "info", Redactor([KEY]))
    try:
        log = structlog.get_logger("test")
        log.info("sent", tx="0xaa", note=f"with {KEY}")
        log.debug("not shown")
        try:
            int(KEY[2:] + "!")
        except ValueError:
            log.warning("failed", exc_info=True)
    finally:
        structlog.reset_defaults()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert KEY.removeprefix("0x") not in captured.err
    assert "not shown" not in captured.err
    if format_ == "json":
        first = json.loads(captured.err.splitlines()[0])
        assert (first["event"], first["tx"], first["level"]) == ("sent", "0xaa", "info")
