"""AWS KMS with real keys on secp256k1, in moto: its answers become transactions that eth-account recovers."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
import rlp  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from eth_account import Account
from moto import mock_aws
from moto.kms.utils import ECDSAPrivateKey

from keeper.errors import KeystoreError, SigningError
from keeper.execution.signers.kms import KmsSigner, from_kms
from keeper.execution.signers.secp256k1 import HALF_ORDER, ORDER
from tests.unit.execution.signers.asked import ASKED

SAID: list[int] = []
"""s of every signature that the service made."""


def _sign_digest(self: Any, message: bytes, signing_algorithm: str) -> bytes:
    """As AWS does for MessageType=DIGEST: moto hashes the digest once more."""
    digest = message if len(message) == 32 else base64.b64decode(message)
    signature: bytes = self.private_key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256())))
    SAID.append(decode_dss_signature(signature)[1])
    return signature


@pytest.fixture(autouse=True)
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(ECDSAPrivateKey, "sign", _sign_digest)
    SAID.clear()
    with mock_aws():
        yield boto3.client("kms", region_name="eu-west-1")


def make_key(kms: Any, spec: str = "ECC_SECG_P256K1", usage: str = "SIGN_VERIFY") -> str:
    made = kms.create_key(KeySpec=spec, KeyUsage=usage)
    return str(made["KeyMetadata"]["KeyId"])


def opened(key_id: str) -> KmsSigner:
    return from_kms(key_id, region="eu-west-1", endpoint_url=None, timeout_s=2.0)


def test_every_signature_is_the_keys_with_a_low_s_whatever_the_service_gave(kms: Any) -> None:
    signer = opened(make_key(kms))
    for nonce in range(24):
        raw = signer.sign({**ASKED, "nonce": nonce}).raw
        assert Account.recover_transaction(raw) == signer.address
        *_, s = rlp.decode(bytes.fromhex(raw[4:]))
        assert int.from_bytes(s, "big") <= HALF_ORDER
    high = sum(s > HALF_ORDER for s in SAID)
    assert 0 < high < len(SAID)  # both halves were met


def test_two_keys_are_two_accounts(kms: Any) -> None:
    assert opened(make_key(kms)).address != opened(make_key(kms)).address


def test_a_key_of_another_curve_is_refused(kms: Any) -> None:
    with pytest.raises(KeystoreError, match="holds no ECC_SECG_P256K1 key"):
        opened(make_key(kms, "ECC_NIST_P256"))


def test_a_key_that_is_not_there_is_named_with_the_services_own_code(kms: Any) -> None:
    with pytest.raises(KeystoreError, match=r"NotFoundException.*kms:Sign"):
        opened("11111111-2222-3333-4444-555555555555")


def test_a_key_disabled_after_the_start_fails_the_signing_and_nothing_else(kms: Any) -> None:
    key_id = make_key(kms)
    signer = opened(key_id)
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    other = KmsSigner(_Answers(kms, key_id), key_id, "KMS key x")
    with pytest.raises(SigningError, match="did not answer"):
        other.sign(ASKED)
    assert signer.address == other.address


class _Answers:
    """A client that has a public key, and signs with what a test gives."""

    def __init__(self, kms: Any, key_id: str, signature: bytes | None = None) -> None:
        self._public = kms.get_public_key(KeyId=key_id)
        self._signature = signature

    def get_public_key(self, **_: Any) -> Any:
        return self._public

    def sign(self, **_: Any) -> Any:
        if self._signature is None:
            raise ConnectionError("to https://kms with secret AKIA")
        return {"Signature": self._signature}


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        (b"", "no ECDSA signature"),
        (b"\x30\x06\x02\x01\x00\x02\x01\x01", "no ECDSA signature"),
        (encode_dss_signature(5, 7), "not of"),
        (encode_dss_signature(ORDER - 1, ORDER - 1), "not of"),
    ],
)
def test_a_wrong_answer_of_the_service_is_never_used(kms: Any, signature: bytes, says: str) -> None:
    signer = KmsSigner(_Answers(kms, make_key(kms), signature), "x", "KMS key x")
    with pytest.raises(SigningError, match=says):
        signer.sign(ASKED)


def test_an_outage_does_not_quote_what_the_library_says(kms: Any) -> None:
    with pytest.raises(SigningError, match=r"did not answer \(ConnectionError\)") as caught:
        KmsSigner(_Answers(kms, make_key(kms)), "x", "KMS key x").sign(ASKED)
    assert "AKIA" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_answer_without_a_key_is_refused(kms: Any) -> None:
    answers = _Answers(kms, make_key(kms))
    answers._public = {**answers._public, "PublicKey": b"\x30\x00"}
    with pytest.raises(KeystoreError, match="no secp256k1 public key"):
        KmsSigner(answers, "x", "KMS key x")
