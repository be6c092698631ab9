"""Generated scenarios do what their shape says, for every seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.errors import SettingError
from keeper.localnet.paths.path import describe
from keeper.localnet.paths.scenarios import generate
from keeper.localnet.paths.shapes import SCENARIOS, Calm, Crash, CrashAndRebound, Gap, OracleStall

seeds = st.integers(0, 2**64 - 1)
STALE_S = 3_900


@pytest.mark.parametrize("name", SCENARIOS)
def test_defaults_are_short_enough_for_a_demo(name: str) -> None:
    path = generate(name, SCENARIOS[name](), 1)
    assert 100 < len(path) <= 600
    assert path.name == name


@pytest.mark.parametrize("name", SCENARIOS)
@settings(max_examples=10)
@given(seed=seeds)
def test_the_same_seed_gives_the_same_path(name: str, seed: int) -> None:
    one, other = (generate(name, SCENARIOS[name](), seed) for _ in range(2))
    assert (one.market_price == other.market_price).all()
    assert (one.base_fee_wei == other.base_fee_wei).all()


@settings(max_examples=30)
@given(seeds, st.floats(0.1, 0.8))
def test_a_crash_falls_as_far_as_it_says(seed: int, fall: float) -> None:
    path = generate("crash", Crash(fall=fall, aftermath_s=0), seed)
    assert path.market_price[-1] == pytest.approx(2_000 * (1 - fall), rel=0.01)
    assert path.max_fall == pytest.approx(fall, abs=0.05)


@settings(max_examples=20)
@given(seeds)
def test_a_rebound_wins_back_its_part(seed: int) -> None:
    shape = CrashAndRebound()
    path = generate("crash_and_rebound", shape, seed)
    assert path.market_price.min() < 2_000 * 0.6
    wanted = 2_000 * (1 - shape.fall * (1 - shape.rebound))
    assert path.market_price[-1] == pytest.approx(wanted, rel=0.01)


@settings(max_examples=20)
@given(seeds)
def test_a_gap_is_one_block(seed: int) -> None:
    path = generate("gap", Gap(), seed)
    moves = np.diff(np.log(path.market_price))
    assert moves.min() == pytest.approx(np.log(0.85), abs=0.02)
    assert np.sort(moves)[1] > -0.03


@settings(max_examples=20)
@given(seeds)
def test_a_stall_outlives_staleness_and_loses_no_more_than_it_says(seed: int) -> None:
    path = generate("oracle_stall", OracleStall(), seed)
    silent = np.flatnonzero(~path.oracle_online)
    assert (np.diff(silent) == 1).all()
    assert len(silent) * path.block_seconds > STALE_S
    before, after = path.market_price[silent[0] - 1], path.market_price[silent[-1] + 1]
    assert 0.10 < 1 - after / before < 0.20
    assert path.market_price[-1] == pytest.approx(2_000 * 0.58, rel=0.01)


@settings(max_examples=20)
@given(seeds)
def test_calm_stays_calm(seed: int) -> None:
    path = generate("calm", Calm(), seed)
    assert path.max_fall < 0.06
    assert path.oracle_online.all()


def test_gas_spikes_in_a_crash_and_not_in_calm() -> None:
    crash, calm = generate("crash", Crash(), 3), generate("calm", Calm(), 3)
    assert crash.base_fee_wei[0] == 20 * 10**9
    assert crash.base_fee_wei.max() > 200 * 10**9
    assert calm.base_fee_wei.max() < 60 * 10**9


def test_a_fall_smaller_than_its_gap_is_refused() -> None:
    with pytest.raises(SettingError, match=r"Gap\.fall"):
        generate("gap", Gap(fall=0.1), 1)


def test_absurdly_many_blocks_are_refused() -> None:
    with pytest.raises(SettingError, match="block_seconds"):
        generate("crash", Crash(block_seconds=1, aftermath_s=604_800), 1)


def test_paths_are_read_only() -> None:
    path = generate("calm", Calm(), 1)
    with pytest.raises(ValueError, match="read-only"):
        path.market_price[0] = 1.0


def test_the_description_names_what_matters() -> None:
    text = describe(generate("oracle_stall", OracleStall(), 1))
    assert "538 blocks of 24 s" in text
    assert "greatest fall 43.1%" in text
    assert "oracle silent for 200 blocks (1 h 20 min)" in text
