"""What reads that are decided on say: the answers that k endpoints give alike (K-02, K-08, K-12)."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from keeper.chain import agreement
from keeper.chain.agreement import GONE, Tally
from keeper.chain.endpoint import Endpoint
from keeper.chain.limits import refuse_limited
from keeper.chain.member import shortage
from keeper.chain.panel import Panel
from keeper.chain.round import Round
from keeper.chain.source import Call
from keeper.errors import ConflictError, ReadError

_log = structlog.get_logger(__name__)

Said = tuple[list[Any], list[str]]
"""Results, and their essences."""
Answers = Mapping[str, Said | ReadError]


class ReadVote:
    """Puts a batch to everyone. Any thread may use it."""

    def __init__(self, panel: Panel, k: int, patience_s: float, grace_s: float = 0.0) -> None:
        self._panel = panel
        self._k = k
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._members = {m.name: m for m in panel.members}

    def batch(
        self, calls: Sequence[Call], hints: Sequence[Call] = (), upto: int | None = None
    ) -> list[Any]:
        """Results in order, each held by k endpoints. Whoever contradicts them at a pinned block is left out.

        Then for each hint what everyone said who had answered by then, k of them at least. `upto`: receipts of
        newer blocks are not there yet. A receipt without agreement is waited for a little, and then an RpcError.
        Raises ConflictError when endpoints contradict each other without a majority of k, QuorumError when
        too few answer.
        """

        def question(endpoint: Endpoint) -> Said:
            results = refuse_limited(endpoint.batch([*calls, *hints]), endpoint.name)
            for place, (method, _) in enumerate(calls):
                results[place] = agreement.up_to(method, results[place], upto)
            pairs = zip(calls, results, strict=False)  # hints are not voted on
            return results, [agreement.essence(method, result) for (method, _), result in pairs]

        def count(answers: Answers) -> Tally:
            return agreement.tally(calls, said_of(answers), self._k)

        asked = self._panel.start(self._panel.voters(self._k), question)
        answers = asked.wait(lambda a: count(a).decided is not None, self._patience_s)
        result = count(answers)
        if result.decided is None:
            raise self._undecided(calls, answers, result.split)
        if result.better:
            answers = asked.wait(lambda a: not count(a).better, self._grace_s)
            more = count(answers)
            result = result if more.decided is None else more
        return self._told(calls, asked, answers, result)

    def _told(
        self,
        calls: Sequence[Call],
        asked: Round[Said | ReadError],
        answers: Answers,
        result: Tally,
    ) -> list[Any]:
        """What was decided and heard; whoever said otherwise is left out, now or when that comes."""
        decided = result.essences
        for name in result.liars:
            self._caught(name, calls, said_of(answers)[name][1], decided)

        def late(name: str, answer: Said | ReadError) -> None:
            for _, said in said_of({name: answer}).values():
                if agreement.contradicts(calls, said, decided):
                    self._caught(name, calls, said, decided)

        for name, answer in asked.close(late).items():
            if name not in answers:  # between the count and the end of the round
                late(name, answer)
        heard = [results[len(calls) :] for results, _ in said_of(answers).values()]
        return [*(result.decided or ()), *zip(*heard, strict=True)]

    def _caught(
        self, name: str, calls: Sequence[Call], said: Sequence[str], decided: Sequence[str]
    ) -> None:
        place = next(i for i, call in enumerate(calls) if _differs(call, said[i], decided[i]))
        self._members[name].caught(f"{calls[place][0]} contradicts {self._k} others")

    def _undecided(self, calls: Sequence[Call], answers: Answers, place: int) -> ReadError:
        said = said_of(answers)
        method = calls[place][0]
        distinct = {essences[place] for _, essences in said.values()} - {GONE}
        if len(said) < self._k or len(distinct) < 2:
            known = sum(essences[place] != GONE for _, essences in said.values())
            return shortage(method, self._k, known, answers)
        error = ConflictError(method, self._k, agreement.factions(place, said))
        _log.error("endpoints disagree", problem=str(error))
        return error


def said_of(answers: Answers) -> dict[str, Said]:
    """The answers that are no errors."""
    return {name: a for name, a in answers.items() if not isinstance(a, ReadError)}


def _differs(call: Call, mine: str, theirs: str) -> bool:
    return agreement.contradicts([call], [mine], [theirs])
