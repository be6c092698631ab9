"""Keys come from a keystore or the environment, and never show themselves (K-09)."""

import json
from pathlib import Path

import pytest

from keeper.errors import KeystoreError
from keeper.execution.signer import encrypt_keystore, from_keystore, from_private_key
from tests.unit.execution.fake_chain import fields_of, hash_of

KEY = "0x" + "4c" * 32
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "keystore.json"
    path.write_text(encrypt_keystore(KEY, PASSWORD, iterations=2))
    return path


def test_the_keystore_opens_with_its_password(keystore: Path) -> None:
    assert from_keystore(keystore, PASSWORD).address == from_private_key(KEY, "test").address


def test_a_wrong_password_is_named_and_nothing_of_it_is_shown(keystore: Path) -> None:
    with pytest.raises(KeystoreError, match="wrong password") as caught:
        from_keystore(keystore, "battery staple")
    assert "battery" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_missing_keystore_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="no such file"):
        from_keystore(tmp_path / "none.json", PASSWORD)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"version": 3}',
        '{"version": 1}',
        "\u0000",
        '{"version":3,"crypto":7}',
    ],
)
def test_a_file_that_is_no_keystore_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(content)
    with pytest.raises(KeystoreError, match="not a version 3 keystore"):
        from_keystore(path, PASSWORD)


@pytest.mark.parametrize("key", ["", "0x", "12", "0x" + "zz" * 32, "0x" + "00" * 32, "ab" * 33])
def test_a_bad_private_key_is_refused_without_being_quoted(key: str) -> None:
    with pytest.raises(KeystoreError, match=r"key from \$K") as caught:
        from_private_key(key, "$K")
    assert caught.value.__context__ is None or len(key) < 4 or key not in str(caught.value)
    assert len(key) < 4 or key not in str(caught.value)


def test_a_signer_shows_its_address_only(keystore: Path) -> None:
    signer = from_keystore(keystore, PASSWORD)
    assert repr(signer) == f"Signer({signer.address})"
    assert KEY.removeprefix("0x") not in json.dumps(vars(signer), default=repr)


def test_the_signature_is_the_accounts() -> None:
    signer = from_private_key(KEY, "test")
    signed = signer.sign(
        {
            "type": 2,
            "chainId": 1,
            "nonce": 3,
            "to": "0x" + "11" * 20,
            "value": 0,
            "data": "0x",
            "gas": 21_000,
            "maxFeePerGas": 5,
            "maxPriorityFeePerGas": 1,
        }
    )
    fields = fields_of(signed.raw)
    assert (fields["sender"], fields["nonce"], fields["cap"]) == (signer.address, 3, 5)
    assert signed.tx_hash == hash_of(signed.raw)
