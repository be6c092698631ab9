"""The settings that `keeper localnet` leaves for a developer work as they stand."""

import stat
from pathlib import Path

import pytest

from keeper.cli.localnet import write_settings
from keeper.cli.main import invoke
from keeper.config.key import load_signer
from keeper.config.load import load
from tests.unit.config.test_load import LENS, VAULT

KEY = "0x" + "4c" * 32
DESCRIPTION = {
    "chain_id": 1,
    "rpc_url": "http://127.0.0.1:8545",
    "ws_url": "ws://127.0.0.1:8545",
    "vault": VAULT,
    "lens": LENS,
    "accounts": {"keeper": {"private_key": KEY}},
}


def test_the_written_settings_load_and_open_the_key(tmp_path: Path) -> None:
    file = write_settings(DESCRIPTION, tmp_path)
    settings = load(file, {}).settings
    signer = load_signer(settings.key, {})
    assert signer is not None
    assert settings.vault == VAULT
    assert KEY.removeprefix("0x") not in file.read_text()


def test_the_band_fits_the_vaults_health(tmp_path: Path) -> None:
    settings = load(write_settings(DESCRIPTION, tmp_path, 1.2, 100), {}).settings
    assert settings.strategy.parameters["low"] == pytest.approx(1.16)
    assert settings.tick.deadline_s == 400


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--health", "1.01"], "--health"),
        (["--health", "4"], "--health"),
        (["--scenario", "gap", "--price", "1800"], "--price: the path has its own prices"),
        (["--scenario", "gap", "--block-time", "0"], "--block-time"),
        (["--scenario", "boom"], "boom"),
        (["--scenario", "gap", "--prices", "p.csv"], "not both"),
    ],
)
def test_what_cannot_be_served_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert invoke(["localnet", *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.count("\n") == 1


def test_key_files_are_for_their_owner_only(tmp_path: Path) -> None:
    write_settings(DESCRIPTION, tmp_path)
    for name in ("keystore.json", "password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_journal_of_a_chain_that_is_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("old")
    write_settings(DESCRIPTION, tmp_path)
    assert not (tmp_path / "journal.sqlite").exists()
