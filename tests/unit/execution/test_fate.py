"""What an endpoint's words mean for the fate of a transaction."""

import itertools

import pytest

from keeper.errors import EndpointError, RpcError
from keeper.execution.fate import Fate, classify, fate_of, fee_cap_wei, together


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        ("already known", Fate.ACCEPTED),
        ("ALREADY_EXISTS: already known", Fate.ACCEPTED),
        ("transaction already imported", Fate.ACCEPTED),
        ("nonce too low: next nonce 8, tx nonce 7", Fate.NONCE_USED),
        ("OldNonce", Fate.NONCE_USED),
        ("insufficient funds for gas * price + value: balance 0", Fate.UNFUNDED),
        ("Insufficient funds for gas * price + value", Fate.UNFUNDED),
        ("replacement transaction underpriced", Fate.UNDERPRICED),
        ("transaction underpriced", Fate.UNDERPRICED),
        ("max fee per gas less than block base fee", Fate.UNDERPRICED),
        ("exceeds block gas limit", Fate.REFUSED),
        ("tx fee (1.20 ether) exceeds the configured cap (1.00 ether)", Fate.OVER_CAP),
        ("intrinsic gas too low", Fate.REFUSED),
        ("invalid chain id for signer", Fate.REFUSED),
        ("internal error", Fate.UNKNOWN),
        ("txpool is full", Fate.UNKNOWN),
        ("", Fate.UNKNOWN),
    ],
)
def test_words_of_nodes(words: str, fate: Fate) -> None:
    assert classify(words) is fate


def test_no_answer_means_an_unknown_fate_and_not_a_failure() -> None:
    deaf = EndpointError("http://fake", "eth_sendRawTransaction", "did not answer within 1 s")
    assert fate_of(deaf) == (Fate.UNKNOWN, "did not answer within 1 s")


def test_a_refusal_keeps_the_words() -> None:
    refusal = RpcError("http://fake", "eth_sendRawTransaction", -32000, "nonce too low")
    assert fate_of(refusal) == (Fate.NONCE_USED, "nonce too low")


@pytest.mark.parametrize(
    ("fates", "expected"),
    [
        ([Fate.REFUSED, Fate.ACCEPTED, Fate.UNFUNDED], Fate.ACCEPTED),  # any success wins
        ([Fate.REFUSED, Fate.UNKNOWN], Fate.UNKNOWN),  # it may be pooled: followed, not given up
        ([Fate.UNFUNDED, Fate.NONCE_USED], Fate.NONCE_USED),
        ([Fate.REFUSED, Fate.UNDERPRICED], Fate.UNDERPRICED),
        ([Fate.REFUSED, Fate.UNFUNDED], Fate.UNFUNDED),
        ([Fate.REFUSED], Fate.REFUSED),
        ([], Fate.UNKNOWN),
    ],
)
def test_what_counts_when_endpoints_differ(fates: list[Fate], expected: Fate) -> None:
    for order in itertools.permutations(fates):
        assert together([(fate, "") for fate in order])[0] is expected


@pytest.mark.parametrize(
    ("words", "milliether"),
    [
        ("tx fee (1.20 ether) exceeds the configured cap (1.00 ether)", 995),  # shown rounded
        ("tx fee (9.00 ether) exceeds the configured cap (2.50 ether)", 2_495),
        ("tx fee (0.02 ether) exceeds the configured cap (0.00 ether)", 5),
        ("transaction fee exceeds the configured cap", 995),
    ],
)
def test_the_fee_cap_of_an_endpoint_is_read_from_its_words(words: str, milliether: int) -> None:
    assert fee_cap_wei(words) == milliether * 10**15
