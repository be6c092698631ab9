"""Oracle rounds, untidy as they are, and funding rates."""

from pathlib import Path

import numpy as np
import pytest

from keeper.errors import MarketDataError
from keeper.history.funding import read_funding
from keeper.history.rounds import read_rounds
from tests.unit.quant.surface.chains import real_file

PHASE = 6 << 64


def rounds(tmp_path: Path, *rows: tuple[int, int, int]) -> Path:
    """Rows of aggregator round, answer, updatedAt."""
    lines = [f"{PHASE + n},{answer},{at},{at},{PHASE + n}" for n, answer, at in rows]
    file = tmp_path / "rounds.csv"
    file.write_text("roundId,answer,startedAt,updatedAt,answeredInRound\n" + "\n".join(lines))
    return file


def test_rounds_are_in_order_of_their_ids_without_the_empty_ones(tmp_path: Path) -> None:
    got = read_rounds(
        rounds(tmp_path, (2, 3_000_00000000, 200), (1, 0, 0), (3, 310_000_000_000, 300))
    )
    assert got.aggregator_round.tolist() == [2, 3]
    assert got.phase.tolist() == [6, 6]
    assert got.answer.tolist() == [3_000.0, 3_100.0]
    assert got.empty == 1


def test_the_answer_in_force_is_the_latest_rounds_even_where_times_repeat_or_go_back(
    tmp_path: Path,
) -> None:
    unit = 10**8
    got = read_rounds(
        rounds(tmp_path, (1, unit, 100), (2, 2 * unit, 200), (3, 3 * unit, 200), (4, 4 * unit, 190))
    )
    at = np.array([99, 100, 199, 200, 10_000])
    assert got.in_force(at).tolist() == pytest.approx([np.nan, 1, 1, 4, 4], nan_ok=True)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (((1, 10**8, 1), (1, 10**8, 2)), "stands twice"),
        (((1, 10**8, 1), (4, 10**8, 2)), "2 rounds are missing"),
        (((1, -5, 1),), "not a positive price"),
        (((1, 0, 7),), "not a positive price"),
        (((1, 0, 0),), "no answered round"),
    ],
)
def test_refuses_rounds_that_cannot_be(
    tmp_path: Path, rows: tuple[tuple[int, int, int], ...], words: str
) -> None:
    with pytest.raises(MarketDataError, match=words):
        read_rounds(rounds(tmp_path, *rows))


def test_a_new_phase_may_begin_anywhere(tmp_path: Path) -> None:
    file = rounds(tmp_path, (1, 10**8, 1), ((1 << 64) + 40, 10**8, 2))
    assert read_rounds(file).phase.tolist() == [6, 7]


@pytest.mark.parametrize("cell", ["-1", "1.0", "", str(1 << 80)])
def test_refuses_a_round_id_that_is_none(tmp_path: Path, cell: str) -> None:
    file = tmp_path / "r.csv"
    file.write_text(f"roundId,answer,startedAt,updatedAt,answeredInRound\n{cell},100,1,1,1\n")
    with pytest.raises(MarketDataError, match="round id"):
        read_rounds(file)


def test_reads_the_real_rounds_with_their_oddities() -> None:
    got = read_rounds(real_file("chainlink_ETHUSD_rounds_2023-04_2023-12.csv.gz"))
    assert got.empty == 1
    assert len(got) == 9_746
    # 2023-08-17: 1,705 -> 1,558 within minutes.
    crash = got.in_force(np.arange(1_692_300_000, 1_692_310_000, 60))
    assert crash.min() < 1_560
    assert crash.max() > 1_700


def funding(tmp_path: Path, *rows: str) -> Path:
    file = tmp_path / "funding.csv"
    file.write_text("venue,t,funding_rate\n" + "\n".join(rows))
    return file


def test_reads_one_venue_of_several(tmp_path: Path) -> None:
    file = funding(tmp_path, "a,0,0.0001", "a,28800,-0.0002", "b,0,0.5")
    got = read_funding(file, "a")
    assert got.rate.tolist() == [0.0001, -0.0002]
    assert got.annual[0] == pytest.approx(0.0001 * 3 * 365)


@pytest.mark.parametrize(
    ("rows", "venue", "words"),
    [
        (("a,0,0.1", "b,0,0.1"), None, "several venues: a, b"),
        (("a,0,0.1",), "c", "no venue 'c'"),
        (("a,0,0.2",), None, "check the unit"),
        (("a,0,x",), None, "not a number"),
        (("a,0,0.01", "a,0,0.01"), None, "stands twice"),
        (("a,0,0.01", "a,57600,0.01"), None, "1 steps of 28800 s are missing"),
    ],
)
def test_refuses_funding_that_cannot_be(
    tmp_path: Path, rows: tuple[str, ...], venue: str | None, words: str
) -> None:
    with pytest.raises(MarketDataError, match=words):
        read_funding(funding(tmp_path, *rows), venue)


def test_reads_the_real_funding() -> None:
    got = read_funding(real_file("funding_binance_ETHUSDT_8h_2020_2023.csv.gz"))
    assert got.rate.size == 4_383
    assert got.rate.min() == pytest.approx(-0.00356, abs=1e-5)
    hourly = read_funding(real_file("funding_dydx_v3_ETH_1h_2022_2023.csv.gz"), step_s=3_600)
    assert hourly.rate.size == 17_520
