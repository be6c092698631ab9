"""Keys come from a keystore or the environment, and never show themselves (K-09)."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from keeper.errors import KeystoreError, SigningError
from keeper.execution.signers import encrypt_keystore, from_keystore, from_private_key
from keeper.model.secret import Secret
from tests.unit.execution.fake_chain import fields_of, hash_of
from tests.unit.execution.signers.asked import ASKED

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
    assert repr(signer) == str(signer) == f"{signer!s}" == f"Signer({signer.address})"


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_signer_and_a_secret_leave_the_process_in_no_form(
    take: Callable[[object], object],
) -> None:
    for held in (from_private_key(KEY, "test"), Secret(KEY)):
        with pytest.raises(TypeError, match="neither pickled nor copied") as caught:
            take(held)
        assert "4c4c" not in str(caught.value)


def test_the_signature_is_the_one_eth_account_makes() -> None:
    """RFC 6979: another implementation gives the same bytes."""
    signed = from_private_key(KEY, "test").sign(ASKED)
    theirs = Account.from_key(KEY).sign_transaction(ASKED)
    assert signed.raw == "0x" + theirs.raw_transaction.hex()
    assert signed.tx_hash == "0x" + theirs.hash.hex() == hash_of(signed.raw)


@given(nonce=st.integers(0, 2**63), gas=st.integers(0, 2**63), fee=st.integers(0, 2**128))
def test_what_is_signed_is_what_was_asked(nonce: int, gas: int, fee: int) -> None:
    asked = {**ASKED, "nonce": nonce, "gas": gas, "maxFeePerGas": fee, "data": "0x" + "ab" * 100}
    fields = fields_of(from_private_key(KEY, "test").sign(asked).raw)
    assert (fields["nonce"], fields["cap"]) == (nonce, fee)


@pytest.mark.parametrize(
    "change",
    [
        {"type": 0},
        {"to": "0x"},
        {"to": "0x" + "11" * 21},
        {"nonce": -1},
        {"gas": None},
        {"value": True},
        {"data": "0xzz"},
        {"maxFeePerGas": 2**256},
        {"gasPrice": 7},
        {"accessList": []},
    ],
)
def test_anything_but_a_whole_fee_market_transaction_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SigningError, match="no EIP-1559 transaction"):
        from_private_key(KEY, "test").sign({**ASKED, **change})
