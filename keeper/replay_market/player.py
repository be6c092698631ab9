"""Plays a segment on the chain: each moment a block with all its actors, then the real keeper's tick.

While something is under way (a transaction in flight or just landed, a vault that may be liquidated) blocks follow
at the chain's own pace, the market standing still in them, as a bar says nothing of its inside.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from keeper import abi
from keeper.chain.decode import SnapshotCodec
from keeper.chain.endpoint import Endpoint
from keeper.chain.stamps import stamp
from keeper.errors import LocalnetError, RpcError
from keeper.localnet.actors.values import Tick
from keeper.localnet.driver import Driver, Failure
from keeper.loop import TickRecord
from keeper.model.block import BlockStamp
from keeper.model.market import Readings
from keeper.model.outcome import TickStatus
from keeper.model.units import WAD
from keeper.replay_market.actors import cast_of
from keeper.replay_market.logs import LIQUIDATED, Receipt
from keeper.replay_market.mirror import MadeBlock
from keeper.replay_market.segment import Moment, Segment
from keeper.replay_market.stage import Stage, priming_path

MOST_FOLLOWING = 20
"""Blocks after a moment while something is under way, as in a backtest."""


@dataclass(frozen=True, slots=True)
class Landing:
    """One transaction of the keeper's account, as its receipt has it."""

    tx_hash: str
    time: int
    succeeded: bool
    gas: int
    cost_wei: int


@dataclass(frozen=True, slots=True)
class PlayedBlock:
    """One block: the market it was made with, the vault after it, and what was in it."""

    made: MadeBlock
    readings: Readings
    receipts: tuple[Receipt, ...]
    record: TickRecord | None
    """None for a block the keeper did not tick on."""


@dataclass(slots=True)
class Played:
    """A segment as it went."""

    blocks: list[PlayedBlock] = field(default_factory=list)
    landings: list[Landing] = field(default_factory=list)
    failures: list[tuple[int, Failure]] = field(default_factory=list)
    """Of other actors, by block."""
    intent_of: dict[str, str] = field(default_factory=dict)
    """Intents by the hash of a transaction that carried them."""


