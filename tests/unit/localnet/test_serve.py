"""The development accounts a person is shown."""

import socket
from pathlib import Path

import pytest

from keeper.deployment.bounds import EMERGENCY_MARGIN_WAD
from keeper.errors import LocalnetError
from keeper.localnet.serve import LOCALNET_FILE, ServeOptions, dev_keys, localnet_file, serving
from keeper.localnet.vaults import terms_for
from keeper.model.units import WAD


def test_the_development_keys_are_the_well_known_ones() -> None:
    """The first two as every anvil prints them."""
    assert dev_keys(2) == [
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    ]


def test_a_used_port_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LocalnetError, match=f"port {port} is in use.*--port"):
            serving(tmp_path, options=ServeOptions(port=port)).__enter__()
    assert not list(tmp_path.iterdir())


def test_each_port_has_its_own_folder(tmp_path: Path) -> None:
    assert localnet_file(tmp_path, 8545) == tmp_path / LOCALNET_FILE
    assert localnet_file(tmp_path, 9000).parent != localnet_file(tmp_path, 9001).parent


@pytest.mark.parametrize(
    ("health", "minimum"), [(1.6, 1.3), (1.2, 1.1), (1.01, 1.01), (3.0, 2.0), (100.0, 10.0)]
)
def test_the_mandates_minimum_fits_the_health(health: float, minimum: float) -> None:
    terms = terms_for(health)
    assert terms.limits.min_health_wad / WAD == pytest.approx(minimum)
    most = terms.limits.min_health_wad - EMERGENCY_MARGIN_WAD
    assert terms.emergency.emergency_health_wad <= most, "the contracts would refuse it"
