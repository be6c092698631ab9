"""What a log and a person read: progress, every action, one line for a lasting trouble, the verdict."""

import io

import pytest
from rich.console import Console

from keeper.demo.display import Plain, verdict
from keeper.demo.observe import Observation
from keeper.model.outcome import TickOutcome, TickStatus
from keeper.model.units import INFINITE_HEALTH, WAD, Raw, Wad
from keeper.report.story import BlockSample, Mark, MarkKind, Twin, TwinSample
from keeper.report.summary import Summary, TwinResult

HELD = TickOutcome(1, TickStatus.HELD, "inside")
REFUSED = TickOutcome(1, TickStatus.REFUSED, "base-fee: 120 gwei")


def make_sample(*, fault: str = "", health: int = 3 * WAD // 2) -> BlockSample:
    twin = TwinSample(Wad(health), Raw(WAD), Raw(10**6), Raw(0), Raw(0), 0)
    return BlockSample(7, 84, 84, 2_000.0, 1_999.0, 2_001.0, 10**10, fault, twin, twin)


def make_summary(kept: int, alone: int) -> Summary:
    def result(count: int) -> TwinResult:
        return TwinResult(count, 1.2, 10**6, 10**6, 0, 0)

    return Summary(
        protected=result(kept),
        unprotected=result(alone),
        blocks=1,
        price_low=1.0,
        wall_s=1.0,
        scenario="crash",
        seed=1,
        price_start=1.0,
        price_end=1.0,
        market_low=1.0,
        simulated_s=12,
        nav_decimals=6,
        nav_asset="USDC",
        keeper_txs_failed=0,
        gas_value=0.0,
        command="keeper demo",
    )


def shown(blocks: list[tuple[Observation, TickOutcome]]) -> list[str]:
    text = io.StringIO()
    plain = Plain(Console(file=text, width=200))
    with plain.blocks(len(blocks)):
        for seen, outcome in blocks:
            plain.block(seen, outcome)
    return text.getvalue().splitlines()


def test_progress_comes_every_few_per_cent_and_at_the_end() -> None:
    lines = shown([(Observation(make_sample(), ()), HELD)] * 200)
    assert 18 <= len(lines) <= 22
    assert lines[-1].startswith("   100 %")
    assert lines[-1].endswith("delta 1.00 and 1.00 WETH")
    assert "\x1b" not in "".join(lines)


def test_every_action_on_a_vault_is_a_line_and_oracle_updates_are_not() -> None:
    def mark(kind: MarkKind, twin: Twin | None) -> Mark:
        return Mark(kind, twin, 7, 84, "who", f"did {kind}", "why", 1, 1, "0x1")

    marks = (mark(MarkKind.LIQUIDATION, Twin.UNPROTECTED), mark(MarkKind.ORACLE, None))
    text = "\n".join(shown([(Observation(make_sample(), marks), HELD)]))
    assert "left alone: who: did liquidation (why)" in text
    assert "did oracle" not in text


def test_the_same_trouble_block_after_block_is_one_line() -> None:
    lines = shown([(Observation(make_sample(), ()), REFUSED)] * 10)
    assert sum("base-fee" in line for line in lines) == 1


def test_says_that_the_price_is_unusable_and_that_there_is_no_debt() -> None:
    (line,) = shown([(Observation(make_sample(fault="stale", health=INFINITE_HEALTH), ()), HELD)])
    assert "oracle price unusable: stale" in line
    assert "health no debt" in line


@pytest.mark.parametrize(
    ("kept", "alone", "words"),
    [
        (0, 2, "never liquidated; its twin was, twice"),
        (0, 0, "Neither vault was liquidated"),
        (1, 3, "FAILED: the vault with the keeper was liquidated once"),
    ],
)
def test_the_verdict_never_hides_a_liquidation(kept: int, alone: int, words: str) -> None:
    summary = make_summary(kept, alone)
    assert words in verdict(summary)
    assert summary.saved is (kept == 0)
