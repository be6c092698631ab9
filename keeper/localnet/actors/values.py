"""What actors see and what they answer: values only. The driver reads the chain for them and sends for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keeper.model.units import Raw, Wad, Wei


@dataclass(frozen=True, slots=True)
class Tick:
    """The block about to be made, as the outside world knows it."""

    index: int
    """Of the block on the price path."""
    timestamp: int
    """Unix seconds the block will carry."""
    market_price: float
    """USD per ETH on the market now."""
    oracle_online: bool


@dataclass(frozen=True, slots=True)
class Round:
    """Newest round of one feed: answer with 8 decimals."""

    number: int
    answer: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an account can spend, raw."""

    weth: Raw
    usdc: Raw


@dataclass(frozen=True, slots=True)
class Debtor:
    """An account that owes at the lending venue; amounts raw, health as the venue computes it."""

    account: str
    health_wad: Wad
    threshold_bps: int
    """Liquidation threshold, averaged over its collateral."""
    supplied: Holdings
    owed: Holdings


@dataclass(frozen=True, slots=True)
class Sight:
    """The newest block as every actor sees it: the same information the keeper has."""

    number: int
    block_hash: str
    timestamp: int
    base_fee_wei: Wei
    pool_sqrt_price_x96: int
    eth_usd: Round
    usdc_usd: Round
    holdings: dict[str, Holdings]
    """By account."""
    debtors: tuple[Debtor, ...]
    nonces: dict[str, int]
    """By account: the next to use."""


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction an actor wants in the next block."""

    sender: str
    to: str
    data: str
    """0x-prefixed calldata."""
    gas: int
    tip_wei: Wei
    """Priority fee; the fee cap is twice the newest base fee and this, as wallets have it."""


class Actor(Protocol):
    """One inhabitant. A pure function of what it sees; equal sights give equal orders."""

    @property
    def name(self) -> str:
        """For records."""
        ...

    def act(self, sight: Sight, tick: Tick) -> Sequence[Order]:
        """What to send for the next block."""
        ...
