"""All protocols in their order of need, on an empty chain."""

from pathlib import Path

from web3 import Web3

from keeper.localnet import artifacts
from keeper.localnet.protocols.aave import deploy_aave
from keeper.localnet.protocols.chainlink import deploy_feed, deploy_link
from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.protocols.tokens import approve_all, deploy_tokens, fund_accounts
from keeper.localnet.protocols.uniswap import deploy_uniswap
from keeper.localnet.rpc import accounts_of, rpc
from keeper.localnet.world import Addresses


def deploy_protocols(w3: Web3, root: Path) -> Addresses:
    """Deploy everything and fund the inhabitants; `uniswap_pool` stays empty until a market is made."""
    accounts = accounts_of(w3)
    deployer = Deployer(w3, root, accounts.deployer)
    weth, usdc = deploy_tokens(deployer)
    fund_accounts(deployer, weth, usdc, accounts)
    link = deploy_link(deployer)
    eth_usd, eth_usd_feed = deploy_feed(deployer, link, accounts.oracle, "ETH / USD")
    usdc_usd, usdc_usd_feed = deploy_feed(deployer, link, accounts.oracle, "USDC / USD")
    uniswap = deploy_uniswap(deployer, weth.address)
    aave = deploy_aave(
        deployer, weth.address, eth_usd_feed.address, usdc.address, usdc_usd_feed.address
    )
    rpc(w3, "anvil_setCode", artifacts.MULTICALL3_ADDRESS, artifacts.multicall3_runtime(root))
    tokens = (weth, usdc)
    approve_all(deployer, tokens, uniswap.position_manager, (accounts.liquidity_provider,))
    approve_all(
        deployer,
        tokens,
        uniswap.router,
        (accounts.arbitrageur, accounts.noise, accounts.liquidator),
    )
    approve_all(deployer, tokens, aave.pool, (accounts.liquidity_provider, accounts.liquidator))
    return Addresses(
        weth=weth.address,
        usdc=usdc.address,
        eth_usd_aggregator=eth_usd.address,
        eth_usd_feed=eth_usd_feed.address,
        usdc_usd_aggregator=usdc_usd.address,
        usdc_usd_feed=usdc_usd_feed.address,
        uniswap_factory=uniswap.factory,
        uniswap_position_manager=uniswap.position_manager,
        uniswap_router=uniswap.router,
        uniswap_quoter=uniswap.quoter,
        uniswap_pool="",
        aave_addresses_provider=aave.addresses_provider,
        aave_pool=aave.pool,
        aave_oracle=aave.oracle,
        aave_data_provider=aave.data_provider,
        multicall3=artifacts.MULTICALL3_ADDRESS,
    )
