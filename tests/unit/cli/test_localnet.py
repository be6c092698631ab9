"""The settings that `keeper localnet` leaves for a developer work as they stand."""

import stat
from pathlib import Path

from keeper.cli.localnet import write_settings
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


def test_key_files_are_for_their_owner_only(tmp_path: Path) -> None:
    write_settings(DESCRIPTION, tmp_path)
    for name in ("keystore.json", "password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_journal_of_a_chain_that_is_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_text("old")
    write_settings(DESCRIPTION, tmp_path)
    assert not (tmp_path / "journal.sqlite").exists()
