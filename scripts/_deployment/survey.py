"""Reads what `keeper.deployment.surroundings` judges."""

from __future__ import annotations

from keeper.deployment.parameters import FeedParameters, Parameters
from keeper.deployment.surroundings import Feed, Owner, Pool, Surroundings, Token
from keeper.model.address import ZERO_ADDRESS
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain

ROUND = ("uint80", "int256", "uint256", "uint256", "uint80")
SLOT0 = ("uint160", "int24", "uint16", "uint16", "uint16", "uint8", "bool")
RESERVE_WORDS = ("uint256", *("uint128",) * 5, "uint40", "uint16", *("address",) * 4)
A_TOKEN = 8


def survey(chain: Chain, artifacts: Artifacts, p: Parameters) -> Surroundings:
    """Everything the file names, as it is now."""
    block = chain.w3.eth.get_block("latest")
    return Surroundings(
        chain_id=chain.chain_id,
        timestamp=int(block["timestamp"]),
        asset=_token(chain, p.vault.asset),
        base=_token(chain, p.vault.base),
        base_feed=_feed(chain, p.oracle.base),
        quote_feed=_feed(chain, p.oracle.quote),
        oracle_pool=_pool(chain, p.oracle.pool),
        swap_pool=_pool(chain, p.venues.uniswap_pool),
        aave_reserves=_aave(chain, p),
        owner=owner_of(chain, p.roles.owner),
        sequencer_up=_sequencer(chain, p),
        lens_fits=artifacts["VaultLens"].fits(chain.code(p.lens)) if p.lens else None,
    )


def _token(chain: Chain, address: str) -> Token:
    if not chain.is_contract(address):
        return Token(None, "nothing")
    symbol = chain.view(address, "symbol()", ["string"])
    return Token(chain.view(address, "decimals()", ["uint8"]), symbol or "a token")


def _feed(chain: Chain, p: FeedParameters) -> Feed:
    decimals = chain.view(p.feed, "decimals()", ["uint8"])
    description = chain.view(p.feed, "description()", ["string"])
    latest = chain.view(p.feed, "latestRoundData()", ROUND)
    if None in {decimals, description, latest} or not chain.is_contract(p.feed):
        return Feed(None, "", 0, 0)
    return Feed(decimals, description, latest[1], latest[3])


def _pool(chain: Chain, address: str) -> Pool:
    tokens = [chain.view(address, f"token{i}()", ["address"]) for i in (0, 1)]
    slot0 = chain.view(address, "slot0()", SLOT0)
    if slot0 is None or None in tokens or not chain.is_contract(address):
        return Pool((), 0)
    return Pool(tuple(tokens), slot0[3])


def _aave(chain: Chain, p: Parameters) -> tuple[str, ...] | None:
    pool = chain.view(p.venues.aave_addresses_provider, "getPool()", ["address"])
    if pool is None or not chain.is_contract(pool):
        return None
    listed = []
    for token in (p.vault.asset, p.vault.base):
        reserve = chain.view(pool, "getReserveData(address)", RESERVE_WORDS, token)
        if reserve is not None and reserve[A_TOKEN] != ZERO_ADDRESS:
            listed.append(token)
    return tuple(listed)


def _sequencer(chain: Chain, p: Parameters) -> bool | None:
    if p.oracle.sequencer is None:
        return None
    latest = chain.view(p.oracle.sequencer.feed, "latestRoundData()", ROUND)
    if latest is None or latest[1] not in {0, 1} or latest[2] == 0:
        return None
    return bool(latest[1] == 0)


def owner_of(chain: Chain, address: str) -> Owner:
    """What kind of account the owner is."""
    if not chain.is_contract(address):
        return Owner(has_code=False, safe_version=None, threshold=0, owners=0)
    version = chain.view(address, "VERSION()", ["string"])
    threshold = chain.view(address, "getThreshold()", ["uint256"])
    owners = chain.view(address, "getOwners()", ["address[]"])
    if version is None or threshold is None or owners is None:
        return Owner(has_code=True, safe_version=None, threshold=0, owners=0)
    return Owner(has_code=True, safe_version=version, threshold=threshold, owners=len(owners))
