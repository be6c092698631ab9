"""The summary counts what the samples and marks say, under the promised keys."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from keeper.report.story import Story
from keeper.report.summary import summarise

TWIN_KEYS = {
    "liquidations",
    "min_health",
    "nav_start",
    "nav_end",
    "keeper_txs",
    "gas_spent_wei",
    "routine_loss_bps",
    "protective_loss_bps",
}


def test_json_has_the_promised_keys(make_story: Callable[..., Story]) -> None:
    data = json.loads(summarise(make_story(), 12.345).to_json())
    assert set(data["protected"]) == TWIN_KEYS
    assert set(data["unprotected"]) == TWIN_KEYS
    assert {"blocks", "price_low", "wall_s", "scenario", "seed"} <= set(data)
    assert data["wall_s"] == 12.35 or data["wall_s"] == 12.34
    assert data["blocks"] == 20
    assert data["units"]["gas_value"] == "USDC"


def test_counts_keeper_transactions_and_their_gas_including_the_reverted_one(
    make_story: Callable[..., Story],
) -> None:
    result = summarise(make_story(), 1.0)
    assert (result.protected.keeper_txs, result.unprotected.keeper_txs) == (4, 0)
    assert result.protected.gas_spent_wei == 4 * 200_000 * 10**10
    assert result.keeper_txs_failed == 1
    prices = [3000 - 40 * i for i in (9, 12, 13, 14)]
    assert result.gas_value == pytest.approx(sum(prices) * 200_000 * 10**10 / 1e18, abs=0.01)


def test_says_how_much_of_each_loss_bucket_was_used(make_story: Callable[..., Story]) -> None:
    """From the opening on: what the opening itself cost is not the keeper's."""
    whole = summarise(make_story(), 1.0)
    late = summarise(make_story(open_elapsed_s=12 * 4), 1.0)
    assert (whole.protected.routine_loss_bps, whole.protected.protective_loss_bps) == (10, 19)
    assert (late.protected.routine_loss_bps, late.protected.protective_loss_bps) == (10, 15)
    assert whole.unprotected.routine_loss_bps == whole.unprotected.protective_loss_bps == 0


def test_liquidations_belong_to_their_vault(make_story: Callable[..., Story]) -> None:
    result = summarise(make_story(), 1.0)
    assert (result.protected.liquidations, result.unprotected.liquidations) == (0, 1)
    assert result.saved


def test_lowest_health_is_over_every_block_after_opening(make_story: Callable[..., Story]) -> None:
    result = summarise(make_story(), 1.0)
    assert result.unprotected.min_health == pytest.approx(1.5 - 0.03 * 19)
    assert result.protected.min_health == pytest.approx(1.3)


def test_blocks_before_opening_do_not_count(make_story: Callable[..., Story]) -> None:
    result = summarise(make_story(open_elapsed_s=12 * 4), 1.0)
    assert result.protected.nav_start == (100_000 - 900 * 4) * 10**6


def test_nav_at_the_end_is_the_last_one_with_a_usable_price(
    make_story: Callable[..., Story],
) -> None:
    story = make_story()
    stalled = replace(story, samples=story.samples[:9])
    assert summarise(stalled, 1.0).protected.nav_end == (100_000 - 900 * 6) * 10**6


def test_lowest_price_is_the_oracles(make_story: Callable[..., Story]) -> None:
    result = summarise(make_story(), 1.0)
    assert (result.price_low, result.market_low) == (3000 - 40 * 19 + 5, 3000 - 40 * 19)


def test_refuses_a_run_without_blocks(make_story: Callable[..., Story]) -> None:
    with pytest.raises(ValueError, match="without a single block"):
        summarise(replace(make_story(), samples=()), 1.0)
