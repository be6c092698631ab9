"""Every setting of the keeper: name, unit, default, bounds and meaning."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from keeper.chain.urls import public_name, scheme_of
from keeper.config.objective import ObjectiveSettings
from keeper.config.outlook_settings import OutlookSettings
from keeper.model.address import checked_address

KNOWN_CHAINS = {
    1: "Ethereum",
    10: "OP Mainnet",
    137: "Polygon",
    8453: "Base",
    31337: "a local anvil",
    42161: "Arbitrum One",
    43114: "Avalanche",
    11155111: "Sepolia",
}
PASSWORD_ENV = "GIMBAL_KEYSTORE_PASSWORD"  # noqa: S105 - the name of a variable
PRIVATE_KEY_ENV = "GIMBAL_PRIVATE_KEY"
PROTECTIVE_PASSWORD_ENV = "GIMBAL_PROTECTIVE_PASSWORD"  # noqa: S105 - the name of a variable
PROTECTIVE_KEY_ENV = "GIMBAL_PROTECTIVE_PRIVATE_KEY"
RELAY_KEY_ENV = "GIMBAL_RELAY_KEY"
_VAULT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def _http(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return value


def _websocket(value: str) -> str:
    if not value.startswith(("ws://", "wss://")):
        raise ValueError("must start with ws:// or wss://")
    return value


def _endpoint_address(value: str) -> str:
    if not scheme_of(value):
        raise ValueError(
            "must start with http://, https://, ws:// or wss://, or be a path to a unix socket"
        )
    return value


def _timeouts(value: dict[str, float]) -> dict[str, float]:
    if any(not 0 < seconds <= 600 for seconds in value.values()):
        raise ValueError("must be from 0 to 600 s for every method")
    return value


EndpointUrl = Annotated[str, AfterValidator(_endpoint_address)]
Timeouts = Annotated[dict[str, float], AfterValidator(_timeouts)]


def _variable_name(value: str) -> str:
    """Not quoted when it is refused: a password may stand where its variable's name should."""
    if not _VARIABLE_NAME.fullmatch(value):
        raise ValueError("must be the name of an environment variable, in capitals, not its value")
    return value


def _vault_name(value: str) -> str:
    if not _VAULT_NAME.fullmatch(value):
        raise ValueError("must be up to 32 small letters, digits, - and _")
    return value


def _loopback(value: str) -> str:
    host, _, port = value.rpartition(":")
    if (
        host not in {"127.0.0.1", "localhost", "[::1]"}
        or not port.isdecimal()
        or int(port) > 65_535
    ):
        raise ValueError("must be 127.0.0.1:port: what is shown there is for this machine only")
    return value


Address = Annotated[str, AfterValidator(checked_address)]
AddressOrNone = Annotated[str, AfterValidator(lambda value: value and checked_address(value))]
"""Empty for none."""
HttpUrl = Annotated[str, AfterValidator(_http)]
LoopbackAddress = Annotated[str, AfterValidator(_loopback)]
VariableName = Annotated[str, AfterValidator(_variable_name)]
VaultName = Annotated[str, AfterValidator(_vault_name)]
WebsocketUrl = Annotated[str, AfterValidator(_websocket)]


