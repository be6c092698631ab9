"""The market on the restored protocols: first answers, the pool and its liquidity, loans; at any price and time."""

from dataclasses import dataclass, replace
from pathlib import Path

from web3 import Web3

from keeper.errors import LocalnetError
from keeper.localnet.protocols.aave import LendingSeed, seed_lending
from keeper.localnet.protocols.chainlink import answer_of, submit
from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.protocols.tokens import DOLLAR, ETHER
from keeper.localnet.protocols.uniswap import FEE_PIPS, Pair, Uniswap, add_liquidity, create_pool
from keeper.localnet.rpc import accounts_of, rpc, send
from keeper.localnet.world import Addresses, World

GENESIS_TIME = 1_483_228_800
"""2017-01-01: before any price history the paths use; the chain's clock can only be moved forward from here."""
DEFAULT_START_TIME = 1_700_000_000
WARM_UP_S = 7_200
"""The market stands this long before the start, so that any TWAP window in use has a past."""


@dataclass(frozen=True, slots=True)
class MarketSpec:
    """The market at the start.

    price_usd: WETH in USD, oracle and pool alike. pool_usd: value of all liquidity in the pool.
    lent_usd: lent in each reserve; of it the two utilisations are borrowed again.
    """

    price_usd: float = 2_000.0
    start_time: int = DEFAULT_START_TIME
    pool_usd: float = 150_000_000
    lent_usd: float = 200_000_000
    weth_utilisation: float = 0.50
    usdc_utilisation: float = 0.70

    def __post_init__(self) -> None:
        if not 1 <= self.price_usd <= 1_000_000:
            raise LocalnetError(
                "market", f"initial price {self.price_usd} USD", "choose one from 1 to 1000000"
            )
        if self.start_time < GENESIS_TIME + 2 * WARM_UP_S:
            raise LocalnetError(
                "market",
                f"start time {self.start_time}",
                "choose one after 2017-01-01 (unix seconds)",
            )


def make_market(w3: Web3, root: Path, addresses: Addresses, market: MarketSpec) -> Addresses:
    """First answers, pool, liquidity and loans, `WARM_UP_S` before the start; fresh answers at the start."""
    accounts = accounts_of(w3)
    deployer = Deployer(w3, root, accounts.deployer)
    rpc(w3, "anvil_setBlockTimestampInterval", 1)
    rpc(w3, "evm_setNextBlockTimestamp", market.start_time - WARM_UP_S)
    _answer(deployer, addresses, accounts.oracle, market.price_usd)
    wrapped = int((market.pool_usd + market.lent_usd) / market.price_usd) + 1
    weth = deployer.at("WETH9", addresses.weth)
    deployer.send(
        weth.functions.deposit(), sender=accounts.liquidity_provider, value=wrapped * ETHER
    )
    pool = _make_pool(deployer, addresses, accounts.liquidity_provider, market)
    seed_lending(
        deployer, addresses.aave_pool, accounts.liquidity_provider, _loans(addresses, market)
    )
    rpc(w3, "evm_setNextBlockTimestamp", market.start_time - 1)
    _answer(deployer, addresses, accounts.oracle, market.price_usd)
    return replace(addresses, uniswap_pool=pool)


def _make_pool(deployer: Deployer, addresses: Addresses, provider: str, market: MarketSpec) -> str:
    uniswap = Uniswap(
        addresses.uniswap_factory,
        addresses.uniswap_position_manager,
        addresses.uniswap_router,
        addresses.uniswap_quoter,
    )
    pair = Pair(addresses.weth, addresses.usdc)
    pool = create_pool(deployer, uniswap, pair, market.price_usd)
    add_liquidity(
        deployer, uniswap, pair, provider, price_usd=market.price_usd, value_usd=market.pool_usd
    )
    return pool


def _loans(addresses: Addresses, market: MarketSpec) -> tuple[LendingSeed, ...]:
    weth = int(market.lent_usd / market.price_usd * 10**6) * 10**12
    usdc = int(market.lent_usd * DOLLAR)
    return (
        LendingSeed(addresses.weth, weth, int(weth * market.weth_utilisation)),
        LendingSeed(addresses.usdc, usdc, int(usdc * market.usdc_utilisation)),
    )


def _answer(deployer: Deployer, addresses: Addresses, oracle: str, price_usd: float) -> None:
    for aggregator, price in (
        (addresses.eth_usd_aggregator, price_usd),
        (addresses.usdc_usd_aggregator, 1.0),
    ):
        submit(deployer, deployer.at("FluxAggregator", aggregator), oracle, answer_of(price))


def set_market_price(world: World, price_usd: float) -> None:
    """Move the market: a fresh oracle answer and the pool at it. For set-up and tests; actors move it in a run."""
    deployer = Deployer(world.w3, world.root, world.accounts.deployer)
    aggregator = deployer.at("FluxAggregator", world.addresses.eth_usd_aggregator)
    submit(deployer, aggregator, world.accounts.oracle, answer_of(price_usd))
    restore_pool(world)


def refresh_answers(world: World) -> None:
    """Both feeds answer again what they answered last, at the next block's time: a heartbeat."""
    deployer = Deployer(world.w3, world.root, world.accounts.deployer)
    for address in (world.addresses.eth_usd_aggregator, world.addresses.usdc_usd_aggregator):
        aggregator = deployer.at("FluxAggregator", address)
        submit(
            deployer,
            aggregator,
            world.accounts.oracle,
            int(aggregator.functions.latestAnswer().call()),
        )


def restore_pool(world: World) -> None:
    """The arbitrageur trades the pool exactly to the oracle's price of WETH in USDC."""
    a = world.addresses
    feeds = (
        world.contract("EACAggregatorProxy", feed) for feed in (a.eth_usd_feed, a.usdc_usd_feed)
    )
    eth_usd, usdc_usd = (feed.functions.latestAnswer().call() for feed in feeds)
    pair = Pair(a.weth, a.usdc)
    target = pair.scale.sqrt_price_x96(eth_usd / usdc_usd)
    now = world.contract("UniswapV3Pool", a.uniswap_pool).functions.slot0().call()[0]
    if now == target:
        return
    token_in, token_out = pair.sorted if now > target else reversed(pair.sorted)
    trader = world.accounts.arbitrageur
    amount = world.contract("ERC20", token_in).functions.balanceOf(trader).call()
    router = world.contract("SwapRouter", a.uniswap_router)
    order = (token_in, token_out, FEE_PIPS, trader, 2**63, amount, 0, target)
    send(world.w3, router.functions.exactInputSingle(order), trader)


def advance_to(world: World, timestamp: int) -> None:
    """Jump the chain's clock forward to a time and answer both feeds again, so that nothing is stale there."""
    rpc(world.w3, "evm_setNextBlockTimestamp", timestamp)
    refresh_answers(world)
