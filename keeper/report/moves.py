"""What a plan does, in words that fit a line and in the order in which it is done."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from keeper.model.decision import Move, MoveKind
from keeper.model.units import MAX_UINT256
from keeper.report.format import amount

_ROUND_BEGINS = frozenset({MoveKind.WITHDRAW, MoveKind.BORROW})


@dataclass(frozen=True, slots=True)
class TokenName:
    """How to write amounts of a token."""

    name: str
    decimals: int
    is_asset: bool


def moves_text(moves: Sequence[Move], tokens: Mapping[str, TokenName]) -> str:
    """First what comes before any round, then the rounds of the same, added up."""
    first = next((i for i, m in enumerate(moves) if m.kind in _ROUND_BEGINS), len(moves))
    steps = (*_steps(moves[:first], tokens), *_steps(moves[first:], tokens))
    return ", ".join(steps)


def _steps(moves: Iterable[Move], tokens: Mapping[str, TokenName]) -> Iterable[str]:
    totals: dict[tuple[str, str], int] = {}
    for move in moves:
        step = (_verb(move, tokens.get(move.token)), move.token)
        totals[step] = min(MAX_UINT256, totals.get(step, 0) + move.amount)
    return [_text(verb, total, address, tokens) for (verb, address), total in totals.items()]


def _verb(move: Move, token: TokenName | None) -> str:
    if move.kind is MoveKind.SWAP and token is not None:
        return "spend" if token.is_asset else "sell"
    return move.kind.name.lower()


def _text(verb: str, total: int, address: str, tokens: Mapping[str, TokenName]) -> str:
    token = tokens.get(address)
    if total >= MAX_UINT256:
        return f"{verb} all {token.name if token else address}"
    if token is None:
        return f"{verb} {total:,} units of {address}"
    places = 0 if token.is_asset else 3
    return f"{verb} {amount(total, token.decimals, places)} {token.name}"
