"""A run as frozen samples and marks: what charts, tables and summary are made from."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from keeper.model.units import MAX_UINT256, WAD, Raw, Wad


class Twin(StrEnum):
    """Which of the two vaults: the one with the keeper, or the one left alone."""

    PROTECTED = "protected"
    UNPROTECTED = "unprotected"


class MarkKind(StrEnum):
    """What kind of transaction a mark stands for."""

    DELEVERAGE = "deleverage"  # the keeper, protective lane
    REBALANCE = "rebalance"  # the keeper, routine lane
    UPKEEP = "upkeep"  # the keeper: a heartbeat, a settlement
    FAILED = "failed"  # a keeper transaction that was mined and reverted
    LIQUIDATION = "liquidation"  # a liquidator took collateral from a vault
    ORACLE = "oracle"  # the oracle published a price


KEEPER_KINDS = frozenset(
    {MarkKind.DELEVERAGE, MarkKind.REBALANCE, MarkKind.UPKEEP, MarkKind.FAILED}
)
"""The kinds sent by the keeper."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One mined transaction worth seeing."""

    kind: MarkKind
    twin: Twin | None
    """The vault it touched; None for the oracle."""
    block: int
    elapsed_s: int
    """Chain time since the first sample."""
    who: str
    what: str
    why: str
    gas_used: int
    gas_price_wei: int
    tx_hash: str

    @property
    def cost_wei(self) -> int:
        """Gas used times the price paid for it."""
        return self.gas_used * self.gas_price_wei


@dataclass(frozen=True, slots=True)
class TwinSample:
    """One vault at the end of one block; amounts in token units."""

    health_wad: Wad
    net_delta: Raw
    """Net base exposure, base units, signed."""
    nav: Raw | None
    """Asset units at oracle price; None while the oracle price is unusable."""
    collateral: Raw
    """Supplied value, asset units, at the price the venue uses."""
    debt: Raw
    """Debt value, asset units, at the price the venue uses."""
    liquidations: int
    """How many so far."""
    routine_loss_wad: int = 0
    """Charged to the mandate's routine loss bucket so far, parts of NAV, added up."""
    protective_loss_wad: int = 0
    """The same of the protective bucket."""

    @property
    def health(self) -> float | None:
        """Health as a number; None without debt, where nothing can be liquidated."""
        return None if self.health_wad >= MAX_UINT256 else self.health_wad / WAD


@dataclass(frozen=True, slots=True)
class BlockSample:
    """Both vaults and the prices at the end of one block. Prices: quote per whole base, display."""

    block: int
    timestamp: int
    elapsed_s: int
    market_price: float
    oracle_price: float
    pool_price: float
    base_fee_wei: int
    price_fault: str
    """Why the oracle price cannot be used; empty when it can."""
    protected: TwinSample
    unprotected: TwinSample

    def of(self, twin: Twin) -> TwinSample:
        """The sample of one vault."""
        return self.protected if twin is Twin.PROTECTED else self.unprotected


@dataclass(frozen=True, slots=True)
class Band:
    """Health levels of the strategy and the mandate, as numbers."""

    low: float
    target: float
    high: float
    minimum: float
    """The mandate's: no keeper action may end below it unless it raised health."""


@dataclass(frozen=True, slots=True)
class Story:
    """A whole run."""

    scenario: str
    seed: int
    command: str
    """How to see the same run again."""
    asset: str
    base: str
    asset_decimals: int
    base_decimals: int
    band: Band
    parameters: tuple[tuple[str, str], ...]
    """Name and value of what shaped the run, in the order to show."""
    samples: tuple[BlockSample, ...]
    marks: tuple[Mark, ...]
    period: str = ""
    """When it happened, for a path from history; empty for a generated one."""
    open_elapsed_s: int = 0
    """When both positions had been opened; samples before it do not count for health and NAV."""

    def after_opening(self) -> tuple[BlockSample, ...]:
        """Samples of the time in which both vaults had their position."""
        return tuple(s for s in self.samples if s.elapsed_s >= self.open_elapsed_s)

    def marks_of(self, twin: Twin, kinds: frozenset[MarkKind]) -> Iterator[Mark]:
        """Marks of one vault and some kinds, in order."""
        return (m for m in self.marks if m.twin is twin and m.kind in kinds)
