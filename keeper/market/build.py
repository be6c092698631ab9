"""Every reason why prices must not be traded on, named with its values."""

from collections.abc import Iterator

from keeper.market.spot import spot_price_wad
from keeper.model.exposure import Exposure
from keeper.model.ledger import Ledger
from keeper.model.market import FeedReading, MarketState, PriceFault, Readings
from keeper.model.outlook import NO_OUTLOOK, Outlook
from keeper.model.policy import MarketPolicy
from keeper.model.units import BPS, INFINITE_HEALTH, WAD

HEALTH_TOLERANCE_BPS = 100
"""Venue and positions are read in one call at one price; more apart means one of them is wrong."""


def build_market(
    readings: Readings,
    policy: MarketPolicy,
    outlook: Outlook = NO_OUTLOOK,
    holdings: tuple[Exposure, ...] = (),
) -> MarketState:
    """The readings with every fault found, in the order a person would look for the cause.

    `outlook` and `holdings` are passed on as they are: whoever gives them has judged them.
    """
    price, pool = readings.price, tuple(_pool_faults(readings))
    sources = tuple(_source_faults(readings, policy))
    apart = () if pool else tuple(_spot_faults(readings, policy))
    faults = (
        *_chain_faults(readings, policy),
        *_venue_faults(readings),
        *_option_faults(readings),
        *_sequencer_faults(readings),
        *_feed_faults(price.base, readings.block.timestamp, policy.max_feed_age_s),
        *_feed_faults(price.quote, readings.block.timestamp, None),
        *sources,
        *pool,
        *apart,
    )
    # The vault knows no distance of the spot price (it bounds what a swap may lose), and its own of the sources.
    narrower = sources if 0 <= _sources_apart(readings) <= price.max_deviation_bps else ()
    cautions = (*narrower, *apart)
    known = tuple(fault for fault in faults if fault not in cautions)
    found = faults + _vault_faults(readings, known)
    return MarketState(readings, found, outlook, holdings, cautions)


def _chain_faults(readings: Readings, policy: MarketPolicy) -> Iterator[str]:
    if readings.chain_id != policy.chain_id:
        yield f"the vault answers from chain id {readings.chain_id}, not {policy.chain_id}"


def _venue_faults(readings: Readings) -> Iterator[str]:
    if not readings.venue_readable:
        yield f"lending venue behind {readings.lending_adapter} could not be read"
        return
    if readings.price.price_wad <= 0:
        return
    venue, ours = readings.account.health_wad, Ledger.of(readings).health_wad()
    if venue == ours:
        return
    if INFINITE_HEALTH in (venue, ours):
        # Dust of debt that the venue's 8-decimal dollars round to nothing is no contradiction.
        disagree = min(venue, ours) < 1000 * WAD
    else:
        disagree = abs(venue - ours) * BPS > HEALTH_TOLERANCE_BPS * max(venue, ours)
    if disagree:
        yield (
            f"venue says health {_ratio(venue)}, its positions at the oracle price say "
            f"{_ratio(ours)}"
        )


def _option_faults(readings: Readings) -> Iterator[str]:
    if readings.options.value is None:
        yield f"the options behind desk {readings.options.desk} could not be valued"


def _sequencer_faults(readings: Readings) -> Iterator[str]:
    sequencer, now = readings.price.sequencer, readings.block.timestamp
    if sequencer.fault is PriceFault.SEQUENCER_DOWN:
        yield f"the sequencer is down, for {now - sequencer.since} s"
    elif sequencer.fault is PriceFault.SEQUENCER_GRACE:
        yield (
            f"the sequencer is up for {now - sequencer.since} s, "
            f"feeds are trusted after {sequencer.grace_s} s"
        )
    elif sequencer.fault is not PriceFault.NONE:
        yield f"the sequencer's uptime feed {sequencer.feed} could not be read"


