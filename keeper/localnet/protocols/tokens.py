"""WETH9 and the 6-decimal dollar, and who holds how much at the start."""

from typing import Any

from keeper.localnet.protocols.deployer import Deployer
from keeper.localnet.world import Accounts

USDC_DECIMALS = 6
DOLLAR = 10**6
ETHER = 10**18


def deploy_tokens(deployer: Deployer) -> tuple[Any, Any]:
    """(WETH9, dollar): Aave's published WETH9 and its mintable ERC-20 with USDC's name, symbol and decimals."""
    weth = deployer.deploy("WETH9")
    usdc = deployer.deploy("MintableERC20", "USD Coin", "USDC", USDC_DECIMALS)
    return weth, usdc


def fund_accounts(deployer: Deployer, weth: Any, usdc: Any, accounts: Accounts) -> None:
    """Every inhabitant gets what it needs to act in any scenario; the liquidity provider gets the most."""
    dollars = {
        accounts.liquidity_provider: 5_000_000_000,
        accounts.arbitrageur: 2_000_000_000,
        accounts.noise: 200_000_000,
        accounts.liquidator: 500_000_000,
        accounts.depositor: 200_000_000,
        accounts.developer: 10_000_000,
    }
    ethers = {
        accounts.arbitrageur: 4_000_000,
        accounts.noise: 1_000_000,
        accounts.liquidator: 100_000,
        accounts.developer: 10_000,
    }
    for account, amount in dollars.items():
        deployer.send(usdc.functions["mint(address,uint256)"](account, amount * DOLLAR))
    for account, amount in ethers.items():
        deployer.send(weth.functions.deposit(), sender=account, value=amount * ETHER)


def approve_all(
    deployer: Deployer, tokens: tuple[Any, ...], spender: str, owners: tuple[str, ...]
) -> None:
    """Unlimited approval of each token by each owner."""
    for owner in owners:
        for token in tokens:
            deployer.send(token.functions.approve(spender, 2**256 - 1), sender=owner)
