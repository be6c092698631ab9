"""Every reason why prices must not be traded on, named with its values."""

from keeper.market.spot import spot_price_wad
from keeper.model.exposure import Exposure
from keeper.model.ledger import Ledger
from keeper.model.market import (
    FeedReading,
    MarketState,
    PriceFault,
    Readings,
    SequencerReading,
)
from keeper.model.outlook import NO_OUTLOOK, Outlook
from keeper.model.policy import MarketPolicy
from keeper.model.units import BPS, INFINITE_HEALTH, WAD

HEALTH_TOLERANCE_BPS = 100
"""Venue and positions are read in one call at one price; more apart means one of them is wrong."""
DEBT_IS_DUST_WAD = 1_000 * WAD
"""Where both say at least this health, debt is so little that a venue's rounding of single units parts them."""


def build_market(
    readings: Readings,
    policy: MarketPolicy,
    outlook: Outlook = NO_OUTLOOK,
    holdings: tuple[Exposure, ...] = (),
) -> MarketState:
    """The readings with every fault found, in the order a person would look for the cause.

    `outlook` and `holdings` are passed on as they are: whoever gives them has judged them.
    """
    found: list[str] = []
    if readings.chain_id != policy.chain_id:
        found.append(f"the vault answers from chain id {readings.chain_id}, not {policy.chain_id}")
    price, now = readings.price, readings.block.timestamp
    _venue_faults(readings, found)
    if readings.options.value is None:
        found.append(f"the options behind desk {readings.options.desk} could not be valued")
    if price.sequencer.fault is not PriceFault.NONE:
        found.append(_sequencer_fault(price.sequencer, now))
    _feed_faults(price.base, now, min(price.base.max_age_s, policy.max_feed_age_s), found)
    # The dollar feed has a daily heartbeat, so the keeper's own age limit binds the base feed only; the
    # vault's limit binds both.
    _feed_faults(price.quote, now, price.quote.max_age_s, found)
    # What only the keeper's own, narrower limits say: protection does not wait for it.
    cautions: list[str] = []
    _source_faults(readings, policy, found, cautions)
    _pool_faults(readings, policy, found, cautions)
    if len(found) == len(cautions):
        _vault_faults(readings, found)
    return MarketState(readings, tuple(found), outlook, holdings, tuple(cautions))


def _venue_faults(readings: Readings, found: list[str]) -> None:
    if not readings.venue_readable:
        found.append(f"lending venue behind {readings.lending_adapter} could not be read")
        return
    if readings.price.price_wad <= 0:
        return
    venue, ours = readings.account.health_wad, Ledger.of(readings).health_wad()
    if venue == ours or min(venue, ours) >= DEBT_IS_DUST_WAD:
        return
    infinite = INFINITE_HEALTH in (venue, ours)
    if infinite or abs(venue - ours) * BPS > HEALTH_TOLERANCE_BPS * max(venue, ours):
        found.append(
            f"venue says health {_ratio(venue)}, its positions at the oracle price say "
            f"{_ratio(ours)}"
        )


def _sequencer_fault(sequencer: SequencerReading, now: int) -> str:
    if sequencer.fault is PriceFault.SEQUENCER_DOWN:
        return f"the sequencer is down, for {now - sequencer.since} s"
    if sequencer.fault is PriceFault.SEQUENCER_GRACE:
        return (
            f"the sequencer is up for {now - sequencer.since} s, "
            f"feeds are trusted after {sequencer.grace_s} s"
        )
    return f"the sequencer's uptime feed {sequencer.feed} could not be read"


def _feed_faults(feed: FeedReading, now: int, bound: int, found: list[str]) -> None:
    """Faults of one feed, whose answer may be `bound` seconds old."""
    if feed.fault is PriceFault.UNREADABLE:
        found.append(f"{_named(feed)} {feed.feed} could not be read")
        return
    if feed.answer <= 0:
        found.append(f"{_named(feed)} answers {feed.answer}, a price must be positive")
    elif not feed.min_answer < feed.answer < feed.max_answer:
        found.append(
            f"{_named(feed)} answers {feed.answer}, outside of {feed.min_answer} to "
            f"{feed.max_answer}: it may have stopped at its own bound"
        )
    if feed.updated_at == 0:
        found.append(f"{_named(feed)} has an incomplete round {feed.round_id}")
        return
    if feed.answered_in_round < feed.round_id:
        found.append(
            f"{_named(feed)} round {feed.round_id} is incomplete: answered in round "
            f"{feed.answered_in_round}"
        )
    age = now - feed.updated_at
    if age < 0:
        found.append(f"{_named(feed)} is dated {-age} s after the block")
    elif age > bound:
        found.append(f"{_named(feed)} is {age} s old, at most {bound} s is traded on")


def _named(feed: FeedReading) -> str:
    return f"{feed.description or feed.feed} feed"


def _source_faults(
    readings: Readings, policy: MarketPolicy, found: list[str], cautions: list[str]
) -> None:
    price = readings.price
    if price.price_wad <= 0 or not readings.pool_readable:
        return
    if price.twap_wad <= 0:
        found.append(
            f"the pool gives no average over {price.twap_window_s} s to compare the oracle with"
        )
        return
    apart = max(price.deviation_bps, _apart_bps_up(price.price_wad, price.twap_wad))
    bound = min(price.max_deviation_bps, policy.max_deviation_bps)
    if apart > bound:
        found.append(
            f"sources disagree: oracle {_price(price.price_wad)}, average of "
            f"{price.twap_window_s} s {_price(price.twap_wad)}, {apart} bps apart, "
            f"at most {bound} bps"
        )
        if apart <= price.max_deviation_bps:
            cautions.append(found[-1])


def _pool_faults(
    readings: Readings, policy: MarketPolicy, found: list[str], cautions: list[str]
) -> None:
    """The vault knows no distance of the pool's price: it bounds what a swap may lose. So that one is a caution."""
    if not readings.pool_readable:
        found.append(f"swap pool behind {readings.swap_adapter} could not be read")
        return
    spot, oracle = spot_price_wad(readings), readings.price.price_wad
    if spot <= 0 or readings.pool.liquidity <= 0:
        found.append(f"swap pool {readings.pool.pool} has no price or no liquidity in range")
        return
    if oracle <= 0:
        return
    apart = _apart_bps_up(oracle, spot)
    if apart > policy.max_spot_deviation_bps:
        found.append(
            f"pool trades at {_price(spot)}, oracle says {_price(oracle)}, {apart} bps apart, "
            f"at most {policy.max_spot_deviation_bps} bps"
        )
        cautions.append(found[-1])


def _vault_faults(readings: Readings, found: list[str]) -> None:
    """What the vault itself says, where no check above already gives the cause."""
    price = readings.price
    if price.fault is not PriceFault.NONE:
        found.append(f"the vault's oracle refuses the price: {price.fault.name.lower()}")
    elif price.price_wad <= 0:
        found.append("the vault's oracle gives no price")
    elif not readings.nav_valid or readings.measure is None or not readings.measure.priced:
        found.append("the vault cannot value itself although its prices look usable")


def _apart_bps_up(reference: int, other: int) -> int:
    return -(-abs(reference - other) * BPS // reference)


def _price(price_wad: int) -> str:
    return f"{price_wad / WAD:,.2f}"


def _ratio(health_wad: int) -> str:
    return "infinite" if health_wad >= INFINITE_HEALTH else f"{health_wad / WAD:.4f}"
