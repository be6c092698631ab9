"""The running local mainnet as its inhabitants see it: a connection, addresses and accounts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3 import Web3


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the protocols stand (checksummed)."""

    weth: str
    usdc: str
    eth_usd_aggregator: str  # FluxAggregator, 8 decimals
    eth_usd_feed: str  # EACAggregatorProxy in front of it
    usdc_usd_aggregator: str
    usdc_usd_feed: str
    uniswap_factory: str
    uniswap_position_manager: str
    uniswap_router: str  # SwapRouter (v3-periphery)
    uniswap_quoter: str  # QuoterV2
    uniswap_pool: str  # WETH/USDC 0.05 %
    aave_addresses_provider: str
    aave_pool: str
    aave_oracle: str
    aave_data_provider: str
    multicall3: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """Anvil's unlocked development accounts, by role (index into the standard mnemonic)."""

    deployer: str  # 0: owns protocols, mints dollars
    oracle: str  # 1: the one transmitter of both feeds
    arbitrageur: str  # 2
    liquidator: str  # 3
    noise: str  # 4
    liquidity_provider: str  # 5: owns the pool's positions, lends on Aave
    keeper: str  # 6: the demo keeper's key
    vault_owner: str  # 7
    depositor: str  # 8
    developer: str  # 9: free for a person to use
    guardian: str  # 10: of vaults
    opener: str  # 11: keeper of a vault while its position is opened


@dataclass(frozen=True, slots=True)
class World:
    """What an actor needs. `w3` talks to the fork; eth_sendTransaction from any account above is unlocked."""

    w3: Web3
    http_url: str
    ws_url: str
    addresses: Addresses
    accounts: Accounts
    root: Path  # project checkout, where build/ and node_modules/ are
    upstream_url: str = ""  # the chain that is forked; nothing acts there

    def contract(self, name: str, address: str) -> Any:
        """A web3 contract object for a known artifact name ("FluxAggregator", "ERC20", "AavePool", ...)."""
        from keeper.localnet.artifacts import abi_of  # artifacts needs node_modules, values do not

        return self.w3.eth.contract(
            address=Web3.to_checksum_address(address), abi=abi_of(self.root, name)
        )
