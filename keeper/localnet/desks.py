"""Deploys what a vault needs to write options on the local mainnet: both oracles, book, auction house and desk."""

from dataclasses import dataclass
from typing import Any

from keeper.localnet.protocols.deployer import ZERO_ADDRESS, Deployer
from keeper.localnet.world import World

HOUR_S, DAY_S = 3_600, 86_400
BASE_ANSWERS, QUOTE_ANSWERS = (10**8, 10**14), (10**7, 10**9)
"""Bounds of the feeds' answers: 1 to 1,000,000 dollars an ether, 0.1 to 10 a dollar token."""


@dataclass(frozen=True, slots=True)
class DeskTerms:
    """The oracles' terms; the shortest windows that the contracts take, for a chain that waits for them."""

    slot_s: int = 300
    slack_s: int = 75
    slots: int = 12
    least_returns: int = 3
    tenors_s: tuple[int, ...] = (DAY_S, 7 * DAY_S, 30 * DAY_S)
    level_ppm: int = 600_000
    convexity_bps: int = 5_000
    twap_window_s: int = 600
    record_window_s: int = 2 * HOUR_S


@dataclass(frozen=True, slots=True)
class DeskDeployment:
    """Addresses (checksummed)."""

    desk: str
    book: str
    auction: str
    volatility: str
    settlement: str


def deploy_desk(
    world: World, deployer: Deployer, vault: str, price_oracle: str, terms: DeskTerms | None = None
) -> DeskDeployment:
    """A desk of this vault; bind it with `setVenues`. The deployer owns and posts volatility."""
    terms = terms or DeskTerms()
    volatility = _volatility_oracle(deployer, price_oracle, terms)
    settlement = deployer.deploy("SettlementOracle", _settlement(world, deployer, terms))
    book = deployer.deploy("OptionBook")
    auction = deployer.deploy("OptionAuction", book.address, price_oracle, volatility.address)
    parts = (book.address, auction.address, volatility.address, settlement.address)
    desk = deployer.deploy("OptionDesk", vault, *parts)
    return DeskDeployment(desk.address, *parts)


def _volatility_oracle(deployer: Deployer, price_oracle: str, terms: DeskTerms) -> Any:
    who = deployer.account
    measured = (terms.slot_s, terms.slack_s, terms.slots, terms.least_returns, 5_000, DAY_S)
    marks = [(terms.level_ppm, 0, terms.convexity_bps) for _ in terms.tenors_s]
    limits = (600, 12 * HOUR_S, 2 * DAY_S, 200_000, 7_000, 500, 2_000, 200, 1_500)
    setup = (price_oracle, who, who, who, *measured)
    return deployer.deploy("VolatilityOracle", setup, list(terms.tenors_s), marks, limits)


def _settlement(world: World, deployer: Deployer, terms: DeskTerms) -> tuple[Any, ...]:
    a = world.addresses
    pair = (a.weth, a.usdc, a.eth_usd_feed, a.usdc_usd_feed, HOUR_S + 300, 25 * HOUR_S)
    windows = (terms.twap_window_s, terms.record_window_s, 500, DAY_S, DAY_S, deployer.account)
    bounds = (*BASE_ANSWERS, *QUOTE_ANSWERS, 12)
    return (*pair, a.uniswap_pool, *windows, *bounds, ZERO_ADDRESS, 0)