class Player:
    """Drives one stage through one segment."""

    def __init__(self, stage: Stage, segment: Segment, *, seed: int, noise: bool) -> None:
        self._stage, self._segment = stage, segment
        world, deployment = stage.world, stage.deployment
        given = (
            {m.time: m.answer for m in segment.moments if m.answer is not None}
            if segment.rounds_given
            else None
        )
        self._driver = Driver(
            world, priming_path(segment, seed), cast_of(world, given, seed, noise=noise)
        )
        self._endpoint = Endpoint(world.http_url, timeout_s=60.0)
        self._codec = SnapshotCodec(abi.load("VaultLens"))
        self._keeper = world.accounts.keeper
        data = self._codec.call_data(deployment.vault, self._keeper)
        self._call = {"to": deployment.lens, "data": data}
        self._made = 0
        self.played = Played()

    def __enter__(self) -> "Player":
        return self

    def __exit__(self, *_: object) -> None:
        self._endpoint.close()
        self._driver.close()

    @property
    def now(self) -> int:
        """Time of the newest block."""
        return self.played.blocks[-1].made.time if self.played.blocks else 0

    def play(self, progress: Callable[[int], None]) -> Played:
        """All of it; `progress` is told the number of moments done."""
        self._driver.prime()
        if self._driver.shift_s:
            problem = f"the chain's clock is {self._driver.shift_s} s beyond the segment's"
            raise LocalnetError("replay", problem, "start from a fresh local mainnet")
        moments = self._segment.moments
        for place, moment in enumerate(moments):
            self._one(moment, ticks=moment.decides or self._under_way())
            until = moments[place + 1].time if place + 1 < len(moments) else None
            self._follow(moment, until)
            progress(place + 1)
        return self.played

    def _follow(self, moment: Moment, until: int | None) -> None:
        """Blocks at the chain's pace while something is under way, before the next moment."""
        step = self._segment.block_s
        for _ in range(MOST_FOLLOWING):
            at = self.now + step
            if not self._under_way() or (until is not None and at >= until):
                return
            self._one(Moment(at, moment.price_wad, moment.base_fee_wei), ticks=True)

    def _under_way(self) -> bool:
        """The keeper or a liquidator has something to do on the next block."""
        if not self.played.blocks:
            return False
        last, stage = self.played.blocks[-1], self._stage
        if stage.keeper.lanes.in_flight():
            return True
        account = last.readings.account
        if account.debt_base and account.health_wad < WAD:
            return True
        if any(_of(receipt, self._keeper) for receipt in last.receipts):
            return True
        if any(_liquidates(receipt, stage.deployment.lending) for receipt in last.receipts):
            return True
        return last.record is not None and last.record.outcome.status is TickStatus.FAILED

    def _one(self, moment: Moment, *, ticks: bool) -> None:
        """One block, what is read of it, and the keeper's tick."""
        price = moment.price_wad / WAD
        tick = Tick(self._made, moment.time, price, oracle_online=True)
        record = self._driver.block(tick, max(1, moment.base_fee_wei))
        self._made += 1
        self.played.failures += [(self._made - 1, failure) for failure in record.failures]
        self._stage.around.observe(moment.time, moment.price_wad)
        header = self._endpoint.call("eth_getBlockByNumber", ["latest", False])
        block = stamp(header, self._endpoint.name, "eth_getBlockByNumber")
        readings, receipts = self._read(block)
        self.played.landings += self._landed(receipts, block.timestamp)
        made = MadeBlock(
            block.timestamp,
            moment.price_wad,
            block.base_fee_wei,
            moment.answer if self._segment.rounds_given else None,
            readings.pool.liquidity,
            ticks,
        )
        # the clock of the keeper is the newest block's
        self.played.blocks.append(PlayedBlock(made, readings, receipts, None))
        if ticks:
            ended = self._tick(block)
            self.played.blocks[-1] = PlayedBlock(made, readings, receipts, ended)

    def _tick(self, block: BlockStamp) -> TickRecord | None:
        outcome = self._stage.keeper.tick(block)
        if outcome.tx_hash and outcome.intent_id:
            self.played.intent_of[outcome.tx_hash.lower()] = outcome.intent_id
        return self._stage.keeper.last

    def _read(self, block: BlockStamp) -> tuple[Readings, tuple[Receipt, ...]]:
        at = {"blockHash": block.hash}
        answers = self._endpoint.batch(
            [
                ("eth_getBlockReceipts", [hex(block.number)]),
                ("eth_call", [self._call, at]),
                ("eth_getBalance", [self._keeper, at]),
            ]
        )
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        receipts, snapshot, balance = answers
        readings, _ = self._codec.decode(snapshot, block, self._keeper, int(balance, 16))
        return readings, tuple(receipts)

    def _landed(self, receipts: tuple[Receipt, ...], time: int) -> Iterator[Landing]:
        for receipt in receipts:
            if _of(receipt, self._keeper):
                gas = int(receipt["gasUsed"], 16)
                cost = gas * int(receipt["effectiveGasPrice"], 16)
                good = int(receipt["status"], 16) == 1
                yield Landing(receipt["transactionHash"].lower(), time, good, gas, cost)


def _of(receipt: Mapping[str, Any], account: str) -> bool:
    return str(receipt["from"]).lower() == account.lower()


def _liquidates(receipt: Mapping[str, Any], lending: str) -> bool:
    wanted = lending.lower()[2:]
    return any(
        len(log["topics"]) > 3
        and log["topics"][0].lower() == LIQUIDATED
        and log["topics"][3].lower().endswith(wanted)
        for log in receipt["logs"]
    )
