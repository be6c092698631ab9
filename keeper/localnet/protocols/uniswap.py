"""Uniswap v3: factory, periphery, and one WETH/USDC pool with liquidity concentrated around a price."""

import math
from dataclasses import dataclass

from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.protocols.tokens import DOLLAR, ETHER

FEE_PIPS = 500
TICK_SPACING = 10
MAX_TICK = 887_270
"""Greatest usable tick at this spacing."""
OBSERVATIONS = 300
"""One for each block for an hour of 12 s blocks: enough for any TWAP window in use."""
_DEADLINE = 2**63


@dataclass(frozen=True, slots=True)
class Uniswap:
    """Addresses of the periphery (checksummed)."""

    factory: str
    position_manager: str
    router: str
    quoter: str


@dataclass(frozen=True, slots=True)
class Range:
    """One position: from `low` x price to `high` x price, with a share of the pool's whole value."""

    low: float
    high: float
    share: float


RANGES = (
    Range(0.99, 1.01, 0.04),
    Range(0.95, 1.05, 0.13),
    Range(0.80, 1.20, 0.20),
    Range(0.50, 1.60, 0.22),
    Range(0.20, 3.00, 0.30),
    Range(0.0, math.inf, 0.11),
)
"""Thick at the price and never empty: after a fall of 60 % the wide ranges still carry trades."""


def deploy_uniswap(deployer: Deployer, weth: str) -> Uniswap:
    """The factory (which enables the 0.05 % tier itself), positions, router and quoter."""
    factory = deployer.deploy("UniswapV3Factory").address
    drawing = deployer.deploy("NFTDescriptor").address
    descriptor = deployer.deploy(
        "NonfungibleTokenPositionDescriptor",
        weth,
        b"ETH".ljust(32, b"\0"),
        libraries={"NFTDescriptor": drawing},
    ).address
    positions = deployer.deploy("NonfungiblePositionManager", factory, weth, descriptor).address
    router = deployer.deploy("SwapRouter", factory, weth).address
    quoter = deployer.deploy("QuoterV2", factory, weth).address
    return Uniswap(factory, positions, router, quoter)


@dataclass(frozen=True, slots=True)
class PoolScale:
    """The pool's price arithmetic: raw token1 per raw token0 against USD per WETH."""

    weth_is_token0: bool

    def raw_ratio(self, price_usd: float) -> float:
        """Raw token1 per raw token0 at a price in USD per WETH."""
        usd_raw_per_wei = price_usd * DOLLAR / ETHER
        return usd_raw_per_wei if self.weth_is_token0 else 1 / usd_raw_per_wei

    def price_usd(self, sqrt_price_x96: int) -> float:
        """USD per WETH at a pool's square-root price."""
        root = sqrt_price_x96 / 2**96
        ratio = root * root
        return (ratio if self.weth_is_token0 else 1 / ratio) * ETHER / DOLLAR

    def sqrt_price_x96(self, price_usd: float) -> int:
        """The pool's square-root price, as exact as the price given."""
        answer = round(price_usd * 10**8)
        usdc_raw, weth_raw = answer * DOLLAR, ETHER * 10**8
        amount1, amount0 = (usdc_raw, weth_raw) if self.weth_is_token0 else (weth_raw, usdc_raw)
        return math.isqrt((amount1 << 192) // amount0)

    def ticks(self, low_usd: float, high_usd: float) -> tuple[int, int]:
        """Usable ticks around a price range; 0 and infinity mean the ends of the curve."""
        ends = sorted((self._tick(low_usd), self._tick(high_usd)))
        return ends[0], ends[1]

    def _tick(self, price_usd: float) -> int:
        if price_usd <= 0 or math.isinf(price_usd):
            return -MAX_TICK if (price_usd <= 0) == self.weth_is_token0 else MAX_TICK
        exact = math.log(self.raw_ratio(price_usd)) / math.log(1.0001)
        usable = round(exact / TICK_SPACING) * TICK_SPACING
        return max(-MAX_TICK, min(MAX_TICK, usable))


@dataclass(frozen=True, slots=True)
class Pair:
    """The two tokens of the pool (checksummed)."""

    weth: str
    usdc: str

    @property
    def sorted(self) -> tuple[str, str]:
        """(token0, token1)."""
        first, second = sorted((self.weth, self.usdc), key=lambda address: int(address, 16))
        return first, second

    @property
    def scale(self) -> PoolScale:
        """The pool's price arithmetic."""
        return PoolScale(weth_is_token0=self.sorted[0] == self.weth)


@dataclass(frozen=True, slots=True)
class PositionAmounts:
    """What one position takes, raw."""

    tick_lower: int
    tick_upper: int
    amount0: int
    amount1: int


def position_amounts(
    scale: PoolScale, price_usd: float, where: Range, value_usd: float
) -> PositionAmounts:
    """Amounts of both tokens that make a position of a value in USD over a range around the price."""
    lower, upper = scale.ticks(where.low * price_usd, where.high * price_usd)
    root = math.sqrt(scale.raw_ratio(price_usd))
    root_lower, root_upper = 1.0001 ** (lower / 2), 1.0001 ** (upper / 2)
    per_liquidity0 = 1 / root - 1 / root_upper
    per_liquidity1 = root - root_lower
    usd0 = price_usd / ETHER if scale.weth_is_token0 else 1 / DOLLAR
    usd1 = 1 / DOLLAR if scale.weth_is_token0 else price_usd / ETHER
    liquidity = value_usd / (per_liquidity0 * usd0 + per_liquidity1 * usd1)
    return PositionAmounts(
        lower, upper, int(liquidity * per_liquidity0), int(liquidity * per_liquidity1)
    )


def create_pool(deployer: Deployer, uniswap: Uniswap, pair: Pair, price_usd: float) -> str:
    """The WETH/USDC pool at a price, with room for observations; returns its address."""
    positions = deployer.at("NonfungiblePositionManager", uniswap.position_manager)
    root_price = pair.scale.sqrt_price_x96(price_usd)
    deployer.send(
        positions.functions.createAndInitializePoolIfNecessary(*pair.sorted, FEE_PIPS, root_price)
    )
    factory = deployer.at("UniswapV3Factory", uniswap.factory)
    pool = str(factory.functions.getPool(*pair.sorted, FEE_PIPS).call())
    deployer.send(
        deployer.at("UniswapV3Pool", pool).functions.increaseObservationCardinalityNext(
            OBSERVATIONS
        )
    )
    return pool


def add_liquidity(
    deployer: Deployer,
    uniswap: Uniswap,
    pair: Pair,
    owner: str,
    *,
    price_usd: float,
    value_usd: float,
) -> None:
    """Mint `RANGES` around the price; the owner needs both tokens and approvals of the position manager."""
    positions = deployer.at("NonfungiblePositionManager", uniswap.position_manager)
    for where in RANGES:
        amounts = position_amounts(pair.scale, price_usd, where, value_usd * where.share)
        ticks = (amounts.tick_lower, amounts.tick_upper)
        desired = (amounts.amount0, amounts.amount1)
        mint = (*pair.sorted, FEE_PIPS, *ticks, *desired, 0, 0, owner, _DEADLINE)
        deployer.send(positions.functions.mint(mint), sender=owner)
