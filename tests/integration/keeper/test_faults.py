"""The bad inputs a person or a network makes: one clear line, an exit code, never a transaction."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.cli.main import invoke
from keeper.localnet.rpc import rpc
from keeper.localnet.vaults import add_keeper, deploy_vault
from keeper.localnet.world import World
from tests.integration.keeper.kept import Kept
from tests.rpc_server import rpc_server

UNFUNDED_KEY = "0x" + "77" * 32
Says = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith("GIMBAL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plain(world: World, tmp_path: Path) -> Kept:
    """A vault with nothing in it: enough for what fails before the first tick."""
    return Kept(world, deploy_vault(world, keepers=[world.accounts.keeper]), tmp_path)


def ends(kept: Kept, said: Says, *arguments: str, **env: str) -> tuple[int, str]:
    """Exit code and standard error's only line of a command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIMBAL_PRIVATE_KEY", kept.key)
        for name, value in env.items():
            patch.setenv(f"GIMBAL_{name}", value)
        code = invoke([*arguments, "--config", str(kept.file)])
    lines = [line for line in said.readouterr().err.splitlines() if line.startswith("keeper:")]
    assert len(lines) == (code != 0 or bool(lines))
    return code, lines[0] if lines else ""


@pytest.mark.parametrize(
    ("env", "code", "says"),
    [
        ({"CHAIN_ID": "10"}, 2, "serves chain id 1, the settings say 10"),
        ({"CHAIN_ID": "987654"}, 2, "setting chain_id: 987654 is unknown"),
        (
            {"VAULT": "0x00000000000000000000000000000000000000AA"},
            2,
            "no code at the vault address",
        ),
        ({"LENS": "0x00000000000000000000000000000000000000AA"}, 2, "no code at the lens address"),
        ({"RPC_URL": "http://127.0.0.1:9"}, 1, "could not connect; check that it is up"),
        ({"PRIVATE_KEY": "0x1234"}, 2, "is not a private key"),
        ({"PRIVATE_KEY": UNFUNDED_KEY}, 2, "does not accept 0x"),
        ({"KEY__KEYSTORE": "/none.json"}, 2, "keystore /none.json: no such file"),
        ({"STRATEGY__NAME": "martingale"}, 2, "no strategy 'martingale'"),
        ({"TICK__DEADLINE_S": "0"}, 2, "setting tick.deadline_s"),
        ({"JOURNAL__PATH": "/dev/null/j"}, 1, "journal /dev/null/j: cannot be written"),
    ],
)
@pytest.mark.parametrize("command", ["once", "run"])
def test_a_fault_at_the_start_is_one_line_and_an_exit_code(  # noqa: PLR0917 - a table
    plain: Kept, capsys: Says, command: str, env: dict[str, str], code: int, says: str
) -> None:
    found, line = ends(plain, capsys, command, **env)
    assert (found, says in line) == (code, True), line
    assert plain.nonce() == plain.pending() == 0


def test_a_contract_that_is_no_vault_is_named(plain: Kept, capsys: Says) -> None:
    token = plain.world.addresses.usdc
    code, line = ends(plain, capsys, "once", VAULT=token)
    assert code == 2
    assert f"vault {token}: the lens cannot read it" in line


def test_a_contract_that_is_no_lens_is_named(plain: Kept, capsys: Says) -> None:
    code, line = ends(plain, capsys, "once", LENS=plain.world.addresses.usdc)
    assert code == 2
    assert "set vault and lens" in line


def test_an_unfunded_keeper_is_told_to_get_ether(plain: Kept, capsys: Says) -> None:
    from keeper.execution.signer import from_private_key

    poor = from_private_key(UNFUNDED_KEY, "test").address
    add_keeper(plain.world, plain.deployment, poor)
    code, line = ends(plain, capsys, "run", PRIVATE_KEY=UNFUNDED_KEY)
    assert code == 2
    assert f"account {poor} holds 0.000000 ETH" in line
    assert "send it ETH" in line


