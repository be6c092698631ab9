"""What the keeper did, in words that fit a line."""

from keeper.model.decision import Move, MoveKind
from keeper.model.units import MAX_UINT256, WAD, Raw
from keeper.report.moves import TokenName, moves_text

NAMES = {
    "0xa": TokenName("USDC", 6, is_asset=True),
    "0xb": TokenName("WETH", 18, is_asset=False),
}


def make_move(kind: MoveKind, token: str, amount: int) -> Move:
    return Move(kind, "0xadapter", token, Raw(amount), Raw(0))


def test_rounds_of_the_same_are_added_up_in_the_order_they_are_done() -> None:
    one_round = (
        make_move(MoveKind.WITHDRAW, "0xb", WAD),
        make_move(MoveKind.SWAP, "0xb", WAD),
        make_move(MoveKind.REPAY, "0xa", 2_000 * 10**6),
    )
    idle = make_move(MoveKind.REPAY, "0xa", 500 * 10**6)
    assert moves_text((idle, *one_round, *one_round), NAMES) == (
        "repay 500 USDC, withdraw 2.000 WETH, sell 2.000 WETH, repay 4,000 USDC"
    )


def test_re_levering_spends_and_all_means_all() -> None:
    moves = (
        make_move(MoveKind.BORROW, "0xa", 10**9),
        make_move(MoveKind.SWAP, "0xa", 10**9),
        make_move(MoveKind.SUPPLY, "0xb", MAX_UINT256),
    )
    assert moves_text(moves, NAMES) == "borrow 1,000 USDC, spend 1,000 USDC, supply all WETH"


def test_a_token_without_a_name_is_an_address() -> None:
    assert moves_text((make_move(MoveKind.SUPPLY, "0xc", 1_000),), NAMES) == (
        "supply 1,000 units of 0xc"
    )