def _setting(default: Any, meaning: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(default, description=meaning, json_schema_extra={"unit": unit}, **bounds)


class Section(BaseModel):
    """One table of the settings file."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StrategySettings(Section):
    """Which strategy, and its parameters."""

    name: str = _setting("collateral_guard", "entry point in group gimbal.strategies")
    parameters: dict[str, Any] = _setting(
        {}, "fields of the strategy's class; ratios such as health as decimals", unit="by name"
    )
    time_s: float = _setting(
        1.0, "time for one decision of a strategy from another package", unit="s", ge=0.01, le=10
    )
    memory_mb: int = _setting(
        4_096, "address space of a strategy from another package", unit="MB", ge=256, le=65_536
    )


class KeySettings(Section):
    """Where signatures come from. Never the key itself."""

    keystore: Path | None = _setting(None, "encrypted version 3 keystore of the keeper's account")
    password_file: Path | None = _setting(None, "file whose first line is the keystore's password")
    password_env: VariableName = _setting(
        PASSWORD_ENV, "environment variable with the keystore's password"
    )
    private_key_env: VariableName = _setting(
        PRIVATE_KEY_ENV,
        "environment variable with a private key, used when nothing else is named",
    )
    address: Address | None = _setting(
        None, "keeper's account: for dry runs and status without key, and of a remote signer"
    )
    kms_key_id: str | None = _setting(None, "AWS KMS key (ECC_SECG_P256K1): its id, ARN or alias")
    kms_region: str | None = _setting(None, "AWS region; as boto3 finds it without")
    kms_endpoint_url: HttpUrl | None = _setting(None, "another address of KMS", unit="http(s) URL")
    remote_url: HttpUrl | None = _setting(
        None, "JSON-RPC signer that holds the key", unit="http(s) URL"
    )
    remote_style: Literal["web3signer", "clef"] = _setting(
        "web3signer",
        "what the remote signer speaks: eth_signTransaction or account_signTransaction",
    )
    signer_timeout_s: float = _setting(
        3.0, "patience with a remote signer or KMS for one signature", unit="s", gt=0, le=30
    )

    @model_validator(mode="after")
    def _one_signer(self) -> "KeySettings":
        places = ("keystore", "kms_key_id", "remote_url")
        named = [name for name in places if getattr(self, name) is not None]
        if len(named) > 1:
            raise ValueError(f"names several signers ({', '.join(named)}): keep one")
        return self


class ProtectiveKeySettings(KeySettings):
    """Second account, for protection alone: the same forms as `[key]`. Without one both lanes share an account."""

    password_env: VariableName = _setting(
        PROTECTIVE_PASSWORD_ENV, "environment variable with the keystore's password"
    )
    private_key_env: VariableName = _setting(
        PROTECTIVE_KEY_ENV,
        "environment variable with a private key, used when nothing else is named",
    )


class MarketSettings(Section):
    """When readings may be believed."""

    max_feed_age_s: int = _setting(4_500, "greatest age of an oracle answer", unit="s", gt=0)
    max_deviation_bps: int = _setting(
        300,
        "greatest difference between oracle and time-weighted price",
        unit="bps",
        gt=0,
        le=5_000,
    )
    max_spot_deviation_bps: int = _setting(
        300, "greatest difference between oracle and spot price", unit="bps", gt=0, le=5_000
    )


class PlanningSettings(Section):
    """How a target becomes moves."""

    slippage_bps: int = _setting(
        50, "slippage of a swap on top of fee and impact", unit="bps", ge=0, le=1_000
    )
    min_trade: Decimal = _setting(Decimal(100), "smallest change worth making", unit="asset", ge=0)
    max_swap: Decimal = _setting(
        Decimal(500_000), "largest single swap; the rest follows on later ticks", unit="asset", gt=0
    )
    idle_reserve: Decimal = _setting(
        Decimal(0), "idle asset that routine moves leave alone", unit="asset", ge=0
    )
    loss_margin_bps: int = _setting(
        50,
        "intent's maximum loss over the expected loss",
        unit="bps of traded value",
        ge=0,
        le=1_000,
    )


class GuardSettings(Section):
    """The keeper's own limits."""

    max_routine_base_fee_gwei: Decimal = _setting(
        Decimal(100), "routine plans wait above this base fee", unit="gwei", gt=0
    )
    max_loss_bps: int = _setting(100, "NAV loss of one plan", unit="bps of NAV", gt=0, le=2_000)
    min_keeper_balance_eth: Decimal = _setting(
        Decimal("0.02"), "routine plans stop below this balance", unit="ETH", ge=0
    )


class UpkeepSettings(Section):
    """Work that is due whatever the strategy wants."""

    beat_after_bps: int = _setting(
        5_000,
        "part of the mandate's silence after which the heart is beaten, if no rebalance has",
        unit="bps",
        gt=0,
        le=9_000,
    )
    settle: bool = _setting(True, "settle an epoch that is over and that somebody waits for")


class RiskSettings(Section):
    """What risk is measured with, and who else may object."""

    volatility: float | None = _setting(
        None,
        "forecast for base; without it nothing that needs one is measured",
        unit="a year, 0.65 is 65 %",
        gt=0,
        le=10,
    )
    block_time_s: float = _setting(12.0, "time between blocks", unit="s", gt=0, le=600)
    oracle_latency_s: float = _setting(
        30.0, "from a move of the market to the oracle's answer", unit="s", ge=0, le=86_400
    )
    calm_base_fee_gwei: Decimal = _setting(
        Decimal(20), "base fee above which inclusion counts as slower", unit="gwei", gt=0
    )
    modules: tuple[str, ...] = _setting(
        (), "third-party modules that may veto routine plans", unit="entry points in gimbal.risk"
    )
    module_time_s: float = _setting(
        0.25, "time for all modules' answers on a routine plan together", unit="s", ge=0.01, le=2
    )
    silent_module_refuses: bool = _setting(
        True, "a module without a usable answer counts as a veto of routine plans"
    )


class TickSettings(Section):
    """The pace of the loop."""

    poll_interval_s: float = _setting(
        2.0, "shortest time between two requests for the head", unit="s", ge=0.05, le=60
    )
    deadline_s: int = _setting(120, "life of an intent after its block", unit="s", ge=12, le=3_600)
    max_head_age_s: int = _setting(180, "an older head is not decided on", unit="s", ge=12)
    max_head_ahead_s: int = _setting(
        60, "nor one further ahead of the clock (simulated chains need more)", unit="s", ge=1
    )
    cooldown_blocks: int = _setting(
        2, "pause of routine plans after a failed simulation", unit="blocks", ge=0, le=300
    )
    max_reverts: int = _setting(
        3, "mined reverts in a row that open the breaker", unit="count", ge=1
    )
    breaker_blocks: int = _setting(
        100, "pause of routine plans while the breaker is open", unit="blocks", ge=1
    )
    stop_patience_s: float = _setting(
        30.0, "how long a stop waits for what is in flight", unit="s", ge=0, le=600
    )


class GasSettings(Section):
    """What a transaction may pay."""

    max_fee_gwei: Decimal = _setting(
        Decimal(200),
        "ceiling of a routine transaction's max fee; a protective one may cost what lateness would",
        unit="gwei",
        gt=0,
    )
    tip_gwei: Decimal = _setting(Decimal(1), "routine priority fee", unit="gwei", ge=0)
    protective_tip_gwei: Decimal = _setting(
        Decimal(3), "protective priority fee", unit="gwei", ge=0
    )
    bump_bps: int = _setting(
        1_250, "rise of tip and max fee of a replacement", unit="bps", ge=1_250, le=10_000
    )
    limit_margin_bps: int = _setting(
        2_500, "gas limit over the estimate", unit="bps", ge=500, le=20_000
    )
    cap_floor_gwei: Decimal = _setting(
        Decimal(1), "least max fee of a first attempt, whatever the base fee", unit="gwei", ge=0
    )


class LanesSettings(Section):
    """How sure and how dear protection is, and the gas money of the accounts."""

    inclusion_probability: float = _setting(
        0.99,
        "probability with which protection is in by its deadline",
        unit="fraction",
        gt=0.5,
        lt=1,
    )
    block_time_s: float = _setting(12.0, "time between blocks", unit="s", ge=0.1, le=60)
    volatility: float = _setting(
        1.5, "volatility that lateness is valued with, a year", unit="fraction", gt=0, le=10
    )
    late_s: float = _setting(
        86_400.0, "how late protection may come in a crash", unit="s", ge=60, le=604_800
    )
    native_price: Decimal | None = _setting(
        None, "price of the coin that pays gas; the base token's without", unit="asset", gt=0
    )
    protective_floor: int = _setting(
        3, "protective transactions payable at 10x the base fee, or an alert", unit="count", ge=0
    )
    routine_floor_eth: Decimal = _setting(
        Decimal("0.02"), "least balance of the routine account, or an alert", unit="ETH", ge=0
    )
    gas_of_protection: int = _setting(
        1_000_000, "gas of a protective transaction, for the floor", unit="gas", ge=21_000
    )


class RelaySettings(Section):
    """A private relay (Flashbots style); without `url` everything is broadcast."""

    url: HttpUrl | None = _setting(None, "JSON-RPC address of the relay", unit="http(s) URL")
    authentication_key_env: VariableName = _setting(
        RELAY_KEY_ENV, "environment variable with the relay's authentication key, never an account"
    )
    method: Literal["transaction", "bundle"] = _setting(
        "transaction", "eth_sendPrivateTransaction or eth_sendBundle"
    )
    lanes: tuple[Literal["routine", "protective"], ...] = _setting(
        ("routine", "protective"), "lanes that go to the relay first"
    )
    public_after_blocks: int = _setting(
        3, "blocks until an intent is broadcast to everybody", unit="blocks", ge=1, le=100
    )
    timeout_s: float = _setting(2.0, "patience with the relay", unit="s", gt=0, le=30)


class EndpointSettings(Section):
    """One `[[endpoints]]` entry. With several, what is decided on is agreed by `agreement.k` of them."""

    url: EndpointUrl = _setting(..., "address", unit="http(s), ws(s) URL or path")
    name: str = _setting("", "for logs; by default scheme, host and port", max_length=64)
    ws_url: WebsocketUrl | None = _setting(
        None, "where it announces heads, if not at url itself", unit="ws(s) URL"
    )
    role: Literal["read", "write", "both"] = _setting("both", "used for reading, sending, or both")
    weight: float = _setting(
        1.0, "of equally good ones that of the greatest weight is asked", gt=0, le=1_000
    )
    requests_per_second: float | None = _setting(
        None, "budget; a batch counts each call", unit="1/s", gt=0
    )
    requests_per_day: float | None = _setting(
        None, "budget; a batch counts each call", unit="1/d", gt=0
    )


class AgreementSettings(Section):
    """When endpoints agree (K-02, K-08)."""

    k: int | None = _setting(
        None, "endpoints that must give the same answer; by default the majority", ge=1
    )
    reorganisation_depth: int = _setting(
        64, "a reorganisation deeper than this stops the keeper", unit="blocks", ge=1, le=1_024
    )


class FollowSettings(Section):
    """Patience with what is in flight."""

    bump_after_blocks: int = _setting(
        2, "blocks until a fee is raised", unit="blocks", ge=1, le=100
    )
    drop_after_blocks: int = _setting(
        4, "blocks a used nonce without a receipt of ours is borne", unit="blocks", ge=1, le=100
    )
    confirm_blocks: int = _setting(
        3, "depth of a confirmed transaction", unit="blocks", ge=1, le=1_000
    )
    finality_blocks: int = _setting(
        64, "depth of a final one, where no endpoint knows", unit="blocks", ge=1, le=100_000
    )


class VaultSettings(Section):
    """One `[[vaults]]` entry: what is said here takes the place of the same in the shared tables."""

    name: VaultName = _setting(
        ..., "for orders, logs and metrics", unit="small letters, digits, - and _"
    )
    vault: Address = _setting(..., "the vault to keep", unit="address")
    lens: Address | None = _setting(None, "its VaultLens; the shared one without", unit="address")
    strategy: StrategySettings | None = None
    key: KeySettings | None = None
    protective_key: ProtectiveKeySettings | None = None
    market: MarketSettings = Field(default_factory=MarketSettings)
    planning: PlanningSettings = Field(default_factory=PlanningSettings)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    upkeep: UpkeepSettings = Field(default_factory=UpkeepSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)


_SHARED = ("market", "planning", "guard", "upkeep", "risk")
"""Tables of which an entry overrides single settings."""
_WHOLE = ("strategy", "key", "protective_key")
"""Tables that an entry has whole or not at all."""


def _database(value: SecretStr | None) -> SecretStr | None:
    if value is None:
        return None
    from keeper.journal.source import database_url

    database_url(value.get_secret_value())
    return value


class JournalSettings(Section):
    """The durable record."""

    path: Path = _setting(
        Path("keeper-journal.sqlite"), "SQLite file; relative to the settings file", unit="path"
    )
    url: Annotated[SecretStr | None, AfterValidator(_database)] = _setting(
        None,
        "PostgreSQL database in place of the file; its password is better left to ~/.pgpass",
        unit="postgresql URL",
    )


class LeadershipSettings(Section):
    """Which of two keepers of one vault acts."""

    mode: Literal["alone", "lease", "postgres"] = _setting(
        "alone", "alone; or a second keeper stands by, agreed on by a file or by PostgreSQL"
    )
    lease: Path = _setting(
        Path("keeper-lease.json"), "file both keepers reach; relative to the settings file"
    )
    url: Annotated[SecretStr | None, AfterValidator(_database)] = _setting(
        None, "database of the lock; journal.url without it", unit="postgresql URL"
    )
    ttl_s: float = _setting(
        4.0, "life of leadership without renewal; a standby waits 1.25 of it", unit="s", ge=1, le=6
    )


class OpsSettings(Section):
    """Switches, requests, and what is shown to machines."""

    control: Path = _setting(
        Path("keeper-control"),
        "directory of kill switch, pauses and requests; relative to the settings file",
    )
    listen: LoopbackAddress | None = _setting(
        None, "address of /live, /ready and /metrics; none without it", unit="127.0.0.1:port"
    )
    ready_head_age_s: int = _setting(
        180, "not ready when the newest decided head is older", unit="s", ge=12, le=86_400
    )


class LogSettings(Section):
    """Log on standard error."""

    format: Literal["console", "json"] = _setting("console", "for people or for machines")
    level: Literal["debug", "info", "warning", "error"] = _setting("info", "least severity shown")


class Settings(BaseSettings):
    """The whole: a TOML file, overridden by GIMBAL_ variables (`__` between table and name)."""

    model_config = SettingsConfigDict(
        env_prefix="GIMBAL_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    chain_id: int = _setting(..., "chain the endpoint must serve", unit="id", gt=0)
    allow_unknown_chain: bool = _setting(False, "accept a chain id this keeper does not know")
    endpoints: tuple[EndpointSettings, ...] = _setting(
        (), "[[endpoints]] tables, instead of rpc_url, for several endpoints or their options"
    )
    rpc_url: HttpUrl | None = _setting(
        None,
        "JSON-RPC endpoint: required without [[endpoints]]",
        unit="http(s) URL",
        validate_default=True,
    )
    ws_url: WebsocketUrl | None = _setting(
        None, "endpoint for new heads; polling without it", unit="ws(s) URL"
    )
    rpc_timeout_s: float = _setting(10.0, "patience with one request", unit="s", gt=0, le=120)
    rpc_timeouts_s: Timeouts = _setting(
        {}, "patience by method, where another is right than rpc_timeout_s", unit="s by method"
    )
    vaults: tuple[VaultSettings, ...] = _setting(
        (), "[[vaults]] tables, instead of vault, for several vaults in one keeper"
    )
    name: VaultName | Literal[""] = _setting(
        "", "of the one vault, for orders, logs and metrics; its address without"
    )
    vault: AddressOrNone = _setting(
        "",
        "the vault to keep: required without [[vaults]]",
        unit="address",
        validate_default=True,
    )
    lens: AddressOrNone = _setting(
        "",
        "its VaultLens, and that of [[vaults]] without one of their own",
        unit="address",
        validate_default=True,
    )
    agreement: AgreementSettings = Field(default_factory=AgreementSettings)
    strategy: StrategySettings = Field(default_factory=StrategySettings)
    objective: ObjectiveSettings = Field(default_factory=ObjectiveSettings)
    outlook: OutlookSettings = Field(default_factory=OutlookSettings)
    key: KeySettings = Field(default_factory=KeySettings)
    protective_key: ProtectiveKeySettings = Field(default_factory=ProtectiveKeySettings)
    lanes: LanesSettings = Field(default_factory=LanesSettings)
    relay: RelaySettings = Field(default_factory=RelaySettings)
    market: MarketSettings = Field(default_factory=MarketSettings)
    planning: PlanningSettings = Field(default_factory=PlanningSettings)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    upkeep: UpkeepSettings = Field(default_factory=UpkeepSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)
    tick: TickSettings = Field(default_factory=TickSettings)
    gas: GasSettings = Field(default_factory=GasSettings)
    follow: FollowSettings = Field(default_factory=FollowSettings)
    journal: JournalSettings = Field(default_factory=JournalSettings)
    leadership: LeadershipSettings = Field(default_factory=LeadershipSettings)
    ops: OpsSettings = Field(default_factory=OpsSettings)
    log: LogSettings = Field(default_factory=LogSettings)

    @field_validator("endpoints")
    @classmethod
    def _distinct(cls, value: tuple[EndpointSettings, ...]) -> tuple[EndpointSettings, ...]:
        names = [e.name or public_name(e.url) for e in value]
        if len(set(names)) < len(names):
            raise ValueError("must have different names (by default scheme, host and port)")
        if value and all(e.role == "write" for e in value):
            raise ValueError("must have one that reads")
        if value and all(e.role == "read" for e in value):
            raise ValueError("must have one that writes")
        return value

    @field_validator("rpc_url")
    @classmethod
    def _one_way(cls, value: str | None, info: ValidationInfo) -> str | None:
        # endpoints with a fault of their own are not in data: that fault is enough
        given = info.data.get("endpoints", ("faulty",))
        if value is None and not given:
            raise ValueError("is missing")
        if value is not None and info.data.get("endpoints"):
            raise ValueError("must not be set beside [[endpoints]]")
        return value

    @field_validator("vaults")
    @classmethod
    def _different(cls, value: tuple[VaultSettings, ...]) -> tuple[VaultSettings, ...]:
        for what, found in (
            ("names", [e.name for e in value]),
            ("addresses", [e.vault for e in value]),
        ):
            twice = [each for each in dict.fromkeys(found) if found.count(each) > 1]
            if twice:
                raise ValueError(f"must have different {what}: {', '.join(twice)} is there twice")
        return value

    @field_validator("name", "vault")
    @classmethod
    def _one_or_several(cls, value: str, info: ValidationInfo) -> str:
        # vaults with a fault of their own are not in data: that fault is enough
        several = info.data.get("vaults", ("faulty",))
        if not value and not several and info.field_name == "vault":
            raise ValueError("is missing")
        if value and several:
            raise ValueError("must not be set beside [[vaults]]")
        return value

    @field_validator("lens")
    @classmethod
    def _somewhere(cls, value: str, info: ValidationInfo) -> str:
        entries = info.data.get("vaults", ("faulty",))
        lacking = [e.name for e in entries if isinstance(e, VaultSettings) and e.lens is None]
        if not value and not entries:
            raise ValueError("is missing")
        if not value and lacking:
            raise ValueError(f"is missing, and [[vaults]] {', '.join(lacking)} has none of its own")
        return value

    @field_validator("agreement")
    @classmethod
    def _attainable(cls, value: AgreementSettings, info: ValidationInfo) -> AgreementSettings:
        readers = sum(e.role != "write" for e in info.data.get("endpoints", ())) or 1
        if value.k is not None and value.k > readers:
            raise ValueError(f"k must be at most the number of endpoints that read, {readers}")
        return value

    def nodes(self) -> tuple[EndpointSettings, ...]:
        """The endpoints, however they were set."""
        if self.endpoints:
            return self.endpoints
        return (EndpointSettings(url=self.rpc_url or "", ws_url=self.ws_url),)

    def each(self) -> tuple["Settings", ...]:
        """Settings of every vault by itself, as if it were the only one: its own over the shared ones."""
        if not self.vaults:
            return (self,)
        return tuple(self._of(entry) for entry in self.vaults)

    @property
    def label(self) -> str:
        """What the one vault is called: its name, or its address."""
        return self.name or self.vault

    def key_places(self) -> tuple[KeySettings, ...]:
        """Every place where a key may come from."""
        own = [k for e in self.vaults for k in (e.key, e.protective_key) if k is not None]
        return (self.key, self.protective_key, *own)

    def _of(self, entry: VaultSettings) -> "Settings":
        changed: dict[str, Any] = {
            "vaults": (),
            "name": entry.name,
            "vault": entry.vault,
            "lens": entry.lens or self.lens,
        }
        for name in _WHOLE:
            changed[name] = getattr(entry, name) or getattr(self, name)
        for name in _SHARED:
            own = getattr(entry, name)
            said = {field: getattr(own, field) for field in own.model_fields_set}
            changed[name] = getattr(self, name).model_copy(update=said)
        return self.model_copy(update=changed)

    def addresses(self) -> tuple[str, ...]:
        """Every address an endpoint has; each may hold secrets."""
        return tuple(u for node in self.nodes() for u in (node.url, node.ws_url) if u)

    @model_validator(mode="after")
    def _known_chain(self) -> "Settings":
        if self.chain_id not in KNOWN_CHAINS and not self.allow_unknown_chain:
            known = ", ".join(f"{i} ({name})" for i, name in sorted(KNOWN_CHAINS.items()))
            raise ValueError(f"chain_id: {self.chain_id} is unknown; known are {known}")
        return self
