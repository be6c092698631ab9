"""Where the key comes from, and what is said when it does not."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from keeper.config.key import load_address, load_signer
from keeper.config.settings import KeySettings
from keeper.errors import KeystoreError
from keeper.execution.signers import encrypt_keystore, from_private_key
from keeper.execution.signers.remote import RemoteSigner
from tests.rpc_server import answering, rpc_server

KEY = "0x" + "4c" * 32
ADDRESS = from_private_key(KEY, "test").address
PASSWORD = "correct horse"


@pytest.fixture
def key(tmp_path: Path) -> KeySettings:
    (tmp_path / "k.json").write_text(encrypt_keystore(KEY, PASSWORD, iterations=2))
    return KeySettings(keystore=tmp_path / "k.json")


def signing(key: KeySettings, env: dict[str, str] | None = None, typed: str | None = None) -> str:
    signer = load_signer(key, env or {}, (lambda _: typed) if typed is not None else None)
    assert signer is not None
    return signer.address


def test_the_password_comes_from_the_environment(key: KeySettings) -> None:
    assert signing(key, {"GIMBAL_KEYSTORE_PASSWORD": PASSWORD}) == ADDRESS


def test_the_password_comes_from_the_first_line_of_a_file(key: KeySettings, tmp_path: Path) -> None:
    (tmp_path / "p").write_text(f"{PASSWORD}\n")
    assert signing(key.model_copy(update={"password_file": tmp_path / "p"})) == ADDRESS


def test_the_password_is_asked_for_in_a_terminal(key: KeySettings) -> None:
    assert signing(key, typed=PASSWORD) == ADDRESS


def test_a_private_key_comes_from_the_named_variable() -> None:
    assert signing(KeySettings(), {"GIMBAL_PRIVATE_KEY": KEY}) == ADDRESS
    assert signing(KeySettings(private_key_env="MINE"), {"MINE": KEY}) == ADDRESS


def test_no_key_at_all_is_no_signer() -> None:
    assert load_signer(KeySettings(), {}) is None


@pytest.mark.parametrize(
    ("change", "env", "says"),
    [
        ({}, {}, "there is no password for it"),
        ({}, {"GIMBAL_KEYSTORE_PASSWORD": "x"}, "wrong password"),
        ({"password_file": Path("/none")}, {}, "password file /none: cannot be read"),
        ({"keystore": Path("/none")}, {"GIMBAL_KEYSTORE_PASSWORD": "x"}, "no such file"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    key: KeySettings, change: dict[str, Path], env: dict[str, str], says: str
) -> None:
    with pytest.raises(KeystoreError, match=says):
        load_signer(key.model_copy(update=change), env)


def test_the_address_is_known_without_a_password(key: KeySettings) -> None:
    assert load_address(key, {}) == ADDRESS
    assert load_address(KeySettings(address=ADDRESS), {}) == ADDRESS
    assert load_address(KeySettings(), {"GIMBAL_PRIVATE_KEY": KEY}) == ADDRESS
    assert load_address(KeySettings(), {}) is None


def test_a_remote_signer_is_asked_for_its_one_account() -> None:
    with rpc_server(
        answering(lambda method, _: [ADDRESS] if method == "eth_accounts" else None)
    ) as url:
        settings = KeySettings(remote_url=url)
        assert load_address(settings, {}) == ADDRESS
        signer = load_signer(settings, {})
        assert isinstance(signer, RemoteSigner)
        assert repr(signer) == f"RemoteSigner({ADDRESS})"
        signer.close()


def test_a_key_of_kms_that_cannot_be_reached_is_named_without_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASECRET99")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "SECRET99SECRET99")
    settings = KeySettings(
        kms_key_id="k", kms_region="eu-west-1", kms_endpoint_url="http://127.0.0.1:1"
    )
    with pytest.raises(KeystoreError, match=r"KMS key k: did not answer") as caught:
        load_signer(settings, {})
    assert "SECRET99" not in str(caught.value)


@pytest.mark.parametrize(
    "places",
    [
        {"keystore": "k.json", "kms_key_id": "k"},
        {"kms_key_id": "k", "remote_url": "http://127.0.0.1:1"},
        {"keystore": "k.json", "remote_url": "http://127.0.0.1:1"},
    ],
)
def test_two_places_for_one_key_are_refused(places: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="names several signers"):
        KeySettings(**places)


@pytest.mark.parametrize("name", ["correct horse", "hunter2", "", "A-B", "1A", "A" * 65])
def test_what_is_no_name_of_a_variable_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="not its value"):
        KeySettings(password_env=name)
