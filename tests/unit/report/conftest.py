"""A small story with everything in it: a fall, a rescue, a liquidation, an unusable price."""

from collections.abc import Callable

import pytest

from keeper.model.units import WAD, Raw, Wad
from keeper.report.story import Band, BlockSample, Mark, MarkKind, Story, Twin, TwinSample

BLOCKS = 20


def _twin(
    health: float, nav: int | None, liquidations: int = 0, charged: tuple[int, int] = (0, 0)
) -> TwinSample:
    return TwinSample(
        health_wad=Wad(round(health * WAD)),
        net_delta=Raw(25 * WAD),
        nav=None if nav is None else Raw(nav),
        collateral=Raw(150_000 * 10**6),
        debt=Raw(80_000 * 10**6),
        liquidations=liquidations,
        routine_loss_wad=charged[0],
        protective_loss_wad=charged[1],
    )


def _sample(i: int) -> BlockSample:
    price = 3000.0 - 40 * i
    unusable = i in (7, 8)
    nav = None if unusable else (100_000 - 900 * i) * 10**6
    return BlockSample(
        block=500 + i,
        timestamp=1_700_000_000 + 12 * i,
        elapsed_s=12 * i,
        market_price=price,
        oracle_price=price + 5,
        pool_price=price - 1,
        base_fee_wei=10**10,
        price_fault="stale" if unusable else "",
        protected=_twin(
            max(1.3, 1.5 - 0.02 * i), nav, charged=(10**15 if i >= 12 else 0, i * 10**14)
        ),
        unprotected=_twin(1.5 - 0.03 * i, nav, liquidations=int(i >= 18)),
    )


def _marks() -> tuple[Mark, ...]:
    def mark(kind: MarkKind, twin: Twin | None, i: int, why: str = "because") -> Mark:
        return Mark(
            kind, twin, 500 + i, 12 * i, kind.value, "what", why, 200_000, 10**10, f"0x{i:064x}"
        )

    return (
        mark(MarkKind.ORACLE, None, 3),
        mark(MarkKind.DELEVERAGE, Twin.PROTECTED, 9, "health 1.31 < low <1.40> & falling"),
        mark(MarkKind.REBALANCE, Twin.PROTECTED, 12),
        mark(MarkKind.FAILED, Twin.PROTECTED, 13),
        mark(MarkKind.UPKEEP, Twin.PROTECTED, 14),
        mark(MarkKind.LIQUIDATION, Twin.UNPROTECTED, 18),
    )


@pytest.fixture
def make_story() -> Callable[..., Story]:
    """`make_story(marks=..., open_elapsed_s=...)`: a story, with what the test is about replaced."""

    def build(marks: tuple[Mark, ...] | None = None, open_elapsed_s: int = 0) -> Story:
        return Story(
            scenario="crash",
            seed=7,
            command="keeper demo --scenario crash --seed 7",
            asset="USDC",
            base="WETH",
            asset_decimals=6,
            base_decimals=18,
            band=Band(low=1.4, target=1.5, high=1.8, minimum=1.2),
            parameters=(("start health", "1.500"), ("deposit", "100,000 USDC")),
            samples=tuple(_sample(i) for i in range(BLOCKS)),
            marks=_marks() if marks is None else marks,
            open_elapsed_s=open_elapsed_s,
        )

    return build
