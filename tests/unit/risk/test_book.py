"""Values and Greeks of the book: sums, finite differences, and what a move does to each kind."""

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.model.exposure import Exposure, Kind, Underlying
from keeper.risk.book import Book, Floats, Moves
from tests.unit.risk.books import BTC, cash, mixed_book, option, perpetual, random_book


def value(book: Book, **move: float) -> float:
    return float(book.totals(Moves.of(1, **move))[0])


def test_greeks_are_the_derivatives_of_value() -> None:
    book = Book(mixed_book().exposures[:-1], 2_000.0, 0.8)
    delta, gamma, vega = book.greeks()[1:4].sum(axis=1)
    h = 1e-3
    up, down, here = value(book, spot=h), value(book, spot=-h), value(book)
    assert delta == pytest.approx((up - down) / (2 * h * 2_000), rel=1e-6)
    assert gamma == pytest.approx((up - 2 * here + down) / (h * 2_000) ** 2, rel=1e-4)
    # All volatilities are 0.8, so that a relative move of h is an absolute one of 0.8 h.
    wider, narrower = value(book, volatility=h), value(book, volatility=-h)
    assert vega == pytest.approx((wider - narrower) / (2 * h * 0.8), rel=1e-5)


def test_greeks_at_another_price_are_those_of_the_book_there() -> None:
    here, there = mixed_book(), Book(mixed_book().exposures, 1_500.0, 0.8, (BTC,))
    assert here.greeks(1_500.0) == pytest.approx(there.greeks(), rel=1e-12)


def test_cross_greeks_are_derivatives_of_greeks() -> None:
    book = Book((option(), option("put", is_call=False, strike=1_700.0)), 2_000.0, 0.8)
    vanna, volga = book.greeks()[6:8].sum(axis=1)
    h = 1e-4

    def at(price: float, volatility: float) -> Floats:
        put = option("put", is_call=False, strike=1_700.0, volatility=volatility)
        legs = (option(volatility=volatility), put)
        found: Floats = Book(legs, price, 0.8).greeks().sum(axis=1)
        return found

    assert vanna == pytest.approx((at(2_000, 0.8 + h)[1] - at(2_000, 0.8 - h)[1]) / (2 * h), rel=1e-5)  # fmt: skip
    assert volga == pytest.approx((at(2_000, 0.8 + h)[3] - at(2_000, 0.8 - h)[3]) / (2 * h), rel=1e-5)  # fmt: skip


def test_theta_is_what_a_moment_costs() -> None:
    book = mixed_book()
    h = 1e-6
    earned = (value(book, years=h) - value(book)) / h
    assert book.greeks()[4].sum() == pytest.approx(earned, rel=1e-3)


def test_another_underlying_counts_by_its_value() -> None:
    book = Book((perpetual("btc", quantity=0.5, underlying="btc"),), 2_000.0, 0.8, (BTC,))
    assert book.greeks()[1, 0] * 2_000 == pytest.approx(0.5 * 40_000)


def test_totals_are_sums_of_values_whatever_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    from keeper.risk import book as module

    book, moves = random_book(200), Moves.of(37, spot=np.linspace(-0.5, 0.5, 37))
    monkeypatch.setattr(module, "CHUNK", 1_000)
    assert book.totals(moves) == pytest.approx(book.values(moves).sum(axis=1), rel=1e-12)


def test_a_depeg_costs_who_holds_the_asset_and_helps_who_owes_it() -> None:
    held, owed = Book((cash(1_000.0),), 2_000.0, 0.8), Book((cash(-1_000.0),), 2_000.0, 0.8)
    assert value(held, depeg=0.1) == pytest.approx(900.0)
    assert value(owed, depeg=0.1) == pytest.approx(-900.0)
    spot = Book((Exposure("s", Kind.SPOT, "vault", "base", 1.0),), 2_000.0, 0.8)
    assert value(spot, depeg=0.1) == pytest.approx(2_000.0)


