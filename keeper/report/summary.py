"""What came of a run, in the few numbers that decide whether it went well."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from keeper.model.units import BPS, WAD
from keeper.report.story import KEEPER_KINDS, MarkKind, Story, Twin

UNITS = {
    "nav_start, nav_end": "raw units of nav_asset, with nav_decimals decimals",
    "min_health": "ratio; below 1 anyone may liquidate",
    "price_*, market_low": "USDC per WETH",
    "routine_loss_bps, protective_loss_bps": "1e-4 of NAV, as the mandate charged them, added up",
    "gas_spent_wei": "wei",
    "gas_value": "USDC",
    "wall_s": "seconds of wall time",
    "simulated_s": "seconds of chain time",
}


@dataclass(frozen=True, slots=True)
class TwinResult:
    """One vault over the whole run.

    min_health: lowest health at the end of any block after opening (None if it never had debt).
    nav_start, nav_end: asset token units (USDC: 1e-6) at the oracle price of the first and last
    block in which that price was usable.
    gas_spent_wei: gas used times effective gas price over all of the keeper's transactions.
    routine_loss_bps, protective_loss_bps: what rebalances lost, by the bucket of the mandate it was
    charged to, each loss as a part of the NAV before it.
    """

    liquidations: int
    min_health: float | None
    nav_start: int
    nav_end: int
    keeper_txs: int
    gas_spent_wei: int
    routine_loss_bps: float = 0.0
    protective_loss_bps: float = 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """The whole run: what `summary.json` holds."""

    protected: TwinResult
    unprotected: TwinResult
    blocks: int
    price_low: float
    """Lowest oracle price seen, quote per whole base."""
    wall_s: float
    """Wall time of the simulated blocks, set-up not included."""
    scenario: str
    seed: int
    price_start: float
    price_end: float
    market_low: float
    """Lowest market price seen."""
    simulated_s: int
    """Chain time between the first and the last block."""
    nav_decimals: int
    nav_asset: str
    keeper_txs_failed: int
    """Of the keeper's transactions, how many were mined and reverted."""
    gas_value: float
    """What the keeper paid for gas, in whole units of the asset at the market price of each block."""
    command: str
    units: Mapping[str, str] = field(default_factory=lambda: dict(UNITS))
    """Of the figures above, for whoever reads the file alone."""

    @property
    def saved(self) -> bool:
        """True if the vault with the keeper was never liquidated."""
        return self.protected.liquidations == 0

    def to_json(self) -> str:
        """As stable, indented JSON with a newline at the end."""
        return json.dumps(asdict(self), indent=2, allow_nan=False) + "\n"


def summarise(story: Story, wall_s: float) -> Summary:
    """Count a run. Everything comes from its samples and marks."""
    samples = story.samples
    if not samples:
        raise ValueError("a run without a single block has no summary")
    return Summary(
        protected=_result(story, Twin.PROTECTED),
        unprotected=_result(story, Twin.UNPROTECTED),
        blocks=len(samples),
        price_low=round(min(s.oracle_price for s in samples), 8),
        wall_s=round(wall_s, 2),
        scenario=story.scenario,
        seed=story.seed,
        price_start=round(samples[0].market_price, 8),
        price_end=round(samples[-1].market_price, 8),
        market_low=round(min(s.market_price for s in samples), 8),
        simulated_s=samples[-1].timestamp - samples[0].timestamp,
        nav_decimals=story.asset_decimals,
        nav_asset=story.asset,
        keeper_txs_failed=sum(m.kind is MarkKind.FAILED for m in story.marks),
        gas_value=round(_gas_value(story), 2),
        command=story.command,
    )


def _gas_value(story: Story) -> float:
    prices = {s.block: s.market_price for s in story.samples}
    sent = (m for m in story.marks if m.kind in KEEPER_KINDS)
    return sum(m.cost_wei / 10**18 * prices.get(m.block, 0.0) for m in sent)


def _result(story: Story, twin: Twin) -> TwinResult:
    opened = [s.of(twin) for s in story.after_opening()]
    healths = [h for s in opened if (h := s.health) is not None]
    navs = [s.nav for s in opened if s.nav is not None]
    sent = list(story.marks_of(twin, KEEPER_KINDS))
    return TwinResult(
        liquidations=sum(1 for _ in story.marks_of(twin, frozenset({MarkKind.LIQUIDATION}))),
        min_health=round(min(healths), 6) if healths else None,
        nav_start=navs[0] if navs else 0,
        nav_end=navs[-1] if navs else 0,
        keeper_txs=len(sent),
        gas_spent_wei=sum(m.cost_wei for m in sent),
        routine_loss_bps=_bps(opened[-1].routine_loss_wad - opened[0].routine_loss_wad),
        protective_loss_bps=_bps(opened[-1].protective_loss_wad - opened[0].protective_loss_wad),
    )


def _bps(part_wad: int) -> float:
    return round(part_wad * BPS / WAD, 2)
