"""Black-76 and its kin against 50-digit values, published values, limits, and bad input."""

import csv
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keeper.errors import QuantityError
from keeper.quant import black, digital, inverse
from keeper.quant.black import Greeks
from keeper.quant.inputs import Floats

REFERENCES = Path(__file__).parent / "references" / "greeks.csv"
INPUTS = ("forward", "strike", "years", "volatility", "sign", "rate")


def reference(model: str) -> tuple[dict[str, Floats], dict[str, Floats]]:
    with REFERENCES.open() as file:
        rows = [row for row in csv.DictReader(file) if row.pop("model") == model]
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    return columns, {name: columns[name] for name in Greeks._fields}


Function = Callable[..., Any]
MODELS: dict[str, Function] = {
    "black": black.greeks,
    "inverse": inverse.inverse_greeks,
    "cash_digital": digital.cash_digital_greeks,
    "asset_digital": digital.asset_digital_greeks,
}


@pytest.mark.parametrize("model", ["merton", *MODELS])
def test_price_and_greeks_equal_the_fifty_digit_values(model: str) -> None:
    """Within 1e-11 of the largest value in natural units: price over spot, delta, gamma x spot x width, and so on."""
    inputs, exact = reference(model)
    arguments = [inputs[name] for name in INPUTS]
    found = (
        black.bsm_greeks(*arguments[:6], inputs["carry_yield"])  # type: ignore[call-arg]
        if model == "merton"
        else MODELS[model](*arguments)
    )
    largest = np.maximum(inputs["forward"], inputs["strike"])
    units: dict[str, Any] = {"cash_digital": 1.0, "inverse": largest / inputs["forward"]}
    unit = units.get(model, largest)
    forward, width = inputs["forward"], inputs["volatility"] * np.sqrt(inputs["years"])
    sharp = 1.0 / width if "digital" in model else 1.0
    scales: dict[str, Any] = {
        "price": unit,
        "delta": unit / forward * sharp,
        "gamma": unit / forward**2 / width * sharp,
        "vega": unit * np.sqrt(inputs["years"]) * sharp,
        "theta": unit * inputs["volatility"] / np.sqrt(inputs["years"]) * sharp + unit,
        "rho": unit * inputs["years"],
        "vanna": unit / forward / inputs["volatility"] * sharp,
        "volga": unit * np.sqrt(inputs["years"]) / inputs["volatility"] * sharp,
    }
    for name, scale in scales.items():
        error = np.abs(getattr(found, name) - exact[name]) / (scale * np.ones(len(forward)))
        assert error.max() < 1e-11, (name, int(np.argmax(error)), error.max())


def test_price_keeps_its_digits_far_out_of_the_money() -> None:
    """Relative, not to the spot: 5 deviations out the price still has 12 digits."""
    inputs, exact = reference("black")
    found = black.price(*(inputs[name] for name in INPUTS))
    intrinsic = np.maximum(inputs["sign"] * (inputs["forward"] - inputs["strike"]), 0.0)
    width = inputs["volatility"] * np.sqrt(inputs["years"])
    wide = (intrinsic == 0.0) & (width > 0.05) & (exact["price"] > 0.0)
    assert wide.sum() > 5
    assert np.max(np.abs(found[wide] / exact["price"][wide] - 1.0)) < 1e-12


# Hull, "Options, futures, and other derivatives", 9th edition (2014), example 15.6, page 360; Haug (1998), "The
# complete guide to option pricing formulas", pages 2 to 8, 11 to 16, 27, 88 and 90, as QuantLib's test suite cites
# them too (europeanoption.cpp, testValues and testGreekValues; digitaloption.cpp).
@pytest.mark.parametrize(
    ("found", "published"),
    [
        (black.bsm_greeks(42, 40, 0.5, 0.2, 1, 0.1).price, "4.76"),
        (black.bsm_greeks(42, 40, 0.5, 0.2, -1, 0.1).price, "0.81"),
        (black.bsm_greeks(60, 65, 0.25, 0.30, 1, 0.08).price, "2.1334"),
        (black.price(19, 19, 0.75, 0.28, 1, 0.10), "1.7011"),
        (black.bsm_greeks(100, 95, 0.5, 0.2, -1, 0.10, 0.05).price, "2.4648"),
        (black.bsm_greeks(42, 40, 0.75, 0.35, 1, 0.04, 0.08).price, "5.0975"),
        (black.bsm_greeks(105, 100, 0.5, 0.36, 1, 0.10, 0.10).delta, "0.5946"),
        (black.bsm_greeks(105, 100, 0.5, 0.36, -1, 0.10, 0.10).delta, "-0.3566"),
        (black.bsm_greeks(55, 60, 0.75, 0.30, 1, 0.10).gamma, "0.0278"),
        (black.bsm_greeks(55, 60, 0.75, 0.30, 1, 0.10).vega, "18.9358"),
        (black.bsm_greeks(430, 405, 1 / 12, 0.20, -1, 0.07, 0.05).theta, "-31.1924"),
        (black.bsm_greeks(72, 75, 1, 0.19, 1, 0.09).rho, "38.7325"),
        (10 * digital.cash_digital_greeks(100, 80, 0.75, 0.35, -1, 0.06).price, "2.6710"),
        (
            digital.asset_digital_greeks(70 * math.exp(0.02 * 0.5), 65, 0.5, 0.27, -1, 0.07).price,
            "20.2069",
        ),
    ],
)
def test_published_values_come_out(found: float, published: str) -> None:
    places = len(published.split(".")[1])
    assert abs(float(found) - float(published)) < 0.51 * 10**-places


