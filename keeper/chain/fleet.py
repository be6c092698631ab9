"""Several vaults over one source: read together, in as few requests as hold them."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from keeper.chain.reader import LensReader
from keeper.chain.source import Call, Source
from keeper.errors import ReadError
from keeper.model.block import BlockStamp
from keeper.model.market import Readings

CALLS_PER_REQUEST = 100
"""What public endpoints take in one batch."""
_BLOCKS_KEPT = 4


def read_many(
    source: Source, readers: Sequence[LensReader], block: BlockStamp
) -> tuple[Readings | ReadError, ...]:
    """Every reader's vault at `block`, in order; a vault that cannot be read does not hinder the others.

    A call that several need (the balance of their one keeper) is made once: n vaults of one account
    cost n + 1 calls in one request of each endpoint. Raises ReadError when nothing could be read.
    """
    places: dict[str, int] = {}
    calls: list[Call] = []
    wanted: list[list[int]] = []
    for reader in readers:
        mine = []
        for call in reader.calls(block):
            place = places.setdefault(repr(call), len(calls))
            if place == len(calls):
                calls.append(call)
            mine.append(place)
        wanted.append(mine)
    answers: list[Any] = []
    for start in range(0, len(calls), CALLS_PER_REQUEST):
        answers += source.agreed_batch(calls[start : start + CALLS_PER_REQUEST])
    return tuple(
        _read(reader, block, [answers[place] for place in mine])
        for reader, mine in zip(readers, wanted, strict=True)
    )


def _read(reader: LensReader, block: BlockStamp, answers: Sequence[Any]) -> Readings | ReadError:
    try:
        return reader.readings(block, answers)
    except ReadError as error:
        return error


class Fleet:
    """ChainReaders of several vaults: whoever reads a block first reads it for all. Any thread may read."""

    def __init__(self, source: Source, readers: Sequence[LensReader]) -> None:
        self._source = source
        self._readers = tuple(readers)
        self._guard = threading.Lock()
        self._read: OrderedDict[str, tuple[Readings | ReadError, ...]] = OrderedDict()

    def members(self) -> tuple["FleetReader", ...]:
        """One ChainReader a vault, in the order of the readers."""
        return tuple(FleetReader(self, place) for place in range(len(self._readers)))

    def head(self) -> BlockStamp:
        """Newest block to decide on."""
        return self._source.head()

    def read(self, block: BlockStamp) -> tuple[Readings | ReadError, ...]:
        """Every vault at `block`; asked once, while it is one of the last few blocks.

        An answer with a fault in it is not kept: who asks again gets a new one.
        """
        with self._guard:  # the others wait for the first one's answer, which is theirs too
            found = self._read.get(block.hash)
            if found is None:
                found = read_many(self._source, self._readers, block)
                if not any(isinstance(r, ReadError) for r in found):
                    self._read[block.hash] = found
                while len(self._read) > _BLOCKS_KEPT:
                    self._read.popitem(last=False)
            return found


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
        found = self._fleet.read(block)[self._place]
        if isinstance(found, ReadError):
            raise found
        return found
