"""The parameters file of one deployment: every limit, each with its unit in its name.

Amounts (`cap`, `minimum`, `max_bounty`) are whole tokens of the asset; health is a ratio; `_s` is seconds, `_bps` is
1e-4, `_ppm` is 1e-6. Numbers are read as decimals, never as binary fractions.
"""

import hashlib
import json
import tomllib
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from keeper.errors import ParametersError
from keeper.model.address import checked_address

MAX_DIGITS = 60


def scaled(amount: Decimal | int, unit: int) -> Fraction:
    """amount x unit, exactly: decimals would round to the digits of their context."""
    return Fraction(amount) * unit


def _decimal(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise ValueError("is not a number")  # noqa: TRY004 - pydantic names the field of a ValueError
    number = Decimal(value)
    if not number.is_finite() or number < 0:
        raise ValueError("is not a finite number of at least 0")
    if number and not -MAX_DIGITS < number.adjusted() < MAX_DIGITS:
        raise ValueError("is out of all proportion")
    return number


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("is not a whole number")  # noqa: TRY004 - as above
    return value


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _printable(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise ValueError("has spaces around it or characters that cannot be printed")
    return value


Address = Annotated[str, AfterValidator(checked_address)]
Amount = Annotated[Decimal, BeforeValidator(_decimal)]
Ratio = Annotated[Decimal, BeforeValidator(_decimal)]
Whole = Annotated[int, BeforeValidator(_integer)]
Text = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_printable)]


class Table(BaseModel):
    """One table of the file: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class VaultParameters(Table):
    """What the vault is. `id` names it in the record."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    name: Text
    symbol: Text
    asset: Address
    base: Address
    epoch_length_s: Whole


class DepositParameters(Table):
    """Who may deposit how much."""

    cap: Amount
    minimum: Amount
    allow_listed: bool


class FeeParameters(Table):
    """Fees; without a recipient none are taken."""

    recipient: Address | None = None
    management_bps: Whole
    performance_bps: Whole


class RoleParameters(Table):
    """Who holds which role, and how long what is riskier waits."""

    owner: Address
    allow_eoa_owner: bool = False
    curator: Address
    guardian: Address
    keepers: Annotated[tuple[Address, ...], BeforeValidator(_tuple)]
    owner_delay_s: Whole
    curator_delay_s: Whole


class FeedParameters(Table):
    """One Chainlink feed. `description` must be what it says of itself; answers are in whole units (dollars)."""

    feed: Address
    description: Text
    max_age_s: Whole
    min_answer: Amount
    max_answer: Amount


class SequencerParameters(Table):
    """A rollup's uptime feed, and how long the sequencer must have been up."""

    feed: Address
    grace_s: Whole


class OracleParameters(Table):
    """When the price may be believed. `block_time_s`: least seconds between blocks."""

    base: FeedParameters
    quote: FeedParameters
    sequencer: SequencerParameters | None = None
    pool: Address
    block_time_s: Whole
    twap_window_s: Whole
    max_deviation_bps: Whole


class VenueParameters(Table):
    """Where the vault lends and swaps."""

    aave_addresses_provider: Address
    uniswap_pool: Address


class LimitParameters(Table):
    """Limits on every rebalance."""

    min_health: Ratio
    max_swap_loss_bps: Whole
    max_loss_bps: Whole
    max_loss_per_day_bps: Whole
    max_borrow_bps: Whole


class CapParameters(Table):
    """Limits on what does not reduce every risk."""

    delta_target_bps: Whole
    delta_band_bps: Whole
    max_venue_bps: Whole
    max_option_bps: Whole
    turnover_per_day_bps: Whole
    cooldown_s: Whole
    max_oracle_age_s: Whole
    protective_loss_per_day_bps: Whole


class EmergencyParameters(Table):
    """When and how anybody may protect the vault."""

    emergency_health: Ratio
    critical_health: Ratio
    silence_s: Whole
    slice_bps: Whole
    cooldown_s: Whole
    bounty_bps: Whole
    max_bounty: Amount


class OptionParameters(Table):
    """What the vault may do with options. `max_series = 0` writes none."""

    min_tenor_s: Whole
    max_tenor_s: Whole
    min_delta_bps: Whole
    max_delta_bps: Whole
    max_notional_bps: Whole
    max_vega_bps: Whole
    reserve_discount_bps: Whole
    buy_back_premium_bps: Whole
    auction_duration_s: Whole
    start_window_s: Whole
    min_bid_bps: Whole
    max_bid_bps: Whole
    max_series: Whole


class MarkParameters(Table):
    """One tenor of the volatility surface and its first mark."""

    tenor_s: Whole
    level_ppm: Whole
    skew_bps: Whole
    convexity_bps: Whole


class VolatilityParameters(Table):
    """How volatility is observed, and how far marks may go."""

    poster: Address
    interval_s: Whole
    slack_s: Whole
    window_slots: Whole
    min_returns: Whole
    max_return_bps: Whole
    max_observation_age_s: Whole
    min_post_interval_s: Whole
    max_age_s: Whole
    expire_age_s: Whole
    floor_ppm: Whole
    floor_ratio_bps: Whole
    max_step_bps: Whole
    max_per_day_bps: Whole
    half_spread_bps: Whole
    stale_half_spread_bps: Whole
    marks: Annotated[tuple[MarkParameters, ...], BeforeValidator(_tuple)]


class SettlementParameters(Table):
    """How options settle; ages and feeds are the oracle's. Without a resolver nobody may propose."""

    resolver: Address | None = None
    base_max_age_s: Whole
    quote_max_age_s: Whole
    twap_window_s: Whole
    record_window_s: Whole
    max_deviation_bps: Whole
    dispute_window_s: Whole
    choice_delay_s: Whole


class Parameters(Table):
    """One deployment. `volatility` and `settlement` go together: with them the vault has an option desk."""

    chain_id: Annotated[Whole, Field(ge=1)]
    lens: Address | None = None
    vault: VaultParameters
    deposits: DepositParameters
    fees: FeeParameters
    roles: RoleParameters
    oracle: OracleParameters
    venues: VenueParameters
    limits: LimitParameters
    caps: CapParameters
    emergency: EmergencyParameters
    options: OptionParameters
    volatility: VolatilityParameters | None = None
    settlement: SettlementParameters | None = None

    @property
    def with_options(self) -> bool:
        """Whether the vault gets an option desk."""
        return self.volatility is not None

    @property
    def digest(self) -> str:
        """sha256 of the values, whatever the file's layout."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return "0x" + hashlib.sha256(text.encode()).hexdigest()


def parse(text: str, source: str) -> Parameters:
    """The file's values; ParametersError names every field that is missing, unknown or of the wrong kind."""
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ParametersError(source, (f"is not TOML: {error}",)) from None
    try:
        return Parameters.model_validate(content)
    except ValidationError as error:
        raise ParametersError(source, tuple(_problem(e) for e in error.errors())) from None


def _problem(error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"])
    kind = error["type"]
    if kind == "missing":
        return f"{field}: is missing"
    if kind == "extra_forbidden":
        return f"{field}: is not a parameter"
    if kind == "value_error":
        return f"{field}: {error['ctx']['error']}"
    text = str(error["msg"])
    return f"{field}: {text[:1].lower()}{text[1:]}"
