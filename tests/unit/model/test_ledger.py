"""The ledger: what each move does, and the health that follows."""

from dataclasses import replace

import pytest

from keeper.model.decision import Move, MoveKind
from keeper.model.ledger import ImpossibleMoveError, Ledger, changes_price_exposure
from keeper.model.units import INFINITE_HEALTH, MAX_UINT256, WAD, Raw
from tests.builders import ASSET, BASE, LENDING, SWAPPER, dollars, ether, make_readings


def move(kind: MoveKind, token: str, amount: int) -> Move:
    adapter = SWAPPER if kind is MoveKind.SWAP else LENDING
    return Move(kind, adapter, token, Raw(amount), Raw(0))


def test_health_is_weighted_collateral_over_debt() -> None:
    ledger = Ledger.of(make_readings(supplied_base=1_500, debt_asset=2_000_000))
    assert ledger.health_wad() == 1_245 * WAD // 1_000
    assert ledger.nav_down() == dollars(1_000_000)
    assert ledger.net_delta() == ether(1_500)


def test_average_threshold_is_rounded_down_to_a_basis_point_as_the_venue_does() -> None:
    """A third in dollars at 80 %, two thirds in ether at 83 %: 81.99 % and not 82 %."""
    readings = make_readings(
        supplied_asset=1_000_001, supplied_base=1_000, debt_asset=2_000_000, price=2_000
    )
    ledger = Ledger.of(readings)
    assert ledger.health_wad() == 3_000_001 * 8_199 * WAD // (2_000_000 * 10_000)


def test_no_debt_is_infinite_health() -> None:
    assert Ledger.of(make_readings(debt_asset=0)).health_wad() == INFINITE_HEALTH


def test_debt_without_collateral_is_zero_health() -> None:
    assert Ledger.of(make_readings(supplied_base=0)).health_wad() == 0


@pytest.mark.parametrize("asset_decimals", [0, 6, 8, 18, 24])
@pytest.mark.parametrize("base_decimals", [0, 6, 8, 18, 24])
def test_health_and_nav_do_not_depend_on_decimals(asset_decimals: int, base_decimals: int) -> None:
    ledger = Ledger.of(make_readings(asset_decimals=asset_decimals, base_decimals=base_decimals))
    assert ledger.health_wad() == 1_245 * WAD // 1_000
    assert ledger.nav_down() == 1_000_000 * 10**asset_decimals


@pytest.mark.parametrize(
    ("kind", "idle", "supplied", "debt"),
    [
        (MoveKind.SUPPLY, -10, 10, 0),
        (MoveKind.WITHDRAW, 10, -10, 0),
        (MoveKind.BORROW, 10, 0, 10),
        (MoveKind.REPAY, -10, 0, -10),
    ],
)
def test_lending_moves_conserve_the_token(
    kind: MoveKind, idle: int, supplied: int, debt: int
) -> None:
    before = Ledger.of(make_readings(idle_base=50, debt_base=20))
    after = before.apply(move(kind, BASE, ether(10)))
    assert after.base.idle - before.base.idle == idle * 10**18
    assert after.base.supplied - before.base.supplied == supplied * 10**18
    assert after.base.debt - before.base.debt == debt * 10**18
    assert after.base.net == before.base.net
    assert after.nav_down() == before.nav_down()
    assert after.asset == before.asset


def test_swap_takes_one_token_and_gives_the_other() -> None:
    before = Ledger.of(make_readings(idle_base=10))
    after = before.apply(move(MoveKind.SWAP, BASE, ether(4)), received=dollars(7_990))
    assert after.base.idle == ether(6)
    assert after.asset.idle == dollars(7_990)
    assert before.nav_down() - after.nav_down() == dollars(10)


