"""An honest adversary: liquidates whoever may be liquidated, as much as may be, in every block.

It sees the newest block and sends for the next one, exactly as the keeper does. Its fee cap is made as the keeper's is
(twice the newest base fee and a tip), and its tip equals the tip a keeper's protective lane starts with. The node puts
the higher cap first and, between equals, whoever came first; a keeper that pays more than its first tip goes first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from keeper.localnet.actors.calldata import call_data
from keeper.localnet.actors.values import Debtor, Holdings, Order, Sight, Tick
from keeper.localnet.protocols.tokens import DOLLAR, ETHER
from keeper.model.units import MAX_UINT256, WAD, Raw, Wei

TIP_WEI = Wei(3 * 10**9)
GAS = 1_200_000
FULL_CLOSE_HEALTH_WAD = 95 * WAD // 100
"""At or under it the venue lets all of a debt be repaid at once, above it half."""
BONUS = 1.05
MOST_CALLS = 4
"""On one account in one block."""
DUST_USD = 1.0
ANSWER_UNIT = 10**8
SPARE = 1.01
"""Over the expected cost of a call: interest accrues until it is mined."""


@dataclass(frozen=True, slots=True)
class Prices:
    """USD per whole token, as the venue sees them."""

    weth: float
    usdc: float

    def usd(self, held: Holdings) -> tuple[float, float]:
        """Value of both holdings."""
        return held.weth * self.weth / ETHER, held.usdc * self.usdc / DOLLAR


@dataclass(frozen=True, slots=True)
class Liquidation:
    """Repay `cover` raw units (at most what the venue allows) of one debt, seize the other side."""

    account: str
    seize_weth: bool
    repay_weth: bool
    cover: Raw


def decide(debtor: Debtor, prices: Prices, funds: Holdings) -> tuple[Liquidation, ...]:
    """Calls on one account for one block: the first that is allowed and every further one it leaves allowed.

    Each repays the largest debt as far as the venue's close factor goes and seizes the largest collateral. What
    a call changes is estimated here, so that a call is sent only if the account stays liquidatable before it.
    """
    return tuple(_calls(debtor, prices, list(prices.usd(funds))))


def _calls(debtor: Debtor, prices: Prices, funds: list[float]) -> Iterator[Liquidation]:
    supplied, owed = list(prices.usd(debtor.supplied)), list(prices.usd(debtor.owed))
    health = debtor.health_wad / WAD
    for _ in range(MOST_CALLS):
        debt, seized = owed.index(max(owed)), supplied.index(max(supplied))
        if health >= 1 or owed[debt] < DUST_USD or supplied[seized] < DUST_USD:
            return
        whole = health <= FULL_CLOSE_HEALTH_WAD / WAD
        allowed = min(owed[debt] * (1.0 if whole else 0.5), supplied[seized] / BONUS)
        cover = min(allowed, funds[debt] / SPARE)
        if cover < DUST_USD:
            return
        rich = funds[debt] >= allowed * SPARE
        raw = Raw(MAX_UINT256) if rich else _raw(cover, prices, weth=debt == 0)
        yield Liquidation(debtor.account, seize_weth=seized == 0, repay_weth=debt == 0, cover=raw)
        if not rich:
            return
        owed[debt] -= cover
        funds[debt] -= cover
        supplied[seized] -= cover * BONUS
        left = sum(owed)
        health = sum(supplied) * debtor.threshold_bps / 10_000 / left if left >= DUST_USD else 2.0


def _raw(usd: float, prices: Prices, *, weth: bool) -> Raw:
    return Raw(int(usd / prices.weth * ETHER if weth else usd / prices.usdc * DOLLAR))


@dataclass(frozen=True, slots=True)
class Liquidator:
    """`only` restricts it to some accounts; None means everyone who ever borrowed."""

    account: str
    lending_pool: str
    weth: str
    usdc: str
    only: frozenset[str] | None = None
    tip_wei: Wei = TIP_WEI
    name: str = "liquidator"

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:  # noqa: ARG002 - an actor's one shape
        """A call for each liquidation that is allowed at the newest block."""
        prices = Prices(sight.eth_usd.answer / ANSWER_UNIT, sight.usdc_usd.answer / ANSWER_UNIT)
        funds = sight.holdings[self.account]
        return [
            self._order(call)
            for debtor in sight.debtors
            if self.only is None or debtor.account in self.only
            for call in decide(debtor, prices, funds)
        ]

    def _order(self, call: Liquidation) -> Order:
        data = call_data(
            "liquidationCall(address,address,address,uint256,bool)",
            self.weth if call.seize_weth else self.usdc,
            self.weth if call.repay_weth else self.usdc,
            call.account,
            call.cover,
            False,  # the underlying, not the venue's receipt
        )
        return Order(self.account, self.lending_pool, data, GAS, self.tip_wei)
