"""Our decoding of ABI words gives what the reference gives, and refuses at least what it refuses."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple
from hypothesis import given
from hypothesis import strategies as st

from keeper.chain.words import plan

LEAVES: dict[str, st.SearchStrategy[Any]] = {
    "uint8": st.integers(0, 255),
    "uint88": st.integers(0, 2**88 - 1),
    "uint256": st.integers(0, 2**256 - 1),
    "int24": st.integers(-(2**23), 2**23 - 1),
    "int256": st.integers(-(2**255), 2**255 - 1),
    "bool": st.booleans(),
    "bytes32": st.binary(min_size=32, max_size=32),
    "address": st.integers(0, 2**160 - 1).map(lambda n: f"0x{n:040x}"),
    "string": st.text(max_size=70),
}
Typed = tuple[dict[str, Any], Any, Any]
"""A parameter, a value as the reference takes it, and as we give it."""


def _leaf(kind: str) -> st.SearchStrategy[Typed]:
    return LEAVES[kind].map(lambda value: ({"name": "", "type": kind}, value, value))


def _tuple(parts: list[Typed]) -> Typed:
    components = [{**p, "name": f"f{i}"} for i, (p, _, _) in enumerate(parts)]
    named = {c["name"]: ours for c, (_, _, ours) in zip(components, parts, strict=True)}
    parameter = {"name": "", "type": "tuple", "components": components}
    return parameter, tuple(theirs for _, theirs, _ in parts), named


def _array(item: Typed, count: int) -> Typed:
    parameter, theirs, ours = item
    return {**parameter, "type": parameter["type"] + "[]"}, [theirs] * count, [ours] * count


typed: st.SearchStrategy[Typed] = st.recursive(
    st.sampled_from(sorted(LEAVES)).flatmap(_leaf),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map(_tuple),
        st.builds(_array, inner, st.integers(0, 3)),
    ),
    max_leaves=12,
)


@given(st.lists(typed, min_size=1, max_size=3))
def test_what_the_reference_encodes_is_read_as_it_was(given_parts: list[Typed]) -> None:
    parameters = [p for p, _, _ in given_parts]
    data = encode([collapse_if_tuple(p) for p in parameters], [t for _, t, _ in given_parts])
    assert plan(parameters)(data) == tuple(ours for _, _, ours in given_parts)


# no length of some hundreds: nested arrays that share one keep the reference decoder busy for hours
@given(
    st.lists(typed, min_size=1, max_size=2), st.data(), st.sampled_from([0, 1, 3, 2**64, 2**255])
)
def test_what_the_reference_refuses_is_refused(
    given_parts: list[Typed], data: st.DataObject, put: int
) -> None:
    """One word of the data is another, or its end is missing: the same values, or a refusal by both."""
    parameters = [p for p, _, _ in given_parts]
    types = [collapse_if_tuple(p) for p in parameters]
    whole = encode(types, [t for _, t, _ in given_parts])
    at = 32 * data.draw(st.integers(0, len(whole) // 32 - 1))
    changed = whole[:at] + put.to_bytes(32, "big") + whole[at + 32 :]
    changed = changed[: data.draw(st.integers(0, len(changed)) | st.just(len(changed)))]
    try:
        theirs = decode(types, changed)
    except (DecodingError, OverflowError, ValueError):
        with pytest.raises(ValueError):  # noqa: PT011 - any of its words
            plan(parameters)(changed)
        return
    try:
        ours = plan(parameters)(changed)
    except ValueError:
        return  # stricter, never laxer
    assert [_plain(o) for o in ours] == [_plain(t) for t in theirs]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def test_an_array_that_claims_to_be_endless_is_refused_before_it_is_made() -> None:
    read = plan([{"name": "", "type": "uint256[]"}])
    for count in (2**40, 2**255, 97):
        with pytest.raises(ValueError, match=r"beyond the end|too early"):
            read((32).to_bytes(32, "big") + count.to_bytes(32, "big") + bytes(32))


def test_a_type_that_is_not_known_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="fixed128x18"):
        plan([{"name": "", "type": "fixed128x18"}])
