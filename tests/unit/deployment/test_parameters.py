"""A parameters file: what is read, and that every mistake is named by its field."""

from decimal import Decimal
from pathlib import Path

import pytest

from keeper.deployment.parameters import parse
from keeper.errors import ParametersError

EXAMPLES = sorted((Path(__file__).parents[3] / "scripts" / "parameters").glob("*.toml"))
PLAIN = next(path for path in EXAMPLES if path.stem == "weth-usdc").read_text()
WITH_OPTIONS = next(path for path in EXAMPLES if path.stem == "weth-usdc-options").read_text()


def refusal(text: str) -> str:
    with pytest.raises(ParametersError) as caught:
        parse(text, "file.toml")
    return str(caught.value)


def replaced(old: str, new: str, text: str = PLAIN) -> str:
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


def test_decimals_are_exact() -> None:
    p = parse(replaced("min_health = 1.25 ", "min_health = 1.150000000000000001 "), "f")
    assert p.limits.min_health == Decimal("1.150000000000000001")


def test_the_digest_follows_the_values_and_not_the_layout() -> None:
    assert parse(PLAIN, "a").digest == parse("# moved\n" + PLAIN, "b").digest
    assert (
        parse(PLAIN, "a").digest
        != parse(replaced("slice_bps = 2_500", "slice_bps = 2_501"), "a").digest
    )


def test_one_file_has_options_and_one_has_none() -> None:
    assert not parse(PLAIN, "f").with_options
    assert parse(WITH_OPTIONS, "f").with_options


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("chain_id = 1\n", "", "chain_id: is missing"),
        (
            "chain_id = 1\n",
            "chain_id = 0\n",
            "chain_id: input should be greater than or equal to 1",
        ),
        ("slice_bps = 2_500", "slice_bps = 25.5", "emergency.slice_bps: is not a whole number"),
        ("slice_bps = 2_500", "slice_bps = true", "emergency.slice_bps: is not a whole number"),
        ("slice_bps = 2_500", 'slice_bps = "2500"', "emergency.slice_bps: is not a whole number"),
        ("slice_bps = 2_500", "slices_bps = 2_500", "emergency.slices_bps: is not a parameter"),
        ("min_health = 1.25", "min_health = true", "limits.min_health: is not a number"),
        ("min_health = 1.25", "min_health = nan", "limits.min_health: is not a finite number"),
        ("cap = 1_000_000", "cap = -1", "deposits.cap: is not a finite number of at least 0"),
        ("cap = 1_000_000", "cap = inf", "deposits.cap: is not a finite number of at least 0"),
        ("cap = 1_000_000", "cap = 1e999999999", "deposits.cap: is out of all proportion"),
        ("allow_listed = false", "allow_listed = 1", "deposits.allow_listed: "),
        ('symbol = "gUSDC"', 'symbol = ""', "vault.symbol: string should have at least 1"),
        ('symbol = "gUSDC"', 'symbol = " gUSDC"', "vault.symbol: has spaces around it"),
        ('id = "weth-usdc"', 'id = "../1"', "vault.id: string should match pattern"),
        (
            'owner = "0x1000000000000000000000000000000000000001"',
            'owner = "0x0000000000000000000000000000000000000000"',
            "roles.owner: is the zero address",
        ),
        (
            'asset = "0xA0b8',
            'asset = "0xa0B8',
            "vault.asset: has a wrong checksum",
        ),
        (
            'curator = "0x1000000000000000000000000000000000000002"',
            'curator = "0x10"',
            "roles.curator: is not an address",
        ),
        (
            'keepers = ["0x1000000000000000000000000000000000000004"]',
            'keepers = ["bob"]',
            "roles.keepers.0: is not an address",
        ),
        (
            'keepers = ["0x1000000000000000000000000000000000000004"]',
            'keepers = "0x1000000000000000000000000000000000000004"',
            "roles.keepers: ",
        ),
        ("[emergency] ", "[emergencies] ", "emergency: is missing"),
        ("[emergency] ", "[emergency ", "is not TOML: "),
    ],
)
def test_a_mistake_is_one_line_that_names_its_field(old: str, new: str, said: str) -> None:
    text = refusal(replaced(old, new))
    assert text.startswith("parameters file.toml: ")
    assert said in text


def test_every_mistake_is_listed() -> None:
    text = replaced("slice_bps = 2_500", "slice_bps = 1.5", replaced("chain_id = 1\n", ""))
    lines = refusal(text).splitlines()
    assert lines[0] == "parameters file.toml: 2 problems"
    assert [line.split(":")[0].strip() for line in lines[1:]] == ["chain_id", "emergency.slice_bps"]
