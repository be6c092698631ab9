"""What anvil is asked for, and what is said when it cannot be had. Nothing is started here."""

from pathlib import Path

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.anvil import (
    Anvil,
    AnvilOptions,
    _remove_leftovers,
    anvil_binary,
    arguments,
    free_port,
)

STATE = Path("state")


def _has(args: list[str], flag: str, value: str) -> bool:
    return flag in args and args[args.index(flag) + 1] == value


def test_every_node_is_cancun_on_loopback_and_orders_by_fee() -> None:
    args = arguments(AnvilOptions(), 8545, STATE)
    assert _has(args, "--host", "127.0.0.1")
    assert _has(args, "--hardfork", "cancun")
    assert _has(args, "--order", "fees")
    assert _has(args, "--chain-id", "1")


def test_a_fork_never_caches_the_upstream_on_disk() -> None:
    """The cache is keyed by chain id and block and would answer with a chain built before."""
    args = arguments(AnvilOptions(fork_url="http://127.0.0.1:1"), 8545, STATE)
    assert _has(args, "--fork-url", "http://127.0.0.1:1")
    assert "--no-storage-caching" in args


@pytest.mark.parametrize(
    ("options", "present", "absent"),
    [
        (AnvilOptions(), (), ("--no-mining", "--block-time")),
        (AnvilOptions(auto_mine=False), ("--no-mining",), ("--block-time",)),
        (AnvilOptions(block_time_s=2), ("--block-time", "--mixed-mining"), ("--no-mining",)),
        (
            AnvilOptions(block_time_s=0.5, auto_mine=False),
            ("--block-time",),
            ("--no-mining", "--mixed-mining"),
        ),
    ],
)
def test_mining_is_at_once_on_demand_or_by_the_clock(
    options: AnvilOptions, present: tuple[str, ...], absent: tuple[str, ...]
) -> None:
    args = arguments(options, 8545, STATE)
    assert all(flag in args for flag in present)
    assert not any(flag in args for flag in absent)


def test_state_base_fee_and_genesis_time_are_passed_on() -> None:
    options = AnvilOptions(load_state=Path("dump.json"), base_fee_wei=7, timestamp=1_500_000_000)
    args = arguments(options, 8545, STATE)
    assert _has(args, "--load-state", "dump.json")
    assert _has(args, "--block-base-fee-per-gas", "7")
    assert _has(args, "--timestamp", "1500000000")


def test_a_missing_binary_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalnetError, match="make setup"):
        anvil_binary(tmp_path)


def test_the_native_binary_is_taken_from_the_packages(tmp_path: Path) -> None:
    binary = tmp_path / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    binary.parent.mkdir(parents=True)
    binary.write_text("")
    binary.chmod(0o755)
    assert anvil_binary(tmp_path) == binary


def test_a_free_port_is_a_port() -> None:
    assert 1024 <= free_port() <= 65_535


def test_a_node_that_never_started_closes_quietly(tmp_path: Path) -> None:
    binary = tmp_path / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    binary.parent.mkdir(parents=True)
    binary.write_text("")
    binary.chmod(0o755)
    node = Anvil(tmp_path, AnvilOptions(), log_dir=tmp_path / "logs", name="never")
    node.close()
    assert node.pid is None


def test_what_another_starter_cleaned_up_first_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "fork-999999999.log"
    monkeypatch.setattr(Path, "glob", lambda _self, _pattern: iter([gone]))
    _remove_leftovers(tmp_path)
    assert not gone.exists()
