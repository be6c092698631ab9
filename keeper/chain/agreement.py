"""What several endpoints agree on: pure functions of their answers (K-02, K-08)."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keeper.chain.gone import is_gone
from keeper.chain.source import Call
from keeper.errors import RpcError
from keeper.model.block import BlockStamp

_HEADER_FIELDS = ("number", "hash", "parentHash", "timestamp", "baseFeePerGas")
_RECEIPT_FIELDS = (
    "transactionHash",
    "blockHash",
    "blockNumber",
    "status",
    "gasUsed",
    "effectiveGasPrice",
    "l1Fee",  # of rollups
)
_LOG_FIELDS = ("address", "topics", "data")
RECEIPT = "eth_getTransactionReceipt"
_ESTIMATE = "eth_estimateGas"
_FIELDS = {
    "eth_getBlockByHash": _HEADER_FIELDS,
    "eth_getBlockByNumber": _HEADER_FIELDS,
    RECEIPT: _RECEIPT_FIELDS,
}
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_CALL_FAILED = ("revert", "out of gas", "outofgas", "gas required exceeds")
_QUANTITIES = frozenset({"eth_getBalance", "eth_getTransactionCount", "eth_chainId"})
_BY_HASH = frozenset({"eth_getBlockByHash"})
GONE = "gone"
"""Essence of an answer that the pinned block is not known: late or reorganised, never a lie."""
_SOME_GAS = "some gas"
"""Essence of every estimate: nodes search for it in their own ways, and agree only that the call goes through."""


def majority(n: int) -> int:
    """The least k of which there cannot be two among n."""
    return n // 2 + 1


def level(heights: Sequence[int], k: int) -> int | None:
    """The greatest height that k of them have reached: a single endpoint far ahead cannot raise it."""
    return sorted(heights, reverse=True)[k - 1] if len(heights) >= k else None


def held_by(stamps: Mapping[str, BlockStamp], k: int) -> BlockStamp | None:
    """The newest block that k endpoints tell of, alike in every field; None if none, or two of one height."""
    counts = Counter(stamps.values())
    held = sorted((s for s, n in counts.items() if n >= k), key=lambda s: s.number)
    if len(held) > 1 and held[-1].number == held[-2].number:
        return None
    return held[-1] if held else None


def camps(stamps: Mapping[str, BlockStamp]) -> tuple[str, ...]:
    """Who tells of which block, for people."""
    return tuple(
        f"{'+'.join(n for n, s in stamps.items() if s == found)}: block {found.number} {found.hash[:10]}"
        for found in sorted(set(stamps.values()), key=lambda s: (s.number, s.hash))
    )


def essence(method: str, result: Any) -> str:
    """What of an answer must be the same at every honest endpoint.

    Not the words of an error, the case of hexadecimal digits (of their prefix it is), or fields that only some
    clients add.
    """
    if isinstance(result, RpcError):
        revert = "revert" if result.code == 3 or result.data else ""
        return GONE if is_gone(result) else f"error {revert} {result.data.lower()}"
    if method in _QUANTITIES and isinstance(result, str):
        # only what its reader takes is the same: of those alike the first one's is read
        return hex(int(result, 16)) if _QUANTITY.fullmatch(result) else result
    if method == _ESTIMATE and _gas(result) is not None:
        return _SOME_GAS
    if result is None and method in _BY_HASH:
        return GONE
    if isinstance(result, dict) and method in _FIELDS:
        logs = {"logs": _logs(result.get("logs"))} if method == RECEIPT else {}
        result = {name: result.get(name) for name in _FIELDS[method]} | logs
    text = json.dumps(result, sort_keys=True)
    return text if '"0X' in text else text.lower()


def up_to(method: str, result: Any, block_number: int | None) -> Any:
    """The answer as of a block: a receipt of a newer one, or of none, is not there yet.

    Endpoints are at different heads, and would differ in nothing else.
    """
    if method != RECEIPT or block_number is None or not isinstance(result, dict):
        return result
    number = result.get("blockNumber")
    if number is None:
        return None
    found = _gas(number)
    return None if found is not None and found > block_number else result


def _gas(result: Any) -> int | None:
    try:
        return int(result, 16) if result.startswith("0x") else None
    except (AttributeError, TypeError, ValueError):
        return None


def _logs(logs: Any) -> Any:
    """What happened, without the fields that only some clients add."""
    if not isinstance(logs, list) or not all(isinstance(log, dict) for log in logs):
        return logs
    return [[log.get(name) for name in _LOG_FIELDS] for log in logs]


def pinned(call: Call) -> bool:
    """True if every honest endpoint that knows the block answers the same for ever."""
    method, params = call
    if method in _BY_HASH:
        return True
    return any(isinstance(p, dict) and "blockHash" in p for p in params)


@dataclass(frozen=True, slots=True)
class Tally:
    """The answers to a batch, counted."""

    decided: tuple[Any, ...] | None
    """One result a call, each held by k endpoints; None if any has none."""
    essences: tuple[str, ...] = ()
    """Of what was decided."""
    liars: tuple[str, ...] = ()
    """Endpoints that contradict what was decided at a pinned block."""
    split: int = -1
    """The first call without a decision."""
    better: bool = False
    """True if more answers could say more: a receipt on which there is no agreement yet, or another estimate."""


def tally(
    calls: Sequence[Call], answers: Mapping[str, tuple[list[Any], list[str]]], k: int
) -> Tally:
    """What k endpoints agree on, call by call; `answers` holds each endpoint's results and their essences.

    A receipt on which they do not agree is an RpcError in its place: nobody knows, which is not "there is none".
    """
    results: list[Any] = []
    essences: list[str] = []
    better = False
    for place, (method, _) in enumerate(calls):
        counts = Counter(said[place] for _, said in answers.values())
        held = [said for said, count in counts.items() if count >= k]
        if len(held) != 1 and method == RECEIPT and len(answers) >= k:
            better = True
            essences.append(GONE)
            results.append(RpcError("+".join(answers), method, 0, f"not {k} of them say the same"))
            continue
        if len(held) != 1:
            return Tally(None, split=place)
        essences.append(held[0])
        found = [r[place] for r, said in answers.values() if said[place] == held[0]]
        if held[0] == _SOME_GAS:
            better = True
            found = [hex(level([int(gas, 16) for gas in found], k) or 0)]
        results.append(_telling(found))
    liars = tuple(name for name, (_, said) in answers.items() if contradicts(calls, said, essences))
    return Tally(tuple(results), tuple(essences), liars, better=better)


def _telling(alike: Sequence[Any]) -> Any:
    """One of several answers that are the same in essence; of errors one whose words say that the call itself failed.

    Such words cannot do harm where k endpoints refuse the call; that one of them hides behind other words can.
    """
    for answer in alike:
        if isinstance(answer, RpcError) and any(w in answer.message.lower() for w in _CALL_FAILED):
            return answer
    return alike[0]


def contradicts(calls: Sequence[Call], said: Sequence[str], decided: Sequence[str]) -> bool:
    """True if an endpoint's answers differ from the decided ones where no honest one could."""
    return any(
        mine != theirs and _contradicts(call, mine, theirs)
        for call, mine, theirs in zip(calls, said, decided, strict=True)
    )


def _contradicts(call: Call, mine: str, theirs: str) -> bool:
    if GONE in {mine, theirs} or _refused(mine):
        return False
    return _of_one_block(mine, theirs) if call[0] == RECEIPT else pinned(call)


def _of_one_block(mine: str, theirs: str) -> bool:
    """True of two receipts that name the same block: only one of them can be right."""
    blocks = [json.loads(said).get("blockhash") for said in (mine, theirs) if said.startswith("{")]
    return len(blocks) == 2 and blocks[0] is not None and blocks[0] == blocks[1]


def _refused(said: str) -> bool:
    """An error that is no revert: the endpoint could not or would not, which is no lie."""
    return said == "error  "


def factions(
    place: int, answers: Mapping[str, tuple[list[Any], list[str]]], most: int = 48
) -> tuple[str, ...]:
    """Who gave which answer to one call, for people."""
    groups: dict[str, list[str]] = {}
    for name, (_, said) in answers.items():
        groups.setdefault(said[place], []).append(name)
    return tuple(f"{'+'.join(names)}: {said[:most]}" for said, names in groups.items())
