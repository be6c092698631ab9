"""What a real rescue leaves in the journal is whole, reads as a receipt, and is decided again the same (K-07)."""

import pytest

from keeper.cli.main import invoke
from keeper.journal.verify import verify
from tests.integration.keeper.kept import Kept

_IN_DANGER_USD = 1_700.0


def test_the_journal_of_a_rescue_is_whole_and_replays(
    kept: Kept, capsys: pytest.CaptureFixture[str]
) -> None:
    with kept.keeper() as keeper:
        keeper.tick()
        kept.market(_IN_DANGER_USD)
        for _ in range(3):
            keeper.tick()
            kept.mine()
        assert keeper.journal.actions()
        assert [f"{f.table} {f.row}: {f.problem}" for f in verify(keeper.journal)] == []
        attempt = keeper.journal.actions()[-1]
    capsys.readouterr()
    journal = ("--journal", str(kept.settings.journal.path))
    assert invoke(["replay", *journal]) == 0
    assert "0 different" in capsys.readouterr().out
    assert invoke(["journal", "show", attempt.tx_hash, *journal]) == 0
    receipt = capsys.readouterr().out
    assert attempt.tx_hash in receipt
    assert "cost real  gas" in receipt
