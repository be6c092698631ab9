"""Aave v3: the whole market with WETH and USDC reserves, parameters as on mainnet, priced by the Chainlink proxies."""

from dataclasses import dataclass
from typing import Any

from keeper.localnet.protocols.deployer import ZERO_ADDRESS, Deployer

RAY = 10**27
USD_UNIT = 10**8
MARKET_ID = "Gimbal local mainnet"


@dataclass(frozen=True, slots=True)
class RateCurve:
    """Interest against utilisation: per year, as fractions in RAY."""

    optimal_usage: int
    base: int
    slope1: int
    slope2: int


@dataclass(frozen=True, slots=True)
class ReserveTerms:
    """Risk parameters of one reserve, in basis points; caps in whole tokens."""

    name: str
    symbol: str
    decimals: int
    ltv: int
    liquidation_threshold: int
    liquidation_bonus: int
    reserve_factor: int
    borrow_cap: int
    supply_cap: int
    curve: RateCurve


WETH_TERMS = ReserveTerms(
    name="Wrapped Ether",
    symbol="WETH",
    decimals=18,
    ltv=8_050,
    liquidation_threshold=8_300,
    liquidation_bonus=10_500,
    reserve_factor=1_500,
    borrow_cap=14_000_000,
    supply_cap=18_000_000,
    curve=RateCurve(
        optimal_usage=RAY * 80 // 100, base=0, slope1=RAY * 38 // 1000, slope2=RAY * 80 // 100
    ),
)
USDC_TERMS = ReserveTerms(
    name="USD Coin",
    symbol="USDC",
    decimals=6,
    ltv=7_700,
    liquidation_threshold=8_000,
    liquidation_bonus=10_450,
    reserve_factor=1_000,
    borrow_cap=5_000_000_000,
    supply_cap=6_000_000_000,
    curve=RateCurve(
        optimal_usage=RAY * 90 // 100, base=0, slope1=RAY * 55 // 1000, slope2=RAY * 60 // 100
    ),
)
LIQUIDATION_PROTOCOL_FEE_BPS = 1_000
FLASHLOAN_PREMIUM_BPS = 5
VARIABLE_RATE = 2
"""Aave's interest rate mode."""


@dataclass(frozen=True, slots=True)
class AaveMarket:
    """Addresses of the deployed market (checksummed)."""

    addresses_provider: str
    pool: str
    oracle: str
    data_provider: str


def deploy_aave(
    deployer: Deployer, weth: str, weth_feed: str, usdc: str, usdc_feed: str
) -> AaveMarket:
    """Deploy the market and list both reserves; the deployer is pool and emergency administrator."""
    provider = _deploy_provider(deployer)
    configurator, pool = _deploy_pool(deployer, provider)
    data_provider = deployer.deploy("AaveDataProvider", provider.address)
    deployer.send(provider.functions.setPoolDataProvider(data_provider.address))
    oracle = deployer.deploy(
        "AaveOracle",
        provider.address,
        [weth, usdc],
        [weth_feed, usdc_feed],
        ZERO_ADDRESS,
        ZERO_ADDRESS,
        USD_UNIT,
    )
    deployer.send(provider.functions.setPriceOracle(oracle.address))
    _list_reserves(deployer, provider, configurator, pool, {weth: WETH_TERMS, usdc: USDC_TERMS})
    return AaveMarket(provider.address, pool, oracle.address, data_provider.address)


def _deploy_provider(deployer: Deployer) -> Any:
    registry = deployer.deploy("PoolAddressesProviderRegistry", deployer.account)
    provider = deployer.deploy("PoolAddressesProvider", MARKET_ID, deployer.account)
    deployer.send(registry.functions.registerAddressesProvider(provider.address, 1))
    deployer.send(provider.functions.setACLAdmin(deployer.account))
    acl = deployer.deploy("ACLManager", provider.address)
    deployer.send(provider.functions.setACLManager(acl.address))
    deployer.send(acl.functions.addPoolAdmin(deployer.account))
    deployer.send(acl.functions.addEmergencyAdmin(deployer.account))
    return provider