def test_limits_at_expiry_and_without_volatility_are_taken_exactly() -> None:
    forward, strike = np.array([90.0, 100.0, 110.0]), 100.0
    for years, volatility in ((0.0, 0.5), (1.0, 0.0), (0.0, 0.0)):
        g = black.greeks(forward, strike, years, volatility, 1)
        assert g.price.tolist() == [0.0, 0.0, 10.0]
        assert g.delta == pytest.approx([0.0, 0.5, 1.0], abs=2e-16)
        assert g.gamma.tolist() == [0.0, math.inf, 0.0]
        assert g.volga.tolist() == [0.0, 0.0, 0.0]
        assert not np.isnan(np.stack(g)).any()
    assert black.greeks(100, 100, 0, 0.5, 1).theta == -math.inf
    assert black.greeks(100, 100, 1, 0.0, 1).vega == pytest.approx(100 / math.sqrt(2 * math.pi))


def test_a_strike_or_forward_of_zero_is_a_limit() -> None:
    call, put = black.greeks(100, 0, 1, 0.5, [1, -1]).price
    assert (call, put) == (100.0, 0.0)
    assert black.greeks(0, 100, 1, 0.5, [1, -1]).price.tolist() == [0.0, 100.0]
    everything = np.stack(black.greeks([0.0, 0.0, 5.0], [0.0, 7.0, 0.0], 1, 0.5, 1))
    assert np.isfinite(everything).all()


@pytest.mark.parametrize("function", [black.greeks, inverse.inverse_greeks, *MODELS.values()])
def test_nan_stays_in_its_element(function: Function) -> None:
    for place in range(6):
        arguments = [np.full(3, x) for x in (100.0, 110.0, 0.5, 0.4, 1.0, 0.02)]
        arguments[place][1] = np.nan
        found = np.stack(function(*arguments))
        assert np.isnan(found[:, 1]).all()
        assert not np.isnan(found[:, [0, 2]]).any()


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (0, -1.0, "forward"),
        (0, math.inf, "forward"),
        (1, -1e-300, "strike"),
        (2, -1e-9, "years"),
        (2, 1e4, "years"),
        (3, -0.1, "volatility"),
        (3, 1e6, "volatility"),
        (4, 0.0, "sign"),
        (4, 2.0, "sign"),
        (5, math.inf, "rate"),
        (5, 1e5, "rate"),
    ],
)
@pytest.mark.parametrize(
    "function", [black.greeks, black.price, black.bsm_greeks, *MODELS.values()]
)
def test_what_cannot_be_is_refused_by_name_and_element(
    function: Function, place: int, value: float, field: str
) -> None:
    arguments = [np.full(5, x) for x in (100.0, 110.0, 0.5, 0.4, 1.0, 0.02)]
    arguments[place][3] = value
    name = "spot" if function is black.bsm_greeks and field == "forward" else field
    with pytest.raises(QuantityError) as refused:
        function(*arguments)
    assert (refused.value.field, refused.value.index) == (name, 3)


def test_other_types_and_layouts_give_the_same_bits() -> None:
    strike = np.arange(80, 120)
    plain = black.greeks(100.0, strike.astype(float), 0.5, 0.25, 1.0)
    frozen = strike.astype(float)
    frozen.flags.writeable = False
    for other in (
        black.greeks(100, strike, np.float32(0.5), 0.25, np.int8(1)),
        black.greeks(100.0, frozen, 0.5, 0.25, 1.0),
        black.greeks(100.0, np.repeat(strike.astype(float), 2)[::2], 0.5, 0.25, 1.0),
        black.greeks([[100.0], [100.0]], strike, 0.5, 0.25, 1.0),
    ):
        for field, values in zip(Greeks._fields, other, strict=True):
            assert (values == getattr(plain, field)).all()
    assert black.greeks([], [], [], [], []).price.shape == (0,)


