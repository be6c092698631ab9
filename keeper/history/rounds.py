"""An oracle's rounds as its contract recorded them, checked. Real rounds are untidy; what is real is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keeper.errors import MarketDataError
from keeper.history.table import Floats, Ints, Table, read_table

PHASE_SHIFT = 64
"""A round id is the phase, shifted by so many bits, plus the aggregator's own round."""


@dataclass(frozen=True, slots=True)
class Rounds:
    """Arrays (rounds,) in the order of the round ids, which is the order in which answers came into force."""

    phase: Ints
    aggregator_round: Ints
    answer: Floats
    """In whole units of the quote."""
    started_at: Ints
    updated_at: Ints
    """Unix seconds. Neighbours may share it or, rarely, be out of order."""
    empty: int
    """All-zero rounds that were left out: rounds begun and never answered."""

    def __len__(self) -> int:
        return int(self.answer.size)

    def in_force(self, at: Ints) -> Floats:
        """The answer in force at each time (unix seconds): of the latest round updated by then; NaN before the
        first."""
        known = np.maximum.accumulate(self.updated_at)
        place = np.searchsorted(known, at, side="right") - 1
        return np.where(place >= 0, self.answer[np.maximum(place, 0)], np.nan)


def read_rounds(path: Path | str, decimals: int = 8) -> Rounds:
    """Read `roundId, answer, startedAt, updatedAt, answeredInRound` as returned by the feed's `getRoundData`.

    decimals: of the answer (8 for USD pairs, 18 for ETH pairs).
    Errors: `MarketDataError`: missing columns, an answer that is not a positive whole number (but for all-zero
    rounds), a round id that repeats, or rounds missing between the first and the last of a phase.
    """
    names = ("roundId", "answer", "startedAt", "updatedAt", "answeredInRound")
    table = read_table(path, names)
    identifiers = _identifiers(table)
    answers = table.numbers("answer")
    updated = table.seconds("updatedAt")
    empty = (answers == 0) & (updated == 0)
    table.require((answers > 0) | empty, "answer", "is not a positive price", "drop the row")
    order = np.array(sorted(range(len(identifiers)), key=identifiers.__getitem__))
    ids = [identifiers[i] for i in order]
    for place in range(1, len(ids)):
        _check_next(table, int(order[place]), ids[place - 1], ids[place])
    kept = order[~empty[order]]
    if kept.size == 0:
        raise MarketDataError(table.path, "has no answered round", "give at least one")
    phases = np.array([identifiers[i] >> PHASE_SHIFT for i in kept], dtype=np.int64)
    rounds = np.array([identifiers[i] % (1 << PHASE_SHIFT) for i in kept], dtype=np.int64)
    return Rounds(
        phase=phases,
        aggregator_round=rounds,
        answer=answers[kept] / 10.0**decimals,
        started_at=table.whole("startedAt")[kept],
        updated_at=updated[kept],
        empty=int(empty.sum()),
    )


def _identifiers(table: Table) -> list[int]:
    found = []
    for row, cell in enumerate(table.columns["roundId"]):
        if not cell.strip().isdigit() or int(cell) >> 80:
            problem = f"{cell!r} is not a round id"
            raise table.error(problem, "give whole numbers below 2^80", row, "roundId")
        found.append(int(cell))
    return found


def _check_next(table: Table, row: int, before: int, now: int) -> None:
    if now == before:
        raise table.error(f"{now} stands twice", "keep one of the rows", row, "roundId")
    if before >> PHASE_SHIFT == now >> PHASE_SHIFT and now != before + 1:
        problem = f"{now - before - 1} rounds are missing before {now}"
        raise table.error(problem, "get the missing rounds", row, "roundId")
