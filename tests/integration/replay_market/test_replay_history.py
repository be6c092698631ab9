"""Real minutes with the oracle's own rounds, and a vault that nobody protects: both runs go the same way."""

import os
from pathlib import Path

import pytest

from keeper.backtest.ledger import Cause
from keeper.cli.backtest_options import moment
from keeper.replay_market import Replayed, ReplayOptions, Vault, Wanted, replay_market

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("GIMBAL_MARKET_DATA", ROOT.parent / "shared" / "data"))
MINUTES = DATA / "uniswap_v3_polygon_USDC_WETH_005_1min_2023-08-13_17.csv.gz"
ROUNDS = DATA / "chainlink_ETHUSD_rounds_2023-04_2023-12.csv.gz"

pytestmark = pytest.mark.chain


def alike(replayed: Replayed) -> None:
    """Without noise traders the two runs differ by units of rounding."""
    comparison, gap = replayed.comparison, replayed.gap
    assert comparison.equal == comparison.compared > 0
    assert comparison.one_sided == 0
    assert replayed.again.identical == replayed.again.decided
    assert gap.exact
    assert abs(gap.whole) < 10**6  # a dollar of a quarter of a million


@pytest.mark.skipif(
    not (MINUTES.exists() and ROUNDS.exists()), reason=f"no market data in {DATA}: see the README"
)
def test_the_fall_of_august_2023_with_its_own_rounds(tmp_path: Path) -> None:
    start, end = (moment("-", text) for text in ("2023-08-17T21:25", "2023-08-17T22:00"))
    wanted = Wanted(prices=MINUTES, rounds=ROUNDS, start=start, end=end)
    levels = {"low": "1.08", "target": "1.12", "high": "1.5"}
    vault = Vault("collateral_guard", levels, health=1.12, noise=False)
    replayed = replay_market(ReplayOptions(wanted, vault, tmp_path), root=ROOT)
    alike(replayed)
    assert replayed.segment.rounds_given
    # the feed said on this chain what it said then, in the order it said it
    given = [m.answer for m in replayed.segment.moments if m.answer is not None]
    seen = [b.readings.price.base.answer for b in replayed.played.blocks]
    heard = [answer for answer, before in zip(seen, [0, *seen], strict=False) if answer != before]
    assert heard == [
        answer for answer, before in zip(given, [0, *given], strict=False) if answer != before
    ]
    assert len(heard) >= 9
    assert replayed.comparison.acted >= 1


def test_a_vault_that_is_not_protected_is_liquidated_alike_in_both(tmp_path: Path) -> None:
    prices = [2_000.0, 1_990, 1_900, 1_700, 1_600, 1_610, 1_600]
    rows = "".join(f"{1_600_000_000 + 600 * i},{p}\n" for i, p in enumerate(prices))
    file = tmp_path / "ticks.csv"
    file.write_text("t,price\n" + rows)
    still = Vault("delta_band", {"target_delta": "0", "band": "99999"}, health=1.2, noise=False)
    replayed = replay_market(ReplayOptions(Wanted(prices=file), still, tmp_path), root=ROOT)
    alike(replayed)
    assert replayed.liquidations == len(replayed.backtest.liquidations) >= 1
    lost = replayed.books.by_cause()[Cause.LIQUIDATION]
    simulated = replayed.backtest.attribution.by_cause[Cause.LIQUIDATION]
    assert lost < 0
    assert abs(lost - simulated) * 10_000 < abs(lost)
