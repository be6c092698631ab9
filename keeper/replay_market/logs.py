"""What the chain's receipts say of one vault, in the order in which it happened: rounds, moves, swaps, liquidations."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from keeper.model.decision import MoveKind

Receipt = Mapping[str, Any]
_WORD = 64


def _topic(signature: str) -> str:
    return "0x" + keccak(text=signature).hex()


ANSWERED = _topic("AnswerUpdated(int256,uint256,uint256)")
MOVED = _topic("MoveApplied(bytes32,uint8,address,address,uint256,uint256)")
SWAPPED = _topic("Swap(address,address,int256,int256,uint160,uint128,int24)")
LIQUIDATED = _topic("LiquidationCall(address,address,address,uint256,uint256,address,bool)")


@dataclass(frozen=True, slots=True)
class Places:
    """Where to listen, lower case."""

    vault: str
    lending: str
    lending_pool: str
    swap_pool: str
    base_feed: str
    """The aggregator, not the proxy."""
    quote_feed: str
    base: str
    """Token."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A round came into force."""

    of_base: bool
    answer: int


@dataclass(frozen=True, slots=True)
class Moved:
    """One move of the vault took effect, token units."""

    kind: MoveKind
    of_base: bool
    """The token moved; for a swap the one sold."""
    amount: int
    """Sold, supplied, withdrawn, borrowed or repaid."""
    received: int
    """Of the other token; 0 but for a swap."""
    root_before_x96: int
    """Of the pool before a swap; 0 for the other moves."""
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Seized:
    """Somebody liquidated the vault at its lending venue."""

    tx_hash: str


Action = Answered | Moved | Seized


def actions_of(receipts: Iterable[Receipt], places: Places, root_x96: int) -> Iterator[Action]:
    """All of one block; `root_x96`: of the swap pool before it."""
    before = root = root_x96
    for receipt in sorted(receipts, key=lambda r: int(r["transactionIndex"], 16)):
        for log in receipt["logs"]:
            topics = [topic.lower() for topic in log["topics"]]
            if not topics:
                continue
            where, kind, words = log["address"].lower(), topics[0], _words(log["data"])
            if kind == SWAPPED and where == places.swap_pool:
                before, root = root, words[2]
            elif kind == ANSWERED and where in (places.base_feed, places.quote_feed):
                yield Answered(where == places.base_feed, int(topics[1], 16))
            elif kind == MOVED and where == places.vault:
                yield _moved(topics, words, places, before, receipt["transactionHash"])
            elif kind == LIQUIDATED and where == places.lending_pool and _hits(topics, places):
                yield Seized(receipt["transactionHash"])


def _hits(topics: Sequence[str], places: Places) -> bool:
    return "0x" + topics[3][-40:] == places.lending


def _moved(
    topics: Sequence[str], words: Sequence[int], places: Places, root: int, tx_hash: str
) -> Moved:
    kind, (token, amount, result) = MoveKind(int(topics[2], 16)), words[:3]
    of_base = token == int(places.base, 16)
    if kind is MoveKind.SWAP:
        return Moved(kind, of_base, amount, result, root, tx_hash)
    # what the venue says it moved; a supply is taken whole
    return Moved(kind, of_base, amount if kind is MoveKind.SUPPLY else result, 0, 0, tx_hash)


def _words(data: str) -> list[int]:
    text = data.removeprefix("0x")
    return [int(text[i : i + _WORD], 16) for i in range(0, len(text), _WORD)]
