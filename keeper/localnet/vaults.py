"""Deploys vaults on the local mainnet, in the order the contracts ask for, and deposits into them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

from keeper.localnet.desks import BASE_ANSWERS, QUOTE_ANSWERS, DeskDeployment, deploy_desk
from keeper.localnet.market import advance_to
from keeper.localnet.protocols.deployer import ZERO_ADDRESS, Deployer
from keeper.localnet.rpc import send
from keeper.localnet.world import World
from keeper.model.mandate import Caps, Emergency, Limits, OptionLimits, Terms
from keeper.model.units import BPS, WAD, Bps, Raw, Wad

HOUR_S = 3_600
EPOCH_S = 600
"""The shortest the contracts allow: a deposit on a chain that waits for it."""
CURATOR_DELAY_S, OWNER_DELAY_S = HOUR_S, 24 * HOUR_S
"""The shortest too."""
THRESHOLD_BPS = 8_300
"""Liquidation threshold of WETH at the local venue."""

DEFAULT_TERMS = Terms(
    limits=Limits(
        min_health_wad=Wad(WAD * 125 // 100),
        max_swap_loss_bps=Bps(100),
        max_loss_bps=Bps(200),
        max_loss_per_day_bps=Bps(500),
        max_borrow_bps=Bps(8_000),
    ),
    caps=Caps(
        delta_target_bps=Bps(20_000),
        delta_band_bps=Bps(40_000),
        max_venue_bps=Bps(BPS),
        max_option_bps=Bps(0),
        turnover_per_day_bps=Bps(200_000),
        cooldown_s=60,
        max_oracle_age_s=3_900,
        protective_loss_per_day_bps=Bps(1_000),
    ),
    emergency=Emergency(
        emergency_health_wad=Wad(WAD * 112 // 100),
        critical_health_wad=Wad(WAD * 105 // 100),
        silence_s=6 * HOUR_S,
        slice_bps=Bps(2_500),
        cooldown_s=60,
        bounty_bps=Bps(50),
        max_bounty=Raw(1_000 * 10**6),
    ),
    options=OptionLimits(
        min_tenor_s=HOUR_S,
        max_tenor_s=30 * 24 * HOUR_S,
        min_delta_bps=Bps(500),
        max_delta_bps=Bps(5_000),
        max_notional_bps=Bps(0),
        max_vega_bps=Bps(0),
        reserve_discount_bps=Bps(500),
        buy_back_premium_bps=Bps(500),
        auction_duration_s=HOUR_S,
        start_window_s=600,
        min_bid_bps=Bps(0),
        max_bid_bps=Bps(5_000),
        max_series=0,
    ),
)
"""A leveraged vault without options, on delays that suit tests."""

_MIN_HEALTH_BOUNDS = (1.01, 10.0)
_EMERGENCY_FLOOR = 1.005
"""The contract's own, for any mandate."""