def _feed_faults(feed: FeedReading, now: int, max_age_s: int | None) -> Iterator[str]:
    """Faults of one feed.

    The dollar feed has a daily heartbeat, so the keeper's own age limit binds the base feed only; the
    vault's limit binds both.
    """
    name = f"{feed.description or feed.feed} feed"
    if feed.fault is PriceFault.UNREADABLE:
        yield f"{name} {feed.feed} could not be read"
        return
    if feed.answer <= 0:
        yield f"{name} answers {feed.answer}, a price must be positive"
    elif not feed.min_answer < feed.answer < feed.max_answer:
        yield (
            f"{name} answers {feed.answer}, outside of {feed.min_answer} to {feed.max_answer}: "
            "it may have stopped at its own bound"
        )
    if feed.updated_at == 0:
        yield f"{name} has an incomplete round {feed.round_id}"
        return
    if feed.answered_in_round < feed.round_id:
        yield (
            f"{name} round {feed.round_id} is incomplete: answered in round "
            f"{feed.answered_in_round}"
        )
    age = now - feed.updated_at
    bound = feed.max_age_s if max_age_s is None else min(feed.max_age_s, max_age_s)
    if age < 0:
        yield f"{name} is dated {-age} s after the block"
    elif age > bound:
        yield f"{name} is {age} s old, at most {bound} s is traded on"


def _source_faults(readings: Readings, policy: MarketPolicy) -> Iterator[str]:
    price = readings.price
    if price.price_wad <= 0 or not readings.pool_readable:
        return
    if price.twap_wad <= 0:
        yield f"the pool gives no average over {price.twap_window_s} s to compare the oracle with"
        return
    apart = _sources_apart(readings)
    bound = min(price.max_deviation_bps, policy.max_deviation_bps)
    if apart > bound:
        yield (
            f"sources disagree: oracle {_price(price.price_wad)}, average of "
            f"{price.twap_window_s} s {_price(price.twap_wad)}, {apart} bps apart, "
            f"at most {bound} bps"
        )


def _sources_apart(readings: Readings) -> int:
    """Oracle and average, basis points, as the vault or we find it, whichever is more; -1 where one is missing."""
    price = readings.price
    if price.price_wad <= 0 or price.twap_wad <= 0:
        return -1
    return max(price.deviation_bps, _apart_bps_up(price.price_wad, price.twap_wad))


def _pool_faults(readings: Readings) -> Iterator[str]:
    if not readings.pool_readable:
        yield f"swap pool behind {readings.swap_adapter} could not be read"
        return
    if spot_price_wad(readings) <= 0 or readings.pool.liquidity <= 0:
        yield f"swap pool {readings.pool.pool} has no price or no liquidity in range"


def _spot_faults(readings: Readings, policy: MarketPolicy) -> Iterator[str]:
    spot, oracle = spot_price_wad(readings), readings.price.price_wad
    if oracle <= 0:
        return
    apart = _apart_bps_up(oracle, spot)
    if apart > policy.max_spot_deviation_bps:
        yield (
            f"pool trades at {_price(spot)}, oracle says {_price(oracle)}, {apart} bps apart, "
            f"at most {policy.max_spot_deviation_bps} bps"
        )


def _vault_faults(readings: Readings, found: tuple[str, ...]) -> tuple[str, ...]:
    """What the vault itself says, where no check above already gives the cause."""
    if found:
        return ()
    price = readings.price
    if price.fault is not PriceFault.NONE:
        return (f"the vault's oracle refuses the price: {price.fault.name.lower()}",)
    if price.price_wad <= 0:
        return ("the vault's oracle gives no price",)
    if not readings.nav_valid or readings.measure is None or not readings.measure.priced:
        return ("the vault cannot value itself although its prices look usable",)
    return ()


def _apart_bps_up(reference: int, other: int) -> int:
    return -(-abs(reference - other) * BPS // reference)


def _price(price_wad: int) -> str:
    return f"{price_wad / WAD:,.2f}"


def _ratio(health_wad: int) -> str:
    return "infinite" if health_wad >= INFINITE_HEALTH else f"{health_wad / WAD:.4f}"
