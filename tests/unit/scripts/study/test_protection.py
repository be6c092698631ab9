"""What a liquidation counts as."""

import pytest

from scripts.study.protection import Look, Verdict, judge

WAIT = 24


def looks(asks: str, sellable: str) -> list[Look]:
    """One look each 12 s from 0; a y is yes."""
    return [
        Look(12 * place, a == "y", s == "y")
        for place, (a, s) in enumerate(zip(asks, sellable, strict=True))
    ]


CASES = {
    # name: (asked for, sellable, sent at, liquidated at, verdict)
    "nobody asked": ("nnnnnn", "yyyyyy", [], 72, Verdict.TOO_FAST),
    "asked one block too late": ("nnnnyy", "yyyyyy", [], 72, Verdict.TOO_FAST),
    "asked in time, sent nothing": ("nnnyyy", "yyyyyy", [], 72, Verdict.AVOIDABLE),
    "sent at the first block": ("nnnyyy", "yyyyyy", [36], 72, Verdict.IN_VAIN),
    "sent a block late, though still in time": ("nyyyyy", "yyyyyy", [24], 72, Verdict.AVOIDABLE),
    "still in flight at the first block": ("nyyyyy", "yyyyyy", [0], 72, Verdict.IN_VAIN),
    "landed before the first block": ("nnyyyy", "yyyyyy", [0], 72, Verdict.AVOIDABLE),
    "never sellable": ("nyyyyy", "nnnnnn", [], 72, Verdict.FORBIDDEN),
    "sellable when sent and not when landed": ("nyyyyy", "yyynnn", [], 60, Verdict.FORBIDDEN),
    "sellable first when it is too late": ("nyyyyy", "nnnnyy", [], 72, Verdict.FORBIDDEN),
    "an earlier stretch is over": ("yyynny", "yyyyyy", [], 72, Verdict.TOO_FAST),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_liquidation_is_avoidable_if_the_first_possible_block_was_not_used(
    case: tuple[str, str, list[int], int, Verdict],
) -> None:
    asks, sellable, sent, at, verdict = case
    assert judge(looks(asks, sellable), sent, at, WAIT) is verdict


def test_what_came_after_the_liquidation_does_not_count() -> None:
    before = looks("nnnnyy", "yyyyyy")
    after = [Look(time, True, True) for time in (72, 84, 96, 108)]
    assert judge([*before, *after], [], 72, WAIT) is Verdict.TOO_FAST
