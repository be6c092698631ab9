"""A chain in memory with one desk: what its views answer at each block, and how often they were asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi.abi import encode
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.errors import RpcError
from keeper.model.block import BlockStamp
from keeper.model.units import WAD
from tests.builders import NOW
from tests.desk_builders import BOOK, DESK, HOUSE, SETTLEMENT, VOLATILITY

BASE_FEED, QUOTE_FEED = "0x" + "f1" * 20, "0x" + "f2" * 20
PHASE = 3 << 64
LIMIT_TYPES = ("uint32",) * 4 + ("uint16",) * 5
_REVERT = RpcError("memory", "eth_call", 3, "execution reverted")


@dataclass(frozen=True)
class World:
    """The chain after one block."""

    auctions: tuple[tuple[int, bool, int], ...] = ()
    """(series, the desk's own, kind of its ticket: 0 once cancelled)."""
    series: frozenset[int] = frozenset()
    settlements: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    rounds: tuple[int, ...] = ()
    """When each round of either feed was answered, from the first of the phase on."""


class DeskChain:
    """A Source over worlds by block hash."""

    name = "memory"

    def __init__(self) -> None:
        self.worlds: dict[str, World] = {}
        self.requests = 0
        self.calls = 0
        self._views = _views()

    def put(self, number: int, world: World, fork: int = 0) -> BlockStamp:
        """A block with this world."""
        stamp = BlockStamp(
            number, f"0x{fork:032x}{number:032x}", "0x" + "00" * 32, NOW + 12 * number, 7
        )
        self.worlds[stamp.hash] = world
        return stamp

    def agreed_batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Answers pinned to the hash that is named."""
        self.requests += 1
        self.calls += len(calls)
        return [self._answer(params) for _, params in calls]

    batch = agreed_batch

    def head(self) -> BlockStamp:
        raise NotImplementedError

    def call(self, method: str, params: list[Any]) -> Any:
        raise NotImplementedError

    def _answer(self, params: list[Any]) -> Any:
        request, pinned = params
        data = bytes.fromhex(request["data"][2:])
        world = self.worlds[pinned["blockHash"]]
        view = self._views[request["to"].lower(), data[:4]]
        number = int.from_bytes(data[4:36], "big") if len(data) > 4 else 0
        types, values = view(world, number)
        return _REVERT if values is None else "0x" + encode(types, values).hex()


def _views() -> dict[tuple[str, bytes], Any]:
    def constant(kind: str, value: Any) -> Any:
        return lambda _world, _number: ((kind,), (value,))

    def ticket(world: World, number: int) -> Any:
        series, own, kind = world.auctions[number - 1] if _there(world, number) else (0, False, 0)
        values = (series, 5, 9, kind) if own and kind else (0, 0, 0, 0)
        return ("(uint256,uint96,uint128,uint8)",), (values,)

    def auction(world: World, number: int) -> Any:
        series = world.auctions[number - 1][0] if _there(world, number) else 0
        types = "(uint256,address,uint40,uint40,uint8,address,uint16,uint16,uint16,uint128,uint128,uint128)"
        return (types,), ((series, DESK, 10, 20, 1, DESK, 0, 0, 500, 5, 5, 77),)

    def state(world: World, number: int) -> Any:
        return ("(uint8,uint128,uint128,uint128,uint128,uint128)",), (
            (int(number in world.series), 0, 0, 0, 0, 0),
        )

    def settlement(world: World, number: int) -> Any:
        types = "(uint8,uint8,bool,bool,uint64,uint64,uint16,uint16,uint128,uint128,uint128)"
        return (types,), (world.settlements.get(number, (0, 0, False, False, *[0] * 7)),)

    def round_of(world: World, number: int) -> Any:
        place = (number & (2**64 - 1)) - 1
        types = ("uint80", "int256", "uint256", "uint256", "uint80")
        if not 0 <= place < len(world.rounds):
            return types, None
        return types, (number, 1, 0, world.rounds[place], number)

    def latest(world: World, _number: int) -> Any:
        return round_of(world, PHASE + len(world.rounds))

    marks = ("uint256[]", "(uint32,int16,uint16)[]", "uint256")
    surface = (marks, ([86_400], [(600_000, -1_000, 8_000)], NOW))
    reading = (0, 0, 0, WAD // 5, 0, 500, NOW, NOW - 60, 12, 0)
    read = (
        ("(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint8)",),
        (reading,),
    )
    views: dict[tuple[str, str], Any] = {
        (DESK, "auction()"): constant("address", HOUSE),
        (DESK, "book()"): constant("address", BOOK),
        (DESK, "settlementOracle()"): constant("address", SETTLEMENT),
        (DESK, "volatilityOracle()"): constant("address", VOLATILITY),
        (DESK, "ticketOf(uint256)"): ticket,
        (HOUSE, "auctionCount()"): lambda w, _: (("uint256",), (len(w.auctions),)),
        (HOUSE, "auctionOf(uint256)"): auction,
        (BOOK, "stateOf(uint256)"): state,
        (VOLATILITY, "interval()"): constant("uint256", 3_600),
        (VOLATILITY, "slack()"): constant("uint256", 300),
        (VOLATILITY, "surface()"): lambda _w, _n: surface,
        (VOLATILITY, "read(uint256,uint256,uint256)"): lambda _w, _n: read,
        (VOLATILITY, "poster()"): constant("address", BOOK),
        (VOLATILITY, "frozen()"): constant("bool", True),
        (VOLATILITY, "moveBudget()"): lambda _w, _n: (("uint256", "uint256"), (7, 9)),
        (VOLATILITY, "limits()"): constant(f"({','.join(LIMIT_TYPES)})", tuple(range(11, 20))),
        (SETTLEMENT, "settlementOf(uint64)"): settlement,
        (SETTLEMENT, "baseFeed()"): constant("address", BASE_FEED),
        (SETTLEMENT, "quoteFeed()"): constant("address", QUOTE_FEED),
        **{
            (SETTLEMENT, f"{name}()"): constant("uint256", seconds)
            for name, seconds in (
                ("halfTwapWindow", 900),
                ("recordWindow", 7_200),
                ("disputeWindow", 86_400),
                ("choiceDelay", 86_400),
            )
        },
        **{(feed, "getRoundData(uint80)"): round_of for feed in (BASE_FEED, QUOTE_FEED)},
        **{(feed, "latestRoundData()"): latest for feed in (BASE_FEED, QUOTE_FEED)},
    }
    return {
        (to.lower(), function_signature_to_4byte_selector(name)): view
        for (to, name), view in views.items()
    }


def _there(world: World, number: int) -> bool:
    return 0 < number <= len(world.auctions)


def opened(world: World, series: int, *, own: bool, kind: int = 1) -> World:
    """One more auction."""
    return replace(world, auctions=(*world.auctions, (series, own, kind)))


def cancelled(world: World, number: int) -> World:
    """One auction less."""
    found = list(world.auctions)
    found[number - 1] = (*found[number - 1][:2], 0)
    return replace(world, auctions=tuple(found))
