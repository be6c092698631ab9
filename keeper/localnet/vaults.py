"""Deploys vaults on the local mainnet, in the order the contracts ask for, and deposits into them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

from keeper.localnet.protocols.deployer import ZERO_ADDRESS, Deployer
from keeper.localnet.rpc import send
from keeper.localnet.world import World
from keeper.model.market import Limits
from keeper.model.units import WAD, Bps, Wad

DEFAULT_LIMITS = Limits(
    min_health_wad=Wad(WAD * 125 // 100),
    max_swap_loss_bps=Bps(100),
    max_loss_bps=Bps(200),
    max_loss_per_day_bps=Bps(1_000),
    max_borrow_bps=Bps(8_000),
)


_MIN_HEALTH_BOUNDS = (1.01, 10.0)
"""The contract's own, for any mandate."""

_ANSWER_BOUNDS = (10**8, 10**14, 10**7, 10**9)
"""Answers are believed between a dollar and a million for ether, a tenth and ten for the dollar (8 decimals)."""


def limits_for(health: float) -> Limits:
    """The usual limits for a vault kept near a health: half the distance to liquidation is the keeper's minimum."""
    low, high = _MIN_HEALTH_BOUNDS
    minimum = min(high, max(low, 1 + 0.5 * (health - 1)))
    return replace(
        DEFAULT_LIMITS,
        min_health_wad=Wad(int(minimum * WAD)),
        max_swap_loss_bps=Bps(200),  # in a crash the pool runs ahead of the oracle
        max_borrow_bps=Bps(8_200),  # room for the least health that the venue lends for
    )


@dataclass(frozen=True, slots=True)
class OracleTerms:
    """When the vault's oracle may be believed. Ages in seconds: the feed's heartbeat and a margin."""

    base_max_age_s: int = 3_900
    quote_max_age_s: int = 90_000
    twap_window_s: int = 600
    max_deviation_bps: int = 500


@dataclass(frozen=True, slots=True)
class VaultDeployment:
    """Addresses of one vault and what belongs to it (checksummed)."""

    vault: str
    oracle: str
    lending: str
    swapper: str
    lens: str


def deploy_lens(world: World) -> str:
    """A VaultLens; one serves any number of vaults."""
    return str(_deployer(world).deploy("VaultLens").address)


def deploy_vault(
    world: World,
    *,
    limits: Limits = DEFAULT_LIMITS,
    keepers: Sequence[str] = (),
    terms: OracleTerms | None = None,
    guardian: str = ZERO_ADDRESS,
    lens: str | None = None,
    name: str = "Gimbal WETH/USDC",
    symbol: str = "gUSDC",
) -> VaultDeployment:
    """A vault of USDC and WETH on Aave and the pool, owned by `accounts.vault_owner`, open for deposits."""
    deployer = _deployer(world)
    a = world.addresses
    oracle = _deploy_oracle(world, terms or OracleTerms())
    arguments = (a.usdc, a.weth, oracle, deployer.account, guardian, astuple(limits), name, symbol)
    vault = deployer.deploy("Vault", *arguments)
    lending = deployer.deploy("AaveV3Adapter", vault.address, a.aave_addresses_provider)
    swapper = deployer.deploy("UniswapV3Adapter", vault.address, a.uniswap_pool)
    deployer.send(vault.functions.setVenues(lending.address, swapper.address))
    for keeper in keepers:
        deployer.send(vault.functions.addKeeper(keeper))
    return VaultDeployment(
        vault=vault.address,
        oracle=oracle,
        lending=lending.address,
        swapper=swapper.address,
        lens=lens or deploy_lens(world),
    )


def deposit(world: World, deployment: VaultDeployment, depositor: str, usdc: int) -> int:
    """Deposit an amount (raw dollars) that the depositor holds; returns the shares it received."""
    token = world.contract("ERC20", world.addresses.usdc)
    vault = world.contract("Vault", deployment.vault)
    before = int(vault.functions.balanceOf(depositor).call())
    send(world.w3, token.functions.approve(deployment.vault, usdc), depositor)
    send(world.w3, vault.functions.deposit(usdc, depositor), depositor)
    return int(vault.functions.balanceOf(depositor).call()) - before


def _deploy_oracle(world: World, terms: OracleTerms) -> str:
    a = world.addresses
    ages = (terms.base_max_age_s, terms.quote_max_age_s)
    feeds = (a.eth_usd_feed, a.usdc_usd_feed)
    pool = (a.uniswap_pool, terms.twap_window_s, terms.max_deviation_bps)
    rollup = (12, ZERO_ADDRESS, 0)  # seconds between blocks; no sequencer
    config = (a.weth, a.usdc, *feeds, *ages, *pool, *_ANSWER_BOUNDS, *rollup)
    return str(_deployer(world).deploy("PriceOracle", config).address)


def _deployer(world: World) -> Deployer:
    return Deployer(world.w3, world.root, world.accounts.vault_owner)
