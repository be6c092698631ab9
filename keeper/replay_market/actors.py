"""The feed's network along a segment: its own rule, or the rounds that history had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keeper.localnet.actors.arbitrageur import Arbitrageur
from keeper.localnet.actors.liquidator import Liquidator
from keeper.localnet.actors.noise_trader import NoiseTrader
from keeper.localnet.actors.oracle_transmitter import FeedRule, OracleTransmitter
from keeper.localnet.actors.values import Actor, Order, Sight, Tick
from keeper.localnet.protocols.uniswap import Pair
from keeper.localnet.world import World
from keeper.model.units import Wei

FIRST_TIP_WEI = Wei(200 * 10**9)
"""The arbitrageur's: searchers bid for the head of a block, so nobody trades with a pool the market has left."""
_ALWAYS, _NEVER = FeedRule(0, 0), FeedRule(2**62, 2**62)


@dataclass(frozen=True, slots=True)
class SegmentTransmitter:
    """Both feeds answer with the first block, so that a replay and its backtest begin with rounds of one age."""

    account: str
    eth_usd_aggregator: str
    usdc_usd_aggregator: str
    given: Mapping[int, int] | None = None
    """Answers (8 decimals) by the time of their block; None: by deviation and heartbeat."""
    name: str = "oracle_transmitter"

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:
        """A round for each feed that is due."""
        feeds = (self.account, self.eth_usd_aggregator, self.usdc_usd_aggregator)
        if self.given is None:
            if tick.index == 0:
                return OracleTransmitter(*feeds, eth_rule=_ALWAYS, usdc_rule=_ALWAYS).act(
                    sight, tick
                )
            return OracleTransmitter(*feeds).act(sight, tick)
        answer = self.given.get(tick.timestamp)
        # the network's own order, with the price that makes it answer what it did
        as_answered = Tick(
            tick.index,
            tick.timestamp,
            tick.market_price if answer is None else answer / 10**8,
            oracle_online=True,
        )
        eth_rule = _NEVER if answer is None else _ALWAYS
        if tick.index == 0:
            network = OracleTransmitter(*feeds, eth_rule=eth_rule, usdc_rule=_ALWAYS)
        else:
            network = OracleTransmitter(*feeds, eth_rule=eth_rule)
        return network.act(sight, as_answered)


def cast_of(
    world: World, given: Mapping[int, int] | None, seed: int, *, noise: bool
) -> tuple[Actor, ...]:
    """Transmitter, liquidator, arbitrageur and, if wanted, the noise trader."""
    a, who = world.addresses, world.accounts
    pair = Pair(a.weth, a.usdc)
    actors: tuple[Actor, ...] = (
        SegmentTransmitter(who.oracle, a.eth_usd_aggregator, a.usdc_usd_aggregator, given),
        Liquidator(who.liquidator, a.aave_pool, a.weth, a.usdc),
        Arbitrageur(who.arbitrageur, a.uniswap_router, pair, tip_wei=FIRST_TIP_WEI),
    )
    if not noise:
        return actors
    return (*actors, NoiseTrader(who.noise, a.uniswap_router, pair, seed))