def _deploy_pool(deployer: Deployer, provider: Any) -> tuple[Any, str]:
    """(configurator, address of the pool), both behind the provider's proxies."""
    libraries: dict[str, str] = {}
    for name in (
        "SupplyLogic",
        "BorrowLogic",
        "LiquidationLogic",
        "EModeLogic",
        "BridgeLogic",
        "PoolLogic",
        "ConfiguratorLogic",
        "FlashLoanLogic",  # links BorrowLogic, so it comes after it
    ):
        libraries[name] = deployer.deploy(name, libraries=libraries).address
    pool = deployer.deploy("AavePool", provider.address, libraries=libraries)
    deployer.send(provider.functions.setPoolImpl(pool.address))
    configurator = deployer.deploy("AavePoolConfigurator", libraries=libraries)
    deployer.send(provider.functions.setPoolConfiguratorImpl(configurator.address))
    proxied = deployer.at("AavePoolConfigurator", provider.functions.getPoolConfigurator().call())
    return proxied, provider.functions.getPool().call()


def _list_reserves(
    deployer: Deployer,
    provider: Any,
    configurator: Any,
    pool: str,
    reserves: dict[str, ReserveTerms],
) -> None:
    implementations = tuple(
        deployer.deploy(name, pool).address
        for name in ("AToken", "StableDebtToken", "VariableDebtToken")
    )
    inputs = []
    for asset, terms in reserves.items():
        strategy = _deploy_curve(deployer, provider, terms.curve)
        inputs.append(_reserve_input(asset, terms, implementations, strategy, deployer.account))
    deployer.send(configurator.functions.initReserves(inputs))
    for asset, terms in reserves.items():
        _configure(deployer, configurator.functions, asset, terms)
    deployer.send(configurator.functions.updateFlashloanPremiumTotal(FLASHLOAN_PREMIUM_BPS))


def _deploy_curve(deployer: Deployer, provider: Any, curve: RateCurve) -> str:
    # Stable-rate borrowing stays disabled; its parameters only have to be well formed.
    stable = (0, 0, RAY // 100, 0, RAY // 5)
    strategy = deployer.deploy(
        "AaveRateStrategy",
        provider.address,
        curve.optimal_usage,
        curve.base,
        curve.slope1,
        curve.slope2,
        *stable,
    )
    return str(strategy.address)


def _reserve_input(
    asset: str, terms: ReserveTerms, implementations: tuple[str, ...], strategy: str, treasury: str
) -> tuple[Any, ...]:
    a_token, stable_debt, variable_debt = implementations
    symbol = terms.symbol
    return (
        a_token,
        stable_debt,
        variable_debt,
        terms.decimals,
        strategy,
        asset,
        treasury,
        ZERO_ADDRESS,  # no incentives
        f"Aave Ethereum {symbol}",
        f"aEth{symbol}",
        f"Aave Ethereum Variable Debt {symbol}",
        f"variableDebtEth{symbol}",
        f"Aave Ethereum Stable Debt {symbol}",
        f"stableDebtEth{symbol}",
        b"",
    )


def _configure(deployer: Deployer, functions: Any, asset: str, terms: ReserveTerms) -> None:
    for call in (
        functions.configureReserveAsCollateral(
            asset, terms.ltv, terms.liquidation_threshold, terms.liquidation_bonus
        ),
        functions.setReserveBorrowing(asset, True),
        functions.setReserveFactor(asset, terms.reserve_factor),
        functions.setBorrowCap(asset, terms.borrow_cap),
        functions.setSupplyCap(asset, terms.supply_cap),
        functions.setReserveFlashLoaning(asset, True),
        functions.setLiquidationProtocolFee(asset, LIQUIDATION_PROTOCOL_FEE_BPS),
    ):
        deployer.send(call)


@dataclass(frozen=True, slots=True)
class LendingSeed:
    """What one account lends and borrows of one token, token units."""

    token: str
    supplied: int
    borrowed: int


def seed_lending(
    deployer: Deployer, pool_address: str, lender: str, seeds: tuple[LendingSeed, ...]
) -> None:
    """Give the reserves liquidity and a utilisation. Needs both feeds answered and the lender's approvals."""
    pool = deployer.at("AavePool", pool_address).functions
    for seed in seeds:
        deployer.send(pool.supply(seed.token, seed.supplied, lender, 0), sender=lender)
    for seed in seeds:
        deployer.send(
            pool.borrow(seed.token, seed.borrowed, VARIABLE_RATE, 0, lender), sender=lender
        )