def test_funding_is_paid_by_longs_and_rates_by_borrowers() -> None:
    long = Book((perpetual(quantity=1.0, rate=0.0),), 2_000.0, 0.8)
    assert value(long, funding=0.5, years=0.1) == pytest.approx(-2_000 * 0.5 * 0.1)
    loan = Book((Exposure("l", Kind.LOAN, "lending", "asset", -100.0),), 2_000.0, 0.8)
    assert value(loan, rates=1.0, years=0.1) == pytest.approx(-110.0)


def test_correlation_moves_the_other_underlying_or_does_not() -> None:
    book = Book((perpetual("btc", quantity=1.0, entry=40_000.0, underlying="btc"),), 2_000.0, 0.8, (BTC,))  # fmt: skip
    still = value(book, spot=-0.3, correlation=0.0)
    own = value(book, spot=-0.3)
    one = value(book, spot=-0.3, correlation=1.0)
    against = value(book, spot=-0.3, correlation=-1.0)
    assert still == pytest.approx(0.0, abs=1e-6)
    assert one < own < still < against
    assert own == pytest.approx(40_000 * (0.7 ** (0.8 * 0.6 / 0.8) - 1))


def test_skew_lifts_puts_and_lowers_calls_when_it_steepens() -> None:
    put = Book((option(is_call=False, strike=1_600.0, quantity=1.0),), 2_000.0, 0.8)
    call = Book((option(strike=2_400.0, quantity=1.0),), 2_000.0, 0.8)
    assert value(put, skew=-0.3) > value(put)
    assert value(call, skew=-0.3) < value(call)


def test_an_expired_option_is_its_intrinsic_value() -> None:
    book = Book((option(days=-3.0, strike=1_900.0, quantity=-2.0),), 2_000.0, 0.8)
    assert value(book) == pytest.approx(-200.0)
    assert np.isfinite(book.greeks()).all()


def test_values_are_in_the_order_of_the_exposures() -> None:
    """Options and the rest are valued apart."""
    book = random_book(300)
    moves = Moves.of(3, spot=np.array([-0.2, 0.0, 0.3]), volatility=0.2, years=0.01, depeg=0.05)
    whole = book.values(moves)
    for i in (0, 7, 150, 299):
        alone = Book((book.exposures[i],), book.price, book.volatility, book.underlyings)
        assert (whole[:, [i]] == alone.values(moves)).all()


@pytest.mark.parametrize(
    ("strike", "days", "field"), [(1e251, 30.0, "strike"), (1.0, 4e5, "years")]
)
def test_what_no_option_can_be_is_refused_when_valued(
    strike: float, days: float, field: str
) -> None:
    book = Book((option(), option("odd", strike=strike, days=days)), 2_000.0, 0.8)
    with pytest.raises(QuantityError, match=field):
        book.values(Moves.of(2, spot=0.1))


def test_an_empty_book_is_worth_nothing() -> None:
    book = Book((), 2_000.0, None)
    assert value(book, spot=-0.5) == 0.0
    assert book.greeks().shape == (8, 0)


@pytest.mark.parametrize(
    ("exposures", "price", "others", "field"),
    [
        ((), float("nan"), (), "price"),
        ((), 0.0, (), "price"),
        ((perpetual(underlying="doge"),), 1.0, (), "underlying"),
        ((option(quantity=float("inf")),), 1.0, (), "not finite"),
        ((option(strike=0.0),), 1.0, (), "strike"),
        ((option(volatility=-0.1),), 1.0, (), "volatility"),
        ((option(volatility=float("nan")),), 1.0, (), "volatility"),
        ((), 1.0, (Underlying("x", -1.0, 0.5, 0.0),), "underlyings.price"),
        ((), 1.0, (Underlying("x", 1.0, 0.0, 0.0),), "underlyings.volatility"),
    ],
)
def test_a_book_with_one_senseless_figure_is_refused(
    exposures: tuple[Exposure, ...], price: float, others: tuple[Underlying, ...], field: str
) -> None:
    with pytest.raises(QuantityError, match=field):
        Book(exposures, price, 0.8, others)
