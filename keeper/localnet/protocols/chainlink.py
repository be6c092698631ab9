"""Chainlink price feeds: a FluxAggregator with one oracle behind an EACAggregatorProxy, as feeds stood on mainnet."""

from typing import Any

from keeper.localnet.protocols.deployer import ZERO_ADDRESS, Deployer

FEED_DECIMALS = 8
ANSWER_UNIT = 10**8
MIN_ANSWER = 10**6
"""0.01 USD; mainnet's own lower bound for ETH/USD was of this order."""
MAX_ANSWER = 10**15
PAYMENT_JUELS = 10**17
"""0.1 LINK for each submission."""
ROUND_TIMEOUT_S = 600
_FUNDING_JUELS = 10**27


def answer_of(price_usd: float) -> int:
    """A price as a feed answers it, 8 decimals."""
    return round(price_usd * ANSWER_UNIT)


def deploy_link(deployer: Deployer) -> Any:
    """The token oracles are paid in."""
    return deployer.deploy("MintableERC20", "ChainLink Token", "LINK", 18)


def deploy_aggregator(
    deployer: Deployer,
    link: Any,
    oracle: str,
    description: str,
    *,
    min_answer: int = MIN_ANSWER,
    max_answer: int = MAX_ANSWER,
) -> Any:
    """A funded FluxAggregator in which each submission of `oracle` completes a round."""
    aggregator = deployer.deploy(
        "FluxAggregator",
        link.address,
        0,  # the reserve for payments is required at once, and there are no funds before the address is known
        ROUND_TIMEOUT_S,
        ZERO_ADDRESS,
        min_answer,
        max_answer,
        FEED_DECIMALS,
        description,
    )
    deployer.send(link.functions["mint(address,uint256)"](aggregator.address, _FUNDING_JUELS))
    deployer.send(aggregator.functions.updateAvailableFunds())
    deployer.send(aggregator.functions.changeOracles([], [oracle], [oracle], 1, 1, 0))
    deployer.send(aggregator.functions.updateFutureRounds(PAYMENT_JUELS, 1, 1, 0, ROUND_TIMEOUT_S))
    return aggregator


def deploy_feed(deployer: Deployer, link: Any, oracle: str, description: str) -> tuple[Any, Any]:
    """(aggregator, proxy), open to every reader."""
    aggregator = deploy_aggregator(deployer, link, oracle, description)
    proxy = deployer.deploy("EACAggregatorProxy", aggregator.address, ZERO_ADDRESS)
    return aggregator, proxy


def switch_aggregator(deployer: Deployer, proxy: Any, aggregator: Any) -> None:
    """Put a new aggregator behind the proxy: the next phase, as Chainlink upgrades a feed."""
    deployer.send(proxy.functions.proposeAggregator(aggregator.address))
    deployer.send(proxy.functions.confirmAggregator(aggregator.address))


def replace_aggregator(
    deployer: Deployer,
    proxy: Any,
    oracle: str,
    *,
    min_answer: int = MIN_ANSWER,
    max_answer: int = MAX_ANSWER,
) -> Any:
    """A new aggregator behind the proxy, paid from the same token; wider bounds let a feed answer nonsense in tests.

    It has no answer yet: until the first submission the proxy reverts, as a real one does.
    """
    current = deployer.at("FluxAggregator", proxy.functions.aggregator().call())
    link = deployer.at("MintableERC20", current.functions.linkToken().call())
    description = current.functions.description().call()
    successor = deploy_aggregator(
        deployer, link, oracle, description, min_answer=min_answer, max_answer=max_answer
    )
    switch_aggregator(deployer, proxy, successor)
    return successor


def submit(deployer: Deployer, aggregator: Any, oracle: str, answer: int) -> None:
    """One round with this answer (8 decimals)."""
    round_id = aggregator.functions.latestRound().call() + 1
    deployer.send(aggregator.functions.submit(round_id, answer), sender=oracle)