@pytest.mark.parametrize(
    ("password", "says"),
    [("battery staple", "wrong password"), (None, "there is no password for it")],
)
def test_a_keystore_without_its_password_is_named(
    plain: Kept, capsys: Says, tmp_path: Path, password: str | None, says: str
) -> None:
    from keeper.execution.signer import encrypt_keystore

    (tmp_path / "k.json").write_text(encrypt_keystore(plain.key, "right", iterations=2))
    env = {"KEYSTORE_PASSWORD": password} if password else {}
    code, line = ends(plain, capsys, "once", KEY__KEYSTORE=str(tmp_path / "k.json"), **env)
    assert (code, says in line) == (2, True), line


def test_a_slow_endpoint_is_given_up(plain: Kept, capsys: Says) -> None:
    gate = threading.Event()

    def stall(_body: bytes) -> bytes:
        gate.wait(2)
        return b"{}"

    with rpc_server(stall) as url:
        code, line = ends(plain, capsys, "once", RPC_URL=url, RPC_TIMEOUT_S="0.2")
        gate.set()
    assert (code, "did not answer within 0.2 s" in line) == (1, True), line


def test_an_endpoint_that_talks_nonsense_is_named(plain: Kept, capsys: Says) -> None:
    with rpc_server(lambda _: b"<html>login</html>") as url:
        code, line = ends(plain, capsys, "once", RPC_URL=url)
    assert (code, "not JSON-RPC" in line) == (1, True), line


def test_a_live_keeper_without_a_key_does_not_start(plain: Kept, capsys: Says) -> None:
    code, line = ends(plain, capsys, "run", PRIVATE_KEY="")
    assert (code, "no key is named" in line) == (2, True), line


def test_a_vault_without_position_ends_a_single_tick_with_a_reason(
    plain: Kept, capsys: Says
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIMBAL_PRIVATE_KEY", plain.key)
        assert invoke(["once", "--config", str(plain.file)]) == 0
    assert "held: no position" in capsys.readouterr().out
    assert plain.nonce() == 0


def test_once_saves_a_vault_and_waits_for_the_receipt(kept: Kept, capsys: Says) -> None:
    kept.market(1_700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIMBAL_PRIVATE_KEY", kept.key)
        assert invoke(["once", "--dry-run", "--config", str(kept.file)]) == 0
        assert "would send" in capsys.readouterr().out
        assert kept.nonce() == 0
        assert invoke(["once", "--config", str(kept.file)]) == 0
    assert "(mined); transaction 0x" in capsys.readouterr().out
    assert (kept.nonce(), kept.rebalances()) == (1, 1)


def test_status_shows_the_vault_without_any_key(kept: Kept, capsys: Says) -> None:
    import json

    assert invoke(["status", "--json", "--config", str(kept.file)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert float(shown["health"]) == pytest.approx(kept.health(), rel=1e-3)
    assert float(shown["price"]) == pytest.approx(2_000)
    assert shown["fall_to_liquidation"] == pytest.approx(1 / 3, abs=0.01)
    assert invoke(["status", "--config", str(kept.file)]) == 0
    screen = capsys.readouterr().out
    for word in ("NAV", "health", "net delta", "liquidation price", "oracle", "keeper"):
        assert word in screen


@pytest.fixture
def ticking(world: World) -> Iterator[None]:
    """A block every second."""
    rpc(world.w3, "evm_setIntervalMining", 1)
    yield
    rpc(world.w3, "evm_setIntervalMining", 0)
    rpc(world.w3, "evm_setAutomine", True)


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_follows_heads_and_ends_politely(kept: Kept, number: signal.Signals) -> None:
    command = "from keeper.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", command, "run", "--config", str(kept.file)],
        env={**os.environ, "GIMBAL_PRIVATE_KEY": kept.key, "GIMBAL_LOG__FORMAT": "json"},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    log = []
    for line in process.stderr:
        log.append(line)
        if sum("tick held" in entry for entry in log) == 2:
            process.send_signal(number)
            break
    log += process.stderr.readlines()
    process.stderr.close()
    assert process.wait(10) == 0, log
    assert "keeper stopped" in log[-1]
    assert kept.key.removeprefix("0x") not in "".join(log)
