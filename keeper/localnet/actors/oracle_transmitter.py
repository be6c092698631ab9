"""Keeps the feeds as Chainlink's networks do: an answer on enough deviation, and a heartbeat otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass

from keeper.localnet.actors.calldata import call_data
from keeper.localnet.actors.values import Order, Round, Sight, Tick
from keeper.model.units import BPS, Wei

ANSWER_UNIT = 10**8
TIP_WEI = Wei(5 * 10**9)
GAS = 500_000


@dataclass(frozen=True, slots=True)
class FeedRule:
    """When a feed gets a new answer."""

    deviation_bps: int
    heartbeat_s: int

    def due(self, last: Round, answer: int, now: int) -> bool:
        """True if `answer` is over the deviation away from the last one, or the heartbeat is over."""
        moved = abs(answer - last.answer) * BPS > self.deviation_bps * last.answer
        return moved or now - last.updated_at >= self.heartbeat_s


ETH_USD_RULE = FeedRule(deviation_bps=50, heartbeat_s=3_600)
USDC_USD_RULE = FeedRule(deviation_bps=25, heartbeat_s=3_600)


@dataclass(frozen=True, slots=True)
class OracleTransmitter:
    """The one transmitter of both feeds; silent while the path says it is offline."""

    account: str
    eth_usd_aggregator: str
    usdc_usd_aggregator: str
    tip_wei: Wei = TIP_WEI
    eth_rule: FeedRule = ETH_USD_RULE
    usdc_rule: FeedRule = USDC_USD_RULE
    name: str = "oracle_transmitter"

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:
        """A round for each feed that is due."""
        if not tick.oracle_online:
            return ()
        eth_answer = round(tick.market_price * ANSWER_UNIT)
        feeds = (
            (self.eth_usd_aggregator, self.eth_rule, sight.eth_usd, eth_answer),
            (self.usdc_usd_aggregator, self.usdc_rule, sight.usdc_usd, ANSWER_UNIT),
        )
        return [
            self._submit(aggregator, last, answer)
            for aggregator, rule, last, answer in feeds
            if rule.due(last, answer, tick.timestamp)
        ]

    def _submit(self, aggregator: str, last: Round, answer: int) -> Order:
        data = call_data("submit(uint256,int256)", last.number + 1, answer)
        return Order(self.account, aggregator, data, GAS, self.tip_wei)
