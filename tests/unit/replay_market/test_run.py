"""Where a replay writes: into a folder of its own, never over what a living keeper needs."""

from pathlib import Path

import pytest

from keeper.errors import SettingError
from keeper.replay_market.run import ReplayOptions, replay_market
from keeper.replay_market.source import Wanted
from keeper.replay_market.stage import JOURNAL_FILE, SETTINGS_FILE, WRITTEN, Vault

PATH = Wanted(scenario="crash", seed=1)


@pytest.mark.parametrize(
    ("file", "text", "ours"),
    [
        (SETTINGS_FILE, 'chain_id = 1\nvault = "0x1"\n', False),
        (SETTINGS_FILE, "", False),
        (JOURNAL_FILE, "SQLite", False),
        (f"{JOURNAL_FILE}-wal", "", False),
        (SETTINGS_FILE, f"{WRITTEN}\nchain_id = 31337\n", True),
        ("rows.csv", "1,2", True),
    ],
)
def test_what_a_living_keeper_needs_is_never_written_over(
    tmp_path: Path, file: str, text: str, ours: bool
) -> None:
    """`--out .` beside one's own keeper.toml; the intents in a journal are what its next nonce is known by."""
    (tmp_path / file).write_text(text)
    options = ReplayOptions(PATH, Vault("no such strategy", {}), tmp_path)
    with pytest.raises(SettingError) as refused:
        replay_market(options, say=lambda _: None, progress=lambda *_: None)
    assert ("of another keeper" in str(refused.value)) is not ours
    assert (tmp_path / file).read_text() == text
