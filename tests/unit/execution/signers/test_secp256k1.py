"""Signatures and keys of others, in the one form that Ethereum takes."""

import contextlib

import pytest
from coincurve import PrivateKey
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from keeper.execution.signers.secp256k1 import (
    HALF_ORDER,
    ORDER,
    low_s,
    parity_of,
    parse_der,
    recovered_address,
    spki_address,
)

SCALARS = st.integers(1, ORDER - 1)
DIGESTS = st.binary(min_size=32, max_size=32)


@given(r=SCALARS, s=SCALARS)
def test_der_is_read_back(r: int, s: int) -> None:
    assert parse_der(encode_dss_signature(r, s)) == (r, s)


@given(r=SCALARS, s=SCALARS, at=st.integers(0, 80), byte=st.integers(1, 255))
def test_der_with_one_byte_changed_is_refused_or_another_number(
    r: int, s: int, at: int, byte: int
) -> None:
    """There is one encoding of each pair: no change of a byte leaves the pair as it was."""
    der = bytearray(encode_dss_signature(r, s))
    der[at % len(der)] ^= byte
    with contextlib.suppress(ValueError):
        assert parse_der(bytes(der)) != (r, s)


@given(r=SCALARS, s=SCALARS, extra=st.binary(min_size=1, max_size=4))
def test_der_with_more_or_less_than_a_signature_is_refused(r: int, s: int, extra: bytes) -> None:
    der = encode_dss_signature(r, s)
    for wrong in (der + extra, der[: -len(extra)], extra + der):
        with pytest.raises(ValueError, match=r"DER|bytes|integer"):
            parse_der(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "3006020100020101",  # r = 0
        "3006020101020100",
        "3006020181020101",  # negative
        "300702020001020101",  # a zero too many
        "30250221" + "00" + "ff" * 32 + "020101"[:4],
        "3081060201010201" + "01",  # long form of a short length
        "3106020101020101",
        "3006030101020101",
    ],
)
def test_der_that_is_not_strict_or_outside_of_the_group_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"DER|bytes|integer"):
        parse_der(bytes.fromhex(wrong))


@given(s=SCALARS)
def test_s_ends_in_the_lower_half_and_signs_the_same(s: int) -> None:
    assert low_s(s) <= HALF_ORDER
    assert low_s(s) in {s, ORDER - s}


@given(key=SCALARS, digest=DIGESTS)
def test_the_parity_is_found_whichever_half_s_came_from(key: int, digest: bytes) -> None:
    address = Account.from_key(key.to_bytes(32, "big")).address
    signature = PrivateKey.from_int(key).sign_recoverable(digest, hasher=None)
    r, s = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64]))
    for given_s in (s, ORDER - s):
        assert parity_of(digest, r, low_s(given_s), address) == signature[64]
    assert recovered_address(digest, signature[64], r, s) == address
    assert recovered_address(digest, 1 - signature[64], r, s) != address
    assert parity_of(digest, r, s, "0x" + "11" * 20) is None


def test_a_point_that_does_not_exist_is_nobodys() -> None:
    assert recovered_address(bytes(32), 0, ORDER + 5, 1) is None
    assert recovered_address(bytes(32), 0, 2**256, 1) is None


def _spki(key: ec.EllipticCurvePublicKey, form: serialization.PublicFormat) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, form)


@given(key=SCALARS)
def test_the_address_of_a_public_key_is_the_accounts(key: int) -> None:
    public = ec.derive_private_key(key, ec.SECP256K1()).public_key()
    der = _spki(public, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert spki_address(der) == Account.from_key(key.to_bytes(32, "big")).address


def test_a_public_key_of_another_curve_or_form_is_refused() -> None:
    other = ec.derive_private_key(7, ec.SECP256R1()).public_key()
    ours = ec.derive_private_key(7, ec.SECP256K1()).public_key()
    der = _spki(ours, serialization.PublicFormat.SubjectPublicKeyInfo)
    off_curve = der[:-1] + bytes([der[-1] ^ 1])
    for wrong in (_spki(other, serialization.PublicFormat.SubjectPublicKeyInfo), b"", der[:-1]):
        with pytest.raises(ValueError, match="secp256k1"):
            spki_address(wrong)
    with pytest.raises(ValueError, match=r"."):
        spki_address(off_curve)
