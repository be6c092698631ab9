"""The development accounts a person is shown."""

from keeper.localnet.serve import dev_keys


def test_the_development_keys_are_the_well_known_ones() -> None:
    """The first two as every anvil prints them."""
    assert dev_keys(2) == [
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    ]