@pytest.mark.parametrize("bad", ["a", [1j], [object()], [[1.0], [1.0, 2.0]]])
def test_what_is_no_number_is_refused(bad: Any) -> None:
    with pytest.raises(QuantityError, match="strike"):
        black.price(100, bad, 1, 0.2, 1)


def test_lengths_that_do_not_match_are_refused_with_their_shapes() -> None:
    with pytest.raises(QuantityError, match=r"forward \(2,\), strike \(3,\)"):
        black.price([1, 2], [1, 2, 3], 1, 0.2, 1)


def test_long_and_short_runs_agree_bit_for_bit_whatever_the_position() -> None:
    """Vector body, scalar remainder and threads round alike."""
    size = black.PARALLEL_FROM + 5
    random = np.random.default_rng(1)
    strike = 100.0 * np.exp(random.normal(0.0, 0.5, size))
    whole = np.stack(black.greeks(100.0, strike, 0.3, 0.7, 1.0, 0.01))
    for start in (0, 1, 3, 7, 8, size - 13):
        part = np.stack(black.greeks(100.0, strike[start : start + 13], 0.3, 0.7, 1.0, 0.01))
        assert (part == whole[:, start : start + 13]).all()


@pytest.mark.parametrize("size", [1, 255, 256, 257, 600])
def test_an_option_has_the_same_bits_alone_and_in_a_block(size: int) -> None:
    """The kernels work on 256 options at a time: nothing is left over of the block before, none missed at its end."""
    random = np.random.default_rng(size)
    strike = 100.0 * np.exp(random.normal(0.0, 0.5, size))
    years, sign = random.uniform(0.0, 2.0, size), random.choice([-1.0, 1.0], size)
    columns = (np.full(size, 100.0), strike, years, np.full(size, 0.7), sign, np.full(size, 0.01))
    merton = (*columns, np.full(size, 0.02))
    whole, carried = np.stack(black.greeks(*columns)), np.stack(black.bsm_greeks(*merton))
    prices = black.price(*columns)
    assert (prices == whole[0]).all()
    for i in {0, size // 2, size - 1}:
        assert (np.stack(black.greeks(*(c[i] for c in columns))) == whole[:, i]).all()
        assert (np.stack(black.bsm_greeks(*(c[i] for c in merton))) == carried[:, i]).all()


def test_how_an_array_lies_in_memory_changes_no_bit() -> None:
    strike = np.linspace(50.0, 150.0, 12)
    locked = strike.copy()
    locked.flags.writeable = False
    reversed_twice, foreign = strike[::-1].copy()[::-1], strike.astype(">f8")
    plain = np.stack(black.greeks(np.full(12, 100.0), strike, 0.3, 0.7, 1.0))
    for odd in (locked, reversed_twice, foreign, strike.tolist()):
        assert (np.stack(black.greeks(np.full(12, 100.0), odd, 0.3, 0.7, 1.0)) == plain).all()
    table = black.greeks(100.0, strike.reshape(3, 4), 0.3, 0.7, 1.0)
    assert table.price.shape == (3, 4)
    assert (np.stack(table).reshape(8, 12) == plain).all()


def test_the_number_of_threads_changes_no_bit() -> None:
    code = (
        "import numpy as np, hashlib; from keeper.quant import black, implied\n"
        "n = black.PARALLEL_FROM + 17; k = 100 * np.exp(np.random.default_rng(2).normal(0, .4, n))\n"
        "s = np.where(k > 100, 1., -1.); g = black.greeks(100., k, .2, .6, s)\n"
        "v = implied.implied_volatility(g.price, 100., k, .2, s)\n"
        "print(hashlib.sha256(np.stack(g).tobytes() + v.volatility.tobytes()).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "NUMBA_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1


def test_one_option_in_a_kernel_has_the_bits_of_the_arrays() -> None:
    g = black.greeks(100.0, 93.0, 0.4, 0.8, -1.0)
    one = black.black_scalar(100.0, 93.0, 0.4, 0.8, -1.0)
    several = (g.price, g.delta, g.gamma, g.vega, g.theta, g.vanna, g.volga)
    assert one == tuple(float(x) for x in several)
    assert black.price(100.0, 93.0, 0.4, 0.8, -1.0) == g.price
