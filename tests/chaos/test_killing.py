"""A dozen kills of the real process; the whole campaign is `make chaos`."""

from tests.chaos.killing import campaign

KILLS = 12


def test_a_keeper_that_is_killed_again_and_again_does_nothing_twice_and_loses_nothing() -> None:
    """K-01, K-03, K-04."""
    toll = campaign(KILLS, 1)
    assert toll.problems == []
    assert toll.at_edges + toll.at_random + toll.survived == KILLS
    assert toll.at_edges > 0
    assert toll.effects > 0
