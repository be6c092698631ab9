"""The usual inhabitants of a world."""

from keeper.localnet.actors.arbitrageur import Arbitrageur
from keeper.localnet.actors.liquidator import Liquidator
from keeper.localnet.actors.noise_trader import NoiseTrader
from keeper.localnet.actors.oracle_transmitter import OracleTransmitter
from keeper.localnet.actors.values import Actor
from keeper.localnet.protocols.uniswap import Pair
from keeper.localnet.world import Accounts, Addresses


def usual_actors(addresses: Addresses, accounts: Accounts, seed: int) -> tuple[Actor, ...]:
    """Oracle transmitter, liquidator, arbitrageur and noise trader; `seed` is the noise trader's."""
    pair = Pair(addresses.weth, addresses.usdc)
    return (
        OracleTransmitter(
            accounts.oracle, addresses.eth_usd_aggregator, addresses.usdc_usd_aggregator
        ),
        Liquidator(accounts.liquidator, addresses.aave_pool, addresses.weth, addresses.usdc),
        Arbitrageur(accounts.arbitrageur, addresses.uniswap_router, pair),
        NoiseTrader(accounts.noise, addresses.uniswap_router, pair, seed),
    )
