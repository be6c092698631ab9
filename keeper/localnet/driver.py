"""Drives a world along a price path, block by block: the only place where actors meet the chain.

For every block: set its time and base fee, let each actor send for it on what the newest block shows, mine, read it.
What others put into the pool of transactions between two steps (a keeper, a person) is mined with it. The node orders
by fee cap; see `keeper.localnet.actors.liquidator` on what that means between a keeper and the liquidator.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from keeper.chain.endpoint import Endpoint
from keeper.chain.source import Call
from keeper.errors import LocalnetError, RpcError
from keeper.localnet.actors.arbitrageur import Arbitrageur
from keeper.localnet.actors.cast import usual_actors
from keeper.localnet.actors.gas_market import GasMarket
from keeper.localnet.actors.oracle_transmitter import ANSWER_UNIT, FeedRule, OracleTransmitter
from keeper.localnet.actors.sighting import Receipt, Sighting
from keeper.localnet.actors.values import Actor, Order, Sight, Tick
from keeper.localnet.paths.path import PricePath
from keeper.localnet.protocols.uniswap import Pair
from keeper.localnet.world import World

WARM_UP_S = 900
"""Chain time between priming and the path's first block: longer than the TWAP windows of vaults."""
WARM_UP_BLOCKS = 5
FURTHEST_JUMP_S = 86_400
"""Beyond it the path is moved to the chain's clock instead of the clock to the path: interest would accrue."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A transaction that did not do what its actor wanted."""

    actor: str
    tx_hash: str | None
    """None if the node refused it."""
    reason: str


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """One block as it was mined; prices in USD (pool: USDC) per ETH."""

    index: int
    """On the path; -1 while priming."""
    number: int
    block_hash: str
    timestamp: int
    market_price: float
    oracle_price: float
    """As mined: what a vault reads."""
    oracle_updated_at: int
    pool_price: float
    base_fee_wei: int
    transactions: Mapping[str, tuple[str, ...]]
    """Hashes that the node accepted, by actor."""
    failures: tuple[Failure, ...]