@pytest.mark.parametrize(
    ("kind", "amount", "what"),
    [
        (MoveKind.SUPPLY, ether(11), "idle"),
        (MoveKind.REPAY, ether(11), "idle"),
        (MoveKind.SWAP, ether(11), "idle"),
        (MoveKind.WITHDRAW, ether(1_501), "supplied"),
        (MoveKind.BORROW, ether(60_000), "available"),
        (MoveKind.REPAY, ether(6), "debt"),
        (MoveKind.SUPPLY, -1, "negative"),
    ],
)
def test_a_move_of_more_than_there_is_cannot_be_made(
    kind: MoveKind, amount: int, what: str
) -> None:
    ledger = Ledger.of(make_readings(idle_base=10, debt_base=5))
    with pytest.raises(ImpossibleMoveError, match=what):
        ledger.apply(move(kind, BASE, amount))


def test_a_strange_token_cannot_be_moved() -> None:
    with pytest.raises(ImpossibleMoveError, match="neither"):
        Ledger.of(make_readings()).apply(move(MoveKind.SUPPLY, "0x" + "00" * 20, 1))


@pytest.mark.parametrize(
    ("kind", "amount"),
    [
        (MoveKind.WITHDRAW, ether(1_500)),
        (MoveKind.REPAY, ether(5)),
        (MoveKind.SUPPLY, ether(10)),
        (MoveKind.SWAP, ether(10)),
    ],
)
def test_all_means_all_of_what_the_kind_takes(kind: MoveKind, amount: int) -> None:
    ledger = Ledger.of(make_readings(idle_base=10, debt_base=5))
    assert ledger.amount_of(move(kind, BASE, MAX_UINT256)) == amount


def test_repaying_all_takes_no_more_than_is_idle() -> None:
    ledger = Ledger.of(make_readings(idle_base=3, debt_base=5))
    assert ledger.amount_of(move(MoveKind.REPAY, BASE, MAX_UINT256)) == ether(3)


def test_values_round_as_named() -> None:
    ledger = Ledger.of(make_readings())
    assert ledger.value_down(ledger.base, 1) == 0
    assert ledger.value_up(ledger.base, 1) == 1
    assert ledger.value_down(ledger.asset, 7) == ledger.value_up(ledger.asset, 7) == 7


def test_only_trades_loans_and_withdrawals_against_debt_change_price_exposure() -> None:
    owing = Ledger.of(make_readings(idle_base=1))
    free = Ledger.of(make_readings(debt_asset=0))
    exposed = {kind for kind in MoveKind if changes_price_exposure(move(kind, BASE, 1), owing)}
    trades = {MoveKind.SWAP, MoveKind.WRITE, MoveKind.BUY_BACK}
    assert exposed == {*trades, MoveKind.BORROW, MoveKind.WITHDRAW}
    assert not changes_price_exposure(move(MoveKind.WITHDRAW, BASE, 1), free)


def test_addresses_compare_without_case() -> None:
    readings = make_readings(idle_asset=10)
    upper = replace(readings.asset, address="0x" + ASSET[2:].upper())
    ledger = Ledger.of(replace(readings, asset=upper))
    assert ledger.apply(move(MoveKind.SUPPLY, ASSET, 5)).asset.supplied == 5


def test_collateral_of_options_and_cash_of_purchases_leave_idle_and_come_back() -> None:
    before = Ledger.of(make_readings(idle_asset=100, idle_base=2))
    after = before.lock(BASE, ether(1)).lock(ASSET, dollars(30)).park(dollars(50))
    assert (after.base.idle, after.asset.idle) == (ether(1), dollars(20))
    assert after.gross_scaled() == before.gross_scaled()
    assert after.net_delta() == before.net_delta()
    assert after.park(-dollars(50)).lock(BASE, -ether(1)).lock(ASSET, -dollars(30)) == before
    for token, collateral in ((BASE, ether(2)), (BASE, -ether(2))):
        with pytest.raises(ImpossibleMoveError):
            after.lock(token, collateral)
    for cash in (dollars(21), -dollars(51)):
        with pytest.raises(ImpossibleMoveError):
            after.park(cash)
