"""What the scripts encode and compare: structs in the ABI's order, addresses from nonces, code but for immutables."""

import pytest
from eth_abi.abi import encode

from scripts._deployment.artifacts import Artifact
from scripts._deployment.chain import (
    create_address,
    encoded,
    explain,
    ordered,
    selector,
    split_types,
    type_of,
)

PARTS = [{"name": "x", "type": "uint8"}, {"name": "y", "type": "address"}]
INNER = {"name": "b", "type": "tuple[]", "components": PARTS}
STRUCT = {"name": "s", "type": "tuple", "components": [{"name": "a", "type": "uint256"}, INNER]}
ONE = f"0x{1:040x}"


def test_structs_are_encoded_in_the_abis_order_whatever_the_mappings() -> None:
    value = {"b": ({"y": ONE, "x": 3},), "a": 7}
    assert type_of(STRUCT) == "(uint256,(uint8,address)[])"
    assert ordered(STRUCT, value) == (7, [(3, ONE)])
    assert encoded([STRUCT], [value]) == encode(["(uint256,(uint8,address)[])"], [(7, [(3, ONE)])])


@pytest.mark.parametrize("value", [{"a": 7}, {"a": 7, "b": (), "c": 1}])
def test_a_struct_with_a_field_missing_or_too_many_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="struct s: fields differ in"):
        ordered(STRUCT, value)


@pytest.mark.parametrize(
    ("nonce", "address"),
    [
        # The first contracts of the account that EIP-161's examples and every explorer show.
        (0, "0xcd234A471b72ba2F1Ccf0A70FCABA648a5eeCD8d"),
        (1, "0x343c43A37D37dfF08AE8C4A11544c718AbB4fCF8"),
        (2, "0xf778B86FA74E846c4f0a1fBd1335FE81c00a0C91"),
    ],
)
def test_addresses_follow_from_nonces(nonce: int, address: str) -> None:
    assert create_address("0x6ac7ea33f8831ea9dcc53393aaa88b25a785dbf0", nonce) == address


def test_addresses_of_many_nonces_differ_at_every_width() -> None:
    nonces = [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000]
    assert len({create_address(ONE, nonce) for nonce in nonces}) == len(nonces)


def test_types_are_split_outside_parentheses() -> None:
    assert split_types("address,(uint256,bytes)[],bool") == ["address", "(uint256,bytes)[]", "bool"]
    assert split_types("") == []


def test_reverts_are_explained() -> None:
    error = {"type": "error", "name": "TooHigh", "inputs": [{"name": "value", "type": "uint256"}]}
    errors = {selector(error): error}
    data = selector(error) + encode(["uint256"], [9])
    assert explain(data, errors) == "TooHigh(value: 9)"
    assert explain(bytes.fromhex("08c379a0") + encode(["string"], ["no"]), {}) == "reverted: no"
    assert (
        explain(bytes.fromhex("4e487b71") + encode(["uint256"], [17]), {})
        == "panicked with code 17"
    )
    assert explain(b"", errors) == "reverted without a reason"
    assert explain(b"\x01\x02\x03\x04", errors) == "reverted with 0x01020304"
    assert explain(selector(error), errors) == f"reverted with 0x{selector(error).hex()}"


def test_code_is_compared_but_for_immutables() -> None:
    artifact = Artifact("A", (), b"", b"\x60\x00\x00\x01")
    assert artifact.fits(b"\x60\xaa\xbb\x01")
    assert not artifact.fits(b"\x61\x00\x00\x01")
    assert not artifact.fits(b"\x60\x00\x00\x01\x00")
    assert not artifact.fits(b"")
    assert not Artifact("B", (), b"", b"").fits(b"")
