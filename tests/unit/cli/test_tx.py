"""A person's orders beside keepers that take turns."""

from types import SimpleNamespace
from typing import Any

import pytest

from keeper.cli import operate, tx
from keeper.errors import SettingError


class Held:
    """A store that another keeper holds, or nobody does."""

    def __init__(self, by: str) -> None:
        self.by = by

    def hold(self, holder: str) -> bool:
        if not self.by:
            self.by = holder
        return self.by == holder

    def release(self, holder: str) -> None:
        if self.by == holder:
            self.by = ""

    def holder(self) -> str:
        return self.by


class Fake:
    """A keeper whose signer is only asked for, never needed."""

    def __init__(self, gate: Any) -> None:
        self.lanes = SimpleNamespace(cancel=self.sign, speed_up=self.sign, abandon=self.sign)
        self._gate = gate

    def sign(self, intent: str) -> str:
        assert self._gate.closed() is None
        return f"cancelled {intent}"

    def __enter__(self) -> "Fake":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def settings(tmp_path: Any) -> Any:
    return SimpleNamespace(
        vault="0x" + "11" * 20,
        ops=SimpleNamespace(control=tmp_path),
        leadership=SimpleNamespace(ttl_s=0.05),
    )


@pytest.fixture(autouse=True)
def _nobody_holds_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keeper.cli.journals.in_use", lambda _: False)
    monkeypatch.setattr("keeper.app.build_keeper", lambda *_, gate, **__: Fake(gate))


def order(monkeypatch: pytest.MonkeyPatch, settings: Any, store: Held | None) -> str | None:
    monkeypatch.setattr(operate, "store_of", lambda _: store)
    return tx._by_ourselves(settings, "cancel", "0xaa")


def test_a_standby_carries_out_no_order_while_another_keeper_leads(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """Its transaction would take a nonce that the leader is using (K-10)."""
    with pytest.raises(SettingError, match=r"another keeper leads.*elsewhere:1:abc"):
        order(monkeypatch, settings, Held("elsewhere:1:abc"))


def test_an_order_is_carried_out_under_leadership_and_gives_it_up_again(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    store = Held("")
    assert order(monkeypatch, settings, store) == "cancelled 0xaa"
    assert store.holder() == ""


def test_a_persons_order_passes_the_kill_switch_of_a_keeper_alone(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    operate.switches_of(settings).kill("test")
    assert order(monkeypatch, settings, None) == "cancelled 0xaa"
