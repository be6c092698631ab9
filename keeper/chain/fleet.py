"""Several vaults over one source: read together, in as few requests as hold them."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from typing import Any

from keeper.chain.reader import LensReader
from keeper.chain.source import Call, Source
from keeper.errors import ConflictError, ReadError, RpcError
from keeper.model.block import BlockStamp
from keeper.model.market import Readings

CALLS_PER_REQUEST = 100
"""What public endpoints take in one batch."""
BALANCE_BLOCKS = 25
"""How old a balance may be of an account with nothing in flight: what is signed is priced by a fresh one anyway."""
_BLOCKS_KEPT = 4

Result = Readings | ReadError


def read_many(
    source: Source, readers: Sequence[LensReader], block: BlockStamp
) -> tuple[Result, ...]:
    """Every reader's vault at `block`, in order; a vault that cannot be read does not hinder the others.

    A call that several need (the balance of their one keeper) is made once: n vaults of one account
    cost n + 1 calls in one request of each endpoint.
    """
    question = _Question(readers, block, frozenset(r.account for r in readers))
    return question.results(question.asked(source), {})


class _Question:
    """What is asked about some vaults at one block: their snapshots, and the balances of the accounts that are due."""

    def __init__(
        self, readers: Sequence[LensReader], block: BlockStamp, due: frozenset[str]
    ) -> None:
        self.readers = tuple(readers)
        self.block = block
        asks = {r.account: r.balance_call(block) for r in readers}
        self.accounts = [account for account in asks if account in due]
        own = [r.own_calls(block) for r in readers]
        self._sizes = [len(calls) for calls in own]
        self.calls: list[Call] = [call for calls in own for call in calls]
        self.calls += [asks[account] for account in self.accounts]

    def begun(self, source: Any, threads: Executor) -> Callable[[], list[Any]]:
        """Asked now, without a thread where that can be; what is returned waits for the answers."""
        begin = getattr(source, "begin", None)
        waits: Callable[[], list[Any]] | None = None
        if begin is not None and len(self.calls) <= CALLS_PER_REQUEST:
            waits = begin(self.calls)
        if waits is None:
            return threads.submit(self.asked, source).result
        return partial(_asked, source, self.calls, waits)

    def asked(self, source: Source) -> list[Any]:
        """The answers; a fault in the place of each that was not had."""
        answers: list[Any] = []
        for start in range(0, len(self.calls), CALLS_PER_REQUEST):
            answers += _asked(source, self.calls[start : start + CALLS_PER_REQUEST])
        return answers

    def results(self, answers: Sequence[Any], held: dict[str, Any]) -> tuple[Result, ...]:
        """`held`: answers to earlier questions for balances, by account; brought up to date."""
        left = iter(answers)
        own = [list(islice(left, size)) for size in self._sizes]
        now = dict(zip(self.accounts, left, strict=True))
        found = tuple(
            _one(reader, self.block, mine, now.get(reader.account, held.get(reader.account)))
            for reader, mine in zip(self.readers, own, strict=True)
        )
        for reader, result in zip(self.readers, found, strict=True):
            if reader.account in now and isinstance(result, Readings):  # it was understood
                held[reader.account] = now[reader.account]
        return found


def _asked(
    source: Source, calls: Sequence[Call], waits: Callable[[], list[Any]] | None = None
) -> list[Any]:
    """Answers; in their places the faults. What endpoints disagree on is found by halves: the rest is agreed."""
    try:
        return waits() if waits is not None else source.agreed_batch(calls)
    except ConflictError as error:
        if len(calls) == 1:
            return [error]
        middle = len(calls) // 2
        return _asked(source, calls[:middle]) + _asked(source, calls[middle:])
    except ReadError as error:
        return [error] * len(calls)


def _one(reader: LensReader, block: BlockStamp, own: Sequence[Any], balance: Any) -> Result:
    for answer in (*own, balance):
        if isinstance(answer, ReadError) and not isinstance(answer, RpcError):
            return answer
    snapshot, *rest = own
    try:
        return reader.readings(block, [snapshot, balance, *rest])
    except ReadError as error:
        return error


class Fleet:
    """ChainReaders of several vaults: whoever reads a block first reads it for all. One thread reads."""

    def __init__(
        self,
        source: Source,
        readers: Sequence[LensReader] = (),
        *,
        restless: Callable[[str], bool] = lambda _account: False,
    ) -> None:
        """restless: whether an account's balance changes just now; then it is asked for at every block."""
        self._source = source
        self._readers = tuple(readers)
        self._restless = restless
        self._guard = threading.Lock()
        self._read: OrderedDict[str, list[Result]] = OrderedDict()
        self._told: set[tuple[str, int]] = set()
        self._begun: tuple[_Question, Callable[[], list[Any]]] | None = None
        self._balances: dict[str, Any] = {}
        self._asked_at: dict[str, int] = {}
        self._moving: frozenset[str] = frozenset()

    def members(self) -> tuple["FleetReader", ...]:
        """One ChainReader a vault, in the order of the readers."""
        return tuple(FleetReader(self, place) for place in range(len(self._readers)))

    def join(self, reader: LensReader) -> "FleetReader":
        """One vault more, from the next block on."""
        with self._guard:
            self._readers = (*self._readers, reader)
            self._read.clear()
            self._told.clear()
            self._begun = None
        return FleetReader(self, len(self._readers) - 1)

    def head(self) -> BlockStamp:
        """Newest block to decide on."""
        return self._source.head()

    def begin(self, block: BlockStamp, threads: Executor) -> None:
        """Ask for every vault at `block`; who reads that block next waits for the answers."""
        with self._guard:
            self._begun = None
            if block.hash not in self._read:
                question = _Question(self._readers, block, self._due(block))
                self._begun = question, question.begun(self._source, threads)

    def read(self, block: BlockStamp) -> tuple[Result, ...]:
        """Every vault at `block`; asked once, while it is one of the last few blocks."""
        with self._guard:
            return tuple(self._at(block))

    def of(self, place: int, block: BlockStamp) -> Readings:
        """One vault at `block`. A fault is raised once; who asks again has those with a fault asked again."""
        with self._guard:
            found = self._at(block)
            if isinstance(found[place], ReadError) and (block.hash, place) in self._told:
                self._again(block, found)
            result = found[place]
        if isinstance(result, ReadError):
            self._told.add((block.hash, place))
            raise result
        return result

    def _at(self, block: BlockStamp) -> list[Result]:
        found = self._read.get(block.hash)
        if found is None:
            begun, self._begun = self._begun, None
            if begun is None or begun[0].block.hash != block.hash:
                question = _Question(self._readers, block, self._due(block))
                begun = question, partial(question.asked, self._source)
            found = self._told_by(begun[0], begun[1]())
            self._read[block.hash] = found
            while len(self._read) > _BLOCKS_KEPT:
                gone, _ = self._read.popitem(last=False)
                self._told = {told for told in self._told if told[0] != gone}
        return found

    def _again(self, block: BlockStamp, found: list[Result]) -> None:
        faulty = [place for place, result in enumerate(found) if isinstance(result, ReadError)]
        readers = [self._readers[place] for place in faulty]
        question = _Question(readers, block, frozenset(reader.account for reader in readers))
        answers = self._told_by(question, question.asked(self._source))
        for place, result in zip(faulty, answers, strict=True):
            found[place] = result
            self._told.discard((block.hash, place))

    def _told_by(self, question: _Question, answers: Sequence[Any]) -> list[Result]:
        found = question.results(answers, self._balances)
        known = self._balances.keys() & set(question.accounts)
        self._asked_at.update(dict.fromkeys(known, question.block.number))
        return list(found)

    def _due(self, block: BlockStamp) -> frozenset[str]:
        """Accounts whose balance is asked for: unknown, old, with something in flight, or that had just before."""
        accounts = {reader.account for reader in self._readers}
        moving = frozenset(a for a in accounts if self._restless(a))
        before, self._moving = self._moving, moving
        old = {a for a in accounts if self._old(self._asked_at.get(a), block.number)}
        return moving | (before & accounts) | old

    @staticmethod
    def _old(asked_at: int | None, now: int) -> bool:
        return asked_at is None or abs(now - asked_at) >= BALANCE_BLOCKS


class FleetReader:
    """ChainReader of one vault of a fleet."""

    def __init__(self, fleet: Fleet, place: int) -> None:
        self._fleet = fleet
        self._place = place

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._fleet.head()

    def read(self, block: BlockStamp) -> Readings:
        """The vault through the lens, pinned to `block`."""
        return self._fleet.of(self._place, block)
