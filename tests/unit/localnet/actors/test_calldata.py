"""Calldata is what the contracts expect."""

import pytest

from keeper.localnet.actors.calldata import Swap, call_data

ADDRESS = "0x" + "11" * 20


@pytest.mark.parametrize(
    ("signature", "values", "selector"),
    [
        ("slot0()", (), "0x3850c7bd"),
        ("balanceOf(address)", (ADDRESS,), "0x70a08231"),
        ("aggregate3((address,bool,bytes)[])", ([(ADDRESS, False, b"\x01")],), "0x82ad56cb"),
        (
            "liquidationCall(address,address,address,uint256,bool)",
            (ADDRESS, ADDRESS, ADDRESS, 1, False),
            "0x00a718a9",
        ),
    ],
)
def test_selectors_are_the_published_ones(
    signature: str, values: tuple[object, ...], selector: str
) -> None:
    assert call_data(signature, *values).startswith(selector)


def test_a_swap_has_eight_words_and_the_routers_selector() -> None:
    data = Swap(ADDRESS, ADDRESS, 500, ADDRESS, 7, sqrt_price_limit=9).data()
    assert data.startswith("0x414bf389")
    assert len(data) == 10 + 8 * 64
    assert int(data[-64:], 16) == 9