class Driver:
    """Call `prime` once and `step` for each block of the path."""

    def __init__(
        self,
        world: World,
        path: PricePath,
        actors: Sequence[Actor] | None = None,
        gas_market: GasMarket | None = None,
    ) -> None:
        """`actors` act, and their transactions are sent, in this order; None: the usual ones, seeded as the path."""
        a, who = world.addresses, world.accounts
        self.path = path
        self.shift_s = 0
        """Chain time less path time."""
        self._actors = usual_actors(a, who, path.seed) if actors is None else tuple(actors)
        self._gas = gas_market or GasMarket()
        self._scale = Pair(a.weth, a.usdc).scale
        self._world = world
        self._endpoint = Endpoint(world.http_url, timeout_s=60.0)
        inhabitants = (who.oracle, who.arbitrageur, who.liquidator, who.noise)
        self._sighting = Sighting(self._endpoint, a, inhabitants)
        self._next = 0
        self._primed = False
        self._seen: Sight | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the chain stays as it is, mining on demand."""
        self._endpoint.close()

    @property
    def blocks_left(self) -> int:
        """Blocks of the path not yet mined."""
        return len(self.path) - self._next

    def prime(self) -> BlockRecord:
        """Oracle and pool at the path's first price, and long enough for every average to agree.

        From here on the node mines on demand only. The path's times hold where the chain's clock stands before them
        by no more than a day; otherwise the whole path is moved behind the newest block (`shift_s`).
        """
        self._endpoint.call("evm_setAutomine", [False])
        self._endpoint.call("evm_setIntervalMining", [0])
        sight = self._sight()
        path, start = self.path, self.path.start_time
        ready = sight.timestamp + WARM_UP_S + path.block_seconds
        if not 0 <= start - ready <= FURTHEST_JUMP_S:
            self.shift_s = ready - start
        price, last = float(path.market_price[0]), start + self.shift_s - path.block_seconds
        for i in range(WARM_UP_BLOCKS):
            timestamp = last - WARM_UP_S + i * WARM_UP_S // (WARM_UP_BLOCKS - 1)
            tick = Tick(-1, max(timestamp, sight.timestamp + 1), price, oracle_online=True)
            # The feeds last, so that they are fresh at the start; the pool first, so that its average has time.
            actors = self._preparers(answer=i in {0, WARM_UP_BLOCKS - 1})
            record = self._block(tick, int(path.base_fee_wei[0]), actors)
            if record.failures:
                reasons = "; ".join(f"{f.actor}: {f.reason}" for f in record.failures)
                raise LocalnetError("priming", reasons, "start from a fresh local mainnet")
        self._primed = True
        return record

    def step(self) -> BlockRecord:
        """Make the path's next block."""
        if not self._primed:
            raise LocalnetError("driver", "is not primed", "call prime() before the first step")
        if self._next >= len(self.path):
            raise LocalnetError("driver", "the path is at its end", "use blocks_left")
        i, path = self._next, self.path
        tick = Tick(
            index=i,
            timestamp=int(path.times[i]) + self.shift_s,
            market_price=float(path.market_price[i]),
            oracle_online=bool(path.oracle_online[i]),
        )
        record = self._block(tick, int(path.base_fee_wei[i]), self._actors)
        self._next += 1
        return record

    def block(self, tick: Tick, base_fee_wei: int) -> BlockRecord:
        """Make one block beside the path, with the usual actors; for those who choose the next block as they go."""
        if not self._primed:
            raise LocalnetError("driver", "is not primed", "call prime() before the first block")
        return self._block(tick, base_fee_wei, self._actors)

    def _preparers(self, *, answer: bool) -> tuple[Actor, ...]:
        a, who = self._world.addresses, self._world.accounts
        trader = Arbitrageur(who.arbitrageur, a.uniswap_router, Pair(a.weth, a.usdc))
        if not answer:
            return (trader,)
        always = FeedRule(deviation_bps=0, heartbeat_s=0)
        feeds = (a.eth_usd_aggregator, a.usdc_usd_aggregator)
        return (
            OracleTransmitter(who.oracle, *feeds, eth_rule=always, usdc_rule=always),
            trader,
        )

    def _block(self, tick: Tick, path_fee_wei: int, actors: Sequence[Actor]) -> BlockRecord:
        before = self._sight()
        orders = [(actor.name, order) for actor in actors for order in actor.act(before, tick)]
        sent = self._send(tick, self._gas.decide(path_fee_wei), orders, before)
        self._endpoint.call("evm_mine", [])
        after, receipts = self._sighting.look()
        self._seen = after
        return self._record(tick, after, sent, receipts)

    def _sight(self) -> Sight:
        """The newest block; read again only if it is not the one the last step made."""
        if self._seen is None or self._sighting.head_hash() != self._seen.block_hash:
            self._seen, _ = self._sighting.look()
        return self._seen

    def _send(
        self, tick: Tick, base_fee: int, orders: Sequence[tuple[str, Order]], before: Sight
    ) -> list[tuple[str, str | RpcError]]:
        timestamp = max(tick.timestamp, before.timestamp + 1)
        nonces = dict(before.nonces)
        # As wallets do, and the keeper: twice the newest base fee. Only a jump larger than that asks for more.
        cap = max(2 * before.base_fee_wei, base_fee)
        calls: list[Call] = [
            ("evm_setNextBlockTimestamp", [hex(timestamp)]),
            ("anvil_setNextBlockBaseFeePerGas", [hex(base_fee)]),
        ]
        for _, order in orders:
            calls.append(("eth_sendTransaction", [_transaction(order, nonces[order.sender], cap)]))
            nonces[order.sender] += 1
        answers = self._endpoint.batch(calls)
        for answer in answers[:2]:
            if isinstance(answer, RpcError):
                raise answer
        return [(name, answer) for (name, _), answer in zip(orders, answers[2:], strict=True)]

    def _record(
        self,
        tick: Tick,
        after: Sight,
        sent: Sequence[tuple[str, str | RpcError]],
        receipts: Sequence[Receipt],
    ) -> BlockRecord:
        status = {receipt["transactionHash"]: receipt["status"] for receipt in receipts}
        hashes: dict[str, tuple[str, ...]] = {}
        failures: list[Failure] = []
        for name, answer in sent:
            if isinstance(answer, RpcError):
                failures.append(Failure(name, None, answer.message))
                continue
            hashes[name] = (*hashes.get(name, ()), answer)
            if answer not in status:
                failures.append(Failure(name, answer, "not mined in its block"))
            elif int(status[answer], 16) != 1:
                failures.append(Failure(name, answer, "reverted"))
        return BlockRecord(
            index=tick.index,
            number=after.number,
            block_hash=after.block_hash,
            timestamp=after.timestamp,
            market_price=tick.market_price,
            oracle_price=after.eth_usd.answer / ANSWER_UNIT,
            oracle_updated_at=after.eth_usd.updated_at,
            pool_price=self._scale.price_usd(after.pool_sqrt_price_x96),
            base_fee_wei=after.base_fee_wei,
            transactions=hashes,
            failures=tuple(failures),
        )


def prime(
    world: World, path: PricePath, actors: Sequence[Actor] | None = None
) -> tuple[Driver, BlockRecord]:
    """A primed driver and the last block before the path."""
    driver = Driver(world, path, actors)
    return driver, driver.prime()


def _transaction(order: Order, nonce: int, base_fee_cap: int) -> dict[str, Any]:
    return {
        "from": order.sender,
        "to": order.to,
        "data": order.data,
        "gas": hex(order.gas),
        "nonce": hex(nonce),
        "maxPriorityFeePerGas": hex(order.tip_wei),
        "maxFeePerGas": hex(base_fee_cap + order.tip_wei),
        "type": "0x2",
    }