def terms_for(health: float, minimum: float | None = None) -> Terms:
    """The usual terms for a vault kept near a health.

    With d = health - 1: the minimum (unless given) leaves 0.5 d, an emergency is 0.25 d, critical 0.125 d. The
    delta aimed at is the leverage of that health, give or take half of it.
    """
    low, high = _MIN_HEALTH_BOUNDS
    least = min(high, max(low, 1 + 0.5 * (health - 1))) if minimum is None else minimum
    emergency, critical = (max(_EMERGENCY_FLOOR, 1 + part * (least - 1)) for part in (0.5, 0.25))
    leverage = round(BPS * health / (health - THRESHOLD_BPS / BPS))
    return replace(
        DEFAULT_TERMS,
        limits=replace(
            DEFAULT_TERMS.limits,
            min_health_wad=_wad(least),
            max_swap_loss_bps=Bps(200),  # in a crash the pool runs ahead of the oracle
            max_borrow_bps=Bps(8_200),  # room for the least health that the venue lends for
        ),
        caps=replace(
            DEFAULT_TERMS.caps, delta_target_bps=Bps(leverage), delta_band_bps=Bps(leverage // 2)
        ),
        emergency=replace(
            DEFAULT_TERMS.emergency,
            emergency_health_wad=_wad(emergency),
            critical_health_wad=_wad(critical),
        ),
    )


def _wad(value: float) -> Wad:
    """To six places: a bound that is met exactly is not missed by a float."""
    return Wad(round(value * 10**6) * 10**12)


@dataclass(frozen=True, slots=True)
class OracleTerms:
    """When the vault's oracle may be believed. Ages in seconds: the feed's heartbeat and a margin."""

    base_max_age_s: int = 3_900
    quote_max_age_s: int = 90_000
    twap_window_s: int = 600
    max_deviation_bps: int = 500
    block_s: int = 12
    """Least seconds between blocks: the pool must remember the window at that pace."""


@dataclass(frozen=True, slots=True)
class VaultDeployment:
    """Addresses of one vault and what belongs to it (checksummed)."""

    vault: str
    mandate: str
    manager: str
    """The AccessManager that says who may do what to the mandate."""
    oracle: str
    lending: str
    swapper: str
    lens: str
    options: DeskDeployment | None = None
    """None for a vault that writes none."""


def deploy_lens(world: World) -> str:
    """A VaultLens; one serves any number of vaults."""
    return str(_deployer(world).deploy("VaultLens").address)


def deploy_vault(
    world: World,
    *,
    terms: Terms = DEFAULT_TERMS,
    keepers: Sequence[str] = (),
    oracle_terms: OracleTerms | None = None,
    lens: str | None = None,
    name: str = "Gimbal WETH/USDC",
    symbol: str = "gUSDC",
    with_options: bool = False,
) -> VaultDeployment:
    """A vault of USDC and WETH on Aave and the pool, open for deposits.

    `accounts.vault_owner` is owner and curator, `accounts.guardian` its guardian, `accounts.opener` a keeper
    besides `keepers`, for opening a position.
    """
    deployer, a = _deployer(world), world.addresses
    oracle = _deploy_oracle(world, oracle_terms or OracleTerms())
    setup = deployer.deploy("AccessSetup")
    manager = str(setup.functions.manager().call())
    valuation = deployer.deploy("Valuation", oracle)
    mandate = deployer.deploy("Mandate", manager, valuation.address, astuple(terms))
    policy, no_fees = (2**127, 1, False), (ZERO_ADDRESS, 0, 0)
    config = (a.usdc, a.weth, mandate.address, name, symbol, EPOCH_S, policy, no_fees)
    vault = deployer.deploy("Vault", config)
    lending = deployer.deploy("AaveV3Adapter", vault.address, a.aave_addresses_provider)
    swapper = deployer.deploy("UniswapV3Adapter", vault.address, a.uniswap_pool)
    _seed(world, vault.address)
    options = deploy_desk(world, deployer, vault.address, oracle) if with_options else None
    desk = options.desk if options else ZERO_ADDRESS
    deployer.send(vault.functions.setVenues(lending.address, swapper.address, desk))
    deployer.send(setup.functions.finish(mandate.address, ZERO_ADDRESS, _holders(world, keepers)))
    return VaultDeployment(
        vault=vault.address,
        mandate=mandate.address,
        manager=manager,
        oracle=oracle,
        lending=lending.address,
        swapper=swapper.address,
        lens=lens or deploy_lens(world),
        options=options,
    )


def deposit(world: World, deployment: VaultDeployment, depositor: str, usdc: int) -> int:
    """Deposit an amount (raw dollars) that the depositor holds; returns the shares it received.

    Asks, lets the epoch pass, settles it and claims.
    """
    request_deposit(world, deployment, depositor, usdc)
    settle(world, deployment, depositor)
    return claim(world, deployment, depositor)


def request_deposit(world: World, deployment: VaultDeployment, depositor: str, usdc: int) -> None:
    """Hand over an amount (raw dollars) that waits for the next settlement."""
    token = world.contract("ERC20", world.addresses.usdc)
    vault = world.contract("Vault", deployment.vault)
    send(world.w3, token.functions.approve(deployment.vault, usdc), depositor)
    send(world.w3, vault.functions.requestDeposit(usdc, depositor, depositor), depositor)


def settle(world: World, deployment: VaultDeployment, sender: str) -> None:
    """Let the epoch come to its end and price what waits; anybody may."""
    vault = world.contract("Vault", deployment.vault)
    due_at = int(vault.functions.epochState().call()[2])
    if world.w3.eth.get_block("latest")["timestamp"] < due_at:
        advance_to(world, due_at)
    send(world.w3, vault.functions.settle(), sender)


def claim(world: World, deployment: VaultDeployment, depositor: str) -> int:
    """Claim the shares of everything that was settled for the depositor; returns how many."""
    vault = world.contract("Vault", deployment.vault)
    before = int(vault.functions.balanceOf(depositor).call())
    assets = int(vault.functions.claimableDepositRequest(0, depositor).call())
    claimed = vault.functions["deposit(uint256,address,address)"](assets, depositor, depositor)
    send(world.w3, claimed, depositor)
    return int(vault.functions.balanceOf(depositor).call()) - before


def add_keeper(world: World, deployment: VaultDeployment, keeper: str) -> None:
    """Let the curator add a keeper: announced, waited for, done (V-14). An hour passes."""
    curator = world.accounts.vault_owner
    manager = world.contract("AccessManager", deployment.manager)
    mandate = world.contract("Mandate", deployment.mandate)
    data = mandate.encode_abi("addKeeper", args=[keeper])
    send(world.w3, manager.functions.schedule(deployment.mandate, data, 0), curator)
    advance_to(world, world.w3.eth.get_block("latest")["timestamp"] + CURATOR_DELAY_S)
    send(world.w3, manager.functions.execute(deployment.mandate, data), curator)


def remove_keeper(world: World, deployment: VaultDeployment, keeper: str) -> None:
    """Let the guardian stop a keeper, at once."""
    mandate = world.contract("Mandate", deployment.mandate)
    send(world.w3, mandate.functions.removeKeeper(keeper), world.accounts.guardian)


def _seed(world: World, vault: str) -> None:
    """The deployer's first dollar, which nobody can take out again."""
    owner, a = world.accounts.vault_owner, world.addresses
    dollar = 10**6
    token = world.contract("ERC20", a.usdc)
    send(world.w3, token.functions.transfer(owner, dollar), world.accounts.depositor)
    send(world.w3, token.functions.approve(vault, dollar), owner)


def _holders(world: World, keepers: Sequence[str]) -> tuple[Any, ...]:
    who = world.accounts
    all_keepers = [*keepers, who.opener]
    roles = (who.vault_owner, who.vault_owner, who.guardian, all_keepers)
    return (*roles, OWNER_DELAY_S, CURATOR_DELAY_S)


def _deploy_oracle(world: World, terms: OracleTerms) -> str:
    a = world.addresses
    ages = (terms.base_max_age_s, terms.quote_max_age_s)
    feeds = (a.eth_usd_feed, a.usdc_usd_feed)
    pool = (a.uniswap_pool, terms.twap_window_s, terms.max_deviation_bps)
    no_sequencer = (ZERO_ADDRESS, 0)
    bounds = (*BASE_ANSWERS, *QUOTE_ANSWERS, terms.block_s)
    config = (a.weth, a.usdc, *feeds, *ages, *pool, *bounds, *no_sequencer)
    return str(_deployer(world).deploy("PriceOracle", config).address)


def _deployer(world: World) -> Deployer:
    return Deployer(world.w3, world.root, world.accounts.vault_owner)
