"""Every setting of the keeper: one model of all tables, and what holds between them."""

from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from keeper.chain.urls import public_name
from keeper.config.deciding import (
    GuardSettings,
    MarketSettings,
    OptionSettings,
    PlanningSettings,
    RiskSettings,
    StrategySettings,
    UpkeepSettings,
)
from keeper.config.fields import (
    Address,
    AddressOrNone,
    HttpUrl,
    Section,
    Timeouts,
    VaultName,
    WebsocketUrl,
    setting,
)
from keeper.config.objective import ObjectiveSettings
from keeper.config.outlook_settings import OutlookSettings
from keeper.config.running import (
    AgreementSettings,
    EndpointSettings,
    JournalSettings,
    LeadershipSettings,
    LogSettings,
    OpsSettings,
    TickSettings,
)
from keeper.config.sending import (
    FollowSettings,
    GasSettings,
    KeySettings,
    LanesSettings,
    ProtectiveKeySettings,
    RelaySettings,
)

__all__ = [
    "EndpointSettings",
    "JournalSettings",
    "KeySettings",
    "LeadershipSettings",
    "OpsSettings",
    "Settings",
]

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


class VaultSettings(Section):
    """One `[[vaults]]` entry: what is said here takes the place of the same in the shared tables."""

    name: VaultName = setting(
        ..., "for orders, logs and metrics", unit="small letters, digits, - and _"
    )
    vault: Address = setting(..., "the vault to keep", unit="address")
    lens: Address | None = setting(None, "its VaultLens; the shared one without", unit="address")
    strategy: StrategySettings | None = None
    key: KeySettings | None = None
    protective_key: ProtectiveKeySettings | None = None
    market: MarketSettings = Field(default_factory=MarketSettings)
    planning: PlanningSettings = Field(default_factory=PlanningSettings)
    options: OptionSettings = Field(default_factory=OptionSettings)
    guard: GuardSettings = Field(default_factory=GuardSettings)
    upkeep: UpkeepSettings = Field(default_factory=UpkeepSettings)
    risk: RiskSettings = Field(default_factory=RiskSettings)


_SHARED = ("market", "planning", "options", "guard", "upkeep", "risk")
"""Tables of which an entry overrides single settings."""
_WHOLE = ("strategy", "key", "protective_key")
"""Tables that an entry has whole or not at all."""


class Settings(BaseSettings):
    """The whole: a TOML file, overridden by GIMBAL_ variables (`__` between table and name)."""

    model_config = SettingsConfigDict(
        env_prefix="GIMBAL_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    chain_id: int = setting(..., "chain the endpoint must serve", unit="id", gt=0)
    allow_unknown_chain: bool = setting(False, "accept a chain id this keeper does not know")
    endpoints: tuple[EndpointSettings, ...] = setting(
        (), "[[endpoints]] tables, instead of rpc_url, for several endpoints or their options"
    )
    rpc_url: HttpUrl | None = setting(
        None,
        "JSON-RPC endpoint: required without [[endpoints]]",
        unit="http(s) URL",
        validate_default=True,
    )
    ws_url: WebsocketUrl | None = setting(
        None, "endpoint for new heads; polling without it", unit="ws(s) URL"
    )
    rpc_timeout_s: float = setting(10.0, "patience with one request", unit="s", gt=0, le=120)
    rpc_timeouts_s: Timeouts = setting(
        {}, "patience by method, where another is right than rpc_timeout_s", unit="s by method"
    )
    vaults: tuple[VaultSettings, ...] = setting(
        (), "[[vaults]] tables, instead of vault, for several vaults in one keeper"
    )
    name: VaultName | Literal[""] = setting(
        "", "of the one vault, for orders, logs and metrics; its address without"
    )
    vault: AddressOrNone = setting(
        "",
        "the vault to keep: required without [[vaults]]",
        unit="address",
        validate_default=True,
    )
    lens: AddressOrNone = setting(
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
    options: OptionSettings = Field(default_factory=OptionSettings)
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
