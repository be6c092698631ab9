"""What a deployment finds on the chain, and why it would refuse to start there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from keeper.deployment.parameters import FeedParameters, Parameters, scaled
from keeper.deployment.plan import Decimals

DECIMALS = range(6, 19)
FEED_DECIMALS = range(19)
SAFE_SINCE = (1, 3, 0)
MIN_RECORD_WINDOW_S = 600
"""Of the settlement oracle: the pool must keep observations so long after its window."""


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20; decimals None if it did not tell."""

    decimals: int | None
    symbol: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A Chainlink feed; `decimals` None if it could not be read."""

    decimals: int | None
    description: str
    answer: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A Uniswap v3 pool; no tokens if it could not be read."""

    tokens: tuple[str, ...]
    cardinality: int


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner's account. `safe_version` None: not a Safe."""

    has_code: bool
    safe_version: str | None
    threshold: int
    owners: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything read at once. `aave_reserves`: tokens of the vault that Aave lists; None: no Aave."""

    chain_id: int
    timestamp: int
    asset: Token
    base: Token
    base_feed: Feed
    quote_feed: Feed
    oracle_pool: Pool
    swap_pool: Pool
    aave_reserves: tuple[str, ...] | None
    owner: Owner
    sequencer_up: bool | None
    """None without an uptime feed, or if it could not be read."""
    lens_fits: bool | None
    """Whether a given lens has this version's code; None if none is given."""

    @property
    def decimals(self) -> Decimals:
        """For amounts; `problems` must be empty."""
        parts = (self.asset.decimals, self.base_feed.decimals, self.quote_feed.decimals)
        return Decimals(*(part or 0 for part in parts))


def problems(p: Parameters, found: Surroundings) -> tuple[str, ...]:
    """A line for each thing that is not as the file says."""
    if found.chain_id != p.chain_id:
        return (f"chain_id: the file is for {p.chain_id}, the network is {found.chain_id}",)
    return (
        *_token("vault.asset", p.vault.asset, found.asset),
        *_token("vault.base", p.vault.base, found.base),
        *_feed("oracle.base", p.oracle.base, found.base_feed, found.timestamp),
        *_feed("oracle.quote", p.oracle.quote, found.quote_feed, found.timestamp),
        *_pool("oracle.pool", p, found.oracle_pool),
        *_pool("venues.uniswap_pool", p, found.swap_pool),
        *_room(p, found.oracle_pool),
        *_aave(p, found.aave_reserves),
        *_sequencer(p, found.sequencer_up),
        *_owner(p, found.owner),
        *(
            ["lens: has not the code of this version's VaultLens"]
            if found.lens_fits is False
            else []
        ),
    )


def notes(p: Parameters, found: Surroundings) -> tuple[str, ...]:
    """What is allowed and should be known."""
    owner = found.owner
    if owner.safe_version is not None:
        said = [f"owner: a Safe {owner.safe_version}, {owner.threshold} of {owner.owners}"]
        if owner.threshold < 2:
            said.append("owner: ONE signature is enough for everything the owner may do")
    elif owner.has_code:
        said = ["owner: a contract that is not a Safe; make sure that it can call the manager"]
    else:
        said = ["owner: ONE KEY, not a Safe (allow_eoa_owner)"]
    if found.sequencer_up is False:
        said.append("oracle.sequencer: the sequencer is down now")
    if p.roles.curator == p.roles.owner:
        said.append("curator: the owner itself")
    return tuple(said)


def _token(field: str, address: str, token: Token) -> Iterator[str]:
    if token.decimals is None:
        yield f"{field}: no token answers at {address}"
    elif token.decimals not in DECIMALS:
        yield f"{field}: {token.symbol} has {token.decimals} decimals, not 6 to 18"


def _feed(field: str, p: FeedParameters, feed: Feed, now: int) -> Iterator[str]:
    if feed.decimals is None or feed.decimals not in FEED_DECIMALS:
        yield f"{field}.feed: no Chainlink feed answers at {p.feed}"
        return
    if feed.description != p.description:
        yield f"{field}.description: the feed says {feed.description!r}, the file {p.description!r}"
    unit = 10**feed.decimals
    if not scaled(p.min_answer, unit) < feed.answer < scaled(p.max_answer, unit):
        answer = scaled(feed.answer, 1) / unit
        yield f"{field}: the answer now, {float(answer):g}, is not between min_answer and max_answer"
    age = now - feed.updated_at
    if age > p.max_age_s:
        yield f"{field}.max_age_s: the answer now is {age} s old, more than {p.max_age_s}"


def _pool(field: str, p: Parameters, pool: Pool) -> Iterator[str]:
    wanted = {p.vault.asset.lower(), p.vault.base.lower()}
    if {token.lower() for token in pool.tokens} != wanted:
        there = " and ".join(pool.tokens) or "no pool"
        yield f"{field}: there is {there}, not asset and base"


def _room(p: Parameters, pool: Pool) -> Iterator[str]:
    spans = [("oracle.twap_window_s", p.oracle.twap_window_s)]
    if p.settlement is not None:
        span = p.settlement.twap_window_s + MIN_RECORD_WINDOW_S
        spans.append(("settlement.twap_window_s", span))
    for field, span in spans:
        least = -(-span // p.oracle.block_time_s) + 1
        if pool.tokens and pool.cardinality < least:
            yield (
                f"{field}: the pool keeps {pool.cardinality} observations and {least} are needed; "
                "call its increaseObservationCardinalityNext, then wait for a swap"
            )


def _aave(p: Parameters, reserves: tuple[str, ...] | None) -> Iterator[str]:
    if reserves is None:
        yield f"venues.aave_addresses_provider: no Aave v3 answers at {p.venues.aave_addresses_provider}"
        return
    listed = {token.lower() for token in reserves}
    for field, token in (("asset", p.vault.asset), ("base", p.vault.base)):
        if token.lower() not in listed:
            yield f"venues.aave_addresses_provider: Aave there does not list the {field}, {token}"


def _sequencer(p: Parameters, up: bool | None) -> Iterator[str]:
    if p.oracle.sequencer is not None and up is None:
        yield f"oracle.sequencer.feed: no uptime feed answers at {p.oracle.sequencer.feed}"


def _owner(p: Parameters, owner: Owner) -> Iterator[str]:
    if not owner.has_code and not p.roles.allow_eoa_owner:
        yield f"roles.owner: no contract is at {p.roles.owner}; use a Safe, or say allow_eoa_owner = true"
    if owner.safe_version is None:
        return
    if _version(owner.safe_version) < SAFE_SINCE:
        yield f"roles.owner: is a Safe {owner.safe_version}; 1.3.0 or newer is needed"
    if owner.threshold < 1:
        yield "roles.owner: is a Safe that nobody has set up yet"


def _version(text: str) -> tuple[int, ...]:
    """1.4.1+L2 -> (1, 4, 1); () if it is none."""
    parts = re.split(r"[+-]", text, maxsplit=1)[0].split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else ()
