"""Which head is decided on: the newest block that k endpoints hold, alike in every field (K-02)."""

import threading
from collections.abc import Mapping, Sequence

import structlog

from keeper.chain import agreement
from keeper.chain.endpoint import Endpoint
from keeper.chain.member import Member, shortage
from keeper.chain.panel import Panel
from keeper.chain.stamps import stamp
from keeper.errors import ConflictError, ReadError
from keeper.model.block import BlockStamp

_log = structlog.get_logger(__name__)
_METHOD = "eth_getBlockByNumber"
_LOWEST = 3
"""Heights that are tried for an agreement before there is none."""
_SEEN = 256
"""Announced heads that are kept."""

Answers = Mapping[str, BlockStamp | ReadError]


class HeadVote:
    """Asks for heads and listens to announced ones. Any thread may use it."""

    def __init__(self, panel: Panel, k: int, patience_s: float, grace_s: float) -> None:
        self._panel = panel
        self._k = k
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._members = {m.name: m for m in panel.members}
        self._guard = threading.Lock()
        self._head: BlockStamp | None = None
        self._announced: dict[BlockStamp, set[str]] = {}

    @property
    def head(self) -> BlockStamp | None:
        """The last that was decided."""
        return self._head

    def poll(self) -> BlockStamp:
        """Ask everyone. Raises ConflictError or QuorumError when no k of them agree.

        A block behind the last head is only decided when nobody is beyond it any more.
        """
        asked = self._panel.start(self._panel.voters(self._k), Endpoint.head)
        answers = asked.wait(lambda a: len(stamps_of(a)) >= self._k, self._patience_s)
        if not self._news(answers):  # there may be a newer one among those still to come
            answers = asked.wait(self._news, self._grace_s)
        stamps = stamps_of(answers)
        found = agreement.held_by(stamps, self._k)
        reached = agreement.level([s.number for s in stamps.values()], self._k)
        if reached is None:
            raise shortage("the head", self._k, len(stamps), answers)
        if found is None or found.number < reached:
            found = self._lower(stamps, reached) or found
        if found is None:
            error = ConflictError("the head", self._k, agreement.camps(stamps))
            _log.error("endpoints disagree", problem=str(error))
            raise error
        last = self._head
        if last and found.number < last.number <= max(s.number for s in stamps.values()):
            behind = f"block {last.number} was decided and only {found.number} is agreed on"
            raise shortage(f"the head, {behind}", self._k, self._k - 1, answers)
        self._decide(found, stamps)
        asked.close(self._late)
        return found

    def announced(self, name: str, head: BlockStamp) -> BlockStamp | None:
        """One endpoint told of a head: the head, if with that k have and it is news; else None."""
        member = self._members.get(name)
        if member is None or not member.reads():
            return None
        member.at(head.number)
        with self._guard:
            names = self._announced.setdefault(head, set())
            names.add(name)
            while len(self._announced) > _SEEN:
                del self._announced[next(iter(self._announced))]
            counted = [n for n in names if self._members[n].honest()]
            seen = {n: s for s, who in self._announced.items() for n in who}
        last = self._head
        if len(counted) < self._k or head == last or (last and head.number < last.number):
            return None
        self._decide(head, seen)
        return head

    def _news(self, answers: Answers) -> bool:
        """True if k of the answers agree on something newer than the last head."""
        found = agreement.held_by(stamps_of(answers), self._k)
        return found is not None and (self._head is None or found.number > self._head.number)

    def _lower(self, stamps: Mapping[str, BlockStamp], reached: int) -> BlockStamp | None:
        """The newest block at a height that k have reached, and that k hold: asked of those beyond it."""
        heights = sorted({s.number for s in stamps.values() if s.number <= reached}, reverse=True)
        for height in heights[:_LOWEST]:
            beyond = [self._members[n] for n, s in stamps.items() if s.number > height]
            there = {n: s for n, s in stamps.items() if s.number == height}
            found = agreement.held_by({**there, **self._at(beyond, height)}, self._k)
            if found is not None and found.number == height:
                return found
        return None

    def _at(self, members: Sequence[Member], height: int) -> dict[str, BlockStamp]:
        def question(endpoint: Endpoint) -> BlockStamp:
            header = endpoint.call(_METHOD, [hex(height), False])
            return stamp(header, endpoint.name, _METHOD)

        asked = self._panel.start(members, question)
        return stamps_of(asked.wait(lambda _: False, self._patience_s))

    def _decide(self, found: BlockStamp, stamps: Mapping[str, BlockStamp]) -> None:
        with self._guard:
            self._head = found
        for name, said in stamps.items():
            self._judge(self._members[name], said, found)

    def _judge(self, member: Member, said: BlockStamp, found: BlockStamp) -> None:
        member.at(said.number)
        if said.hash == found.hash and said != found:
            member.caught(f"another header for block {found.hash}")
            return
        member.agreed(found.number, same=said.number != found.number or said == found)

    def _late(self, name: str, answer: BlockStamp | ReadError) -> None:
        head = self._head
        if isinstance(answer, BlockStamp) and head is not None:
            self._judge(self._members[name], answer, head)


def stamps_of(answers: Answers) -> dict[str, BlockStamp]:
    """The answers that are blocks."""
    return {name: a for name, a in answers.items() if isinstance(a, BlockStamp)}
