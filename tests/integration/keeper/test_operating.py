"""The commands of an operator against a real vault, and two keepers of it (K-09, K-10)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keeper.execution.signers import encrypt_keystore
from keeper.localnet.rpc import rpc
from keeper.model.outcome import TickStatus
from tests.integration.keeper.kept import Kept
from tests.secrets import PASSWORD, found_in

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 60.0


def command(kept: Kept, *arguments: str, **environment: Any) -> subprocess.CompletedProcess[str]:
    """One command in a process of its own, in the vault's folder."""
    with started(kept, *arguments, **environment) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


@contextmanager
def started(
    kept: Kept, *arguments: str, err: Path | None = None, **environment: Any
) -> Iterator[subprocess.Popen[str]]:
    """A command under way; ended with the block. What it says of itself goes to `err`, or else through a pipe."""
    own = {n: os.environ[n] for n in ("PATH", "HOME", "NUMBA_CACHE_DIR") if n in os.environ}
    with err.open("w") if err is not None else nullcontext(subprocess.PIPE) as stream:
        process = subprocess.Popen(
            [sys.executable, "-c", "from keeper.cli import main; main()", *arguments],
            cwd=kept.folder,
            env={**own, "PYTHONPATH": str(ROOT), "GIMBAL_CONFIG": str(kept.file), **environment},
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def until(happened: Any, *, meanwhile: Any = None, said: Path | None = None) -> None:
    """Wait for something that must come; how long it takes is not what is tested.

    meanwhile: done every second: a chain whose blocks come only with transactions would stand still for a keeper
    that waits for the next block. said: what is shown if it does not come.
    """
    end = time.monotonic() + PATIENCE_S
    next_s = time.monotonic() + 1
    while not happened():
        words = said.read_text() if said is not None else ""
        assert time.monotonic() < end, f"did not happen. {words}"
        time.sleep(0.1)
        if meanwhile is not None and time.monotonic() >= next_s:
            meanwhile()
            next_s = time.monotonic() + 1


def levels(found: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {line["check"]: line["level"] for line in json.loads(found.stdout)}


def test_doctor_looks_at_every_part_and_says_what_fails(kept: Kept) -> None:
    good = command(kept, "doctor", "--json", GIMBAL_PRIVATE_KEY=kept.key)
    found = levels(good)
    assert {"clock", "contracts", "role", "balance", "oracle", "heart", "key", "journal"} <= set(
        found
    )
    assert {"disk", "switches", "leadership", "loss budget", "vault", "pool"} <= set(found)
    assert (good.returncode, set(found.values()) - {"ok", "warn"}) == (0, set()), good.stdout
    assert command(kept, "kill", "--reason", "drill").returncode == 0
    stranger = "0x" + "5d" * 32
    bad = command(kept, "doctor", "--json", GIMBAL_PRIVATE_KEY=stranger)
    found = levels(bad)
    assert bad.returncode == 1
    assert [found[n] for n in ("role", "balance", "switches")] == ["fail", "fail", "fail"]
    gone = command(kept, "doctor", GIMBAL_RPC_URL="http://127.0.0.1:1", GIMBAL_PRIVATE_KEY=kept.key)
    assert gone.returncode == 1
    assert "to do: check its address" in gone.stdout
    second = '[protective_key]\nprivate_key_env = "SECOND_KEY"\n'
    kept.file.write_text(kept.file.read_text() + second)
    two = command(kept, "doctor", "--json", GIMBAL_PRIVATE_KEY=kept.key, SECOND_KEY=stranger)
    found = levels(two)
    assert [found[n] for n in ("role", "balance")] == ["ok", "ok"]
    assert [found[n] for n in ("protective role", "protective balance")] == ["fail", "fail"]


def test_a_killed_keeper_signs_nothing_until_it_is_revived(kept: Kept) -> None:
    kept.market(1_750)  # protection is due
    assert command(kept, "kill", "-r", "drill").returncode == 0
    killed = command(kept, "once", GIMBAL_PRIVATE_KEY=kept.key)
    assert killed.returncode == 1
    assert "kill switch: drill" in killed.stdout
    assert kept.nonce() == 0
    assert command(kept, "revive").returncode == 0
    assert command(kept, "once", GIMBAL_PRIVATE_KEY=kept.key).returncode == 0
    assert kept.rebalances() == 1


def test_two_keepers_that_send_the_same_decision_have_one_effect(
    kept: Kept, held_back: None
) -> None:
    """Split brain: two processes, two journals, one account, and both believe that they lead."""
    kept.market(1_750)
    kept.mine()
    other = replace(kept, folder=kept.folder / "other")
    other.folder.mkdir()
    with kept.keeper() as one, other.keeper() as two:
        block = one.head()
        sent = [keeper.tick(block).status for keeper in (one, two)]
        assert TickStatus.SENT in sent
        kept.mine()
        for keeper in (one, two):
            keeper.tick()
        kept.mine()
        assert kept.rebalances() == 1
        assert kept.health() > 1.4


def test_an_intent_that_took_effect_has_none_a_second_time(kept: Kept, held_back: None) -> None:
    """Whoever sends the same call again, from whatever account: it was for another state of the vault."""
    kept.market(1_750)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
        pool = rpc(kept.world.w3, "eth_getBlockByNumber", "pending", True)
    sent = [t for t in pool["transactions"] if t["to"] == kept.deployment.vault.lower()]
    kept.mine()
    assert kept.rebalances() == 1
    call = {"from": sent[0]["from"], "to": sent[0]["to"], "data": sent[0]["input"]}
    answer = kept.world.w3.provider.make_request("eth_call", [call, "latest"])  # type: ignore[arg-type]
    assert "error" in answer


def test_a_standby_takes_over_from_a_leader_that_was_killed(shared: Kept) -> None:
    kept = shared
    kept.file.write_text(
        kept.file.read_text()
        + f'[leadership]\nmode = "lease"\nttl_s = 2.0\nlease = "{kept.folder}/lease"\n'
    )

    def leads() -> str:
        try:
            return str(json.loads((kept.folder / "lease").read_text())["holder"])
        except (OSError, ValueError):
            return ""

    one, two = kept.folder / "one.txt", kept.folder / "two.txt"
    with started(kept, "run", err=one, GIMBAL_PRIVATE_KEY=kept.key) as first:
        until(lambda: f":{first.pid}:" in leads(), said=one)
        with started(kept, "run", err=two, GIMBAL_PRIVATE_KEY=kept.key) as second:
            until(lambda: "standing by" in two.read_text(), said=two)
            first.send_signal(signal.SIGKILL)
            first.wait()
            until(lambda: f":{second.pid}:" in leads(), said=two)
            kept.market(1_750)
            # it may have repaid what was idle before the sources agreed again, and sold only then
            until(
                lambda: kept.rebalances() >= 1 and kept.health() > 1.4,
                meanwhile=kept.mine,
                said=two,
            )
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=PATIENCE_S)
    assert "leading" in two.read_text()
    assert "keeper stopped" in two.read_text()
    assert leads() == ""  # given up, so that another need not wait


def test_an_order_is_handed_to_the_keeper_that_holds_the_journal(
    kept: Kept, held_back: None
) -> None:
    kept.market(1_750)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
    listed = command(kept, "tx", "list", "--json")
    (intent,) = json.loads(listed.stdout)
    assert kept.pending() == 1
    with started(kept, "run", GIMBAL_PRIVATE_KEY=kept.key) as running:
        until((kept.folder / "keeper-journal.sqlite.lock").exists)
        until(lambda: command(kept, "doctor", "--json").stdout.count("a keeper holds it") == 1)
        order = command(kept, "tx", "abandon", intent["intent_id"][:12], "--wait", "50")
        running.send_signal(signal.SIGTERM)
        running.wait(timeout=PATIENCE_S)
    assert "a keeper holds the journal: handed to it" in order.stderr
    assert order.returncode == 0, order.stdout + order.stderr
    assert "is abandoned" in order.stdout
    assert command(kept, "tx", "list").stdout == "nothing is in flight\n"


def test_protection_that_pays_all_it_is_worth_gives_way_to_a_person(
    kept: Kept, held_back: None
) -> None:
    """Nothing for 21,000 gas outbids a rebalance whose own bound leaves no room for a dearer one."""
    kept.market(1_750)
    with kept.keeper() as keeper:
        assert keeper.tick().status is TickStatus.SENT
    (intent,) = json.loads(command(kept, "tx", "list", "--json").stdout)
    said = command(kept, "tx", "cancel", intent["intent_id"], GIMBAL_PRIVATE_KEY=kept.key)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "gives way to" in said.stdout
    kept.mine()
    assert (kept.nonce(), kept.pending(), kept.rebalances()) == (1, 0, 0)
    with kept.keeper() as keeper:  # protection is still due, and decided anew
        keeper.tick()
        keeper.tick()
    kept.mine()
    assert kept.rebalances() == 1


@pytest.mark.parametrize("through", ["keystore", "environment"])
def test_no_secret_of_a_live_keeper_can_be_found_anywhere(kept: Kept, through: str) -> None:
    """K-09: streams, journal, metrics, command line and environment as the system shows them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment: dict[str, Any] = {
        "GIMBAL_OPS__LISTEN": address,
        "GIMBAL_PRIVATE_KEY": kept.key,
    }
    if through == "keystore":
        store = kept.folder / "k.json"
        store.write_text(encrypt_keystore(kept.key, PASSWORD, iterations=2))
        environment = {"GIMBAL_OPS__LISTEN": address, "GIMBAL_KEYSTORE_PASSWORD": PASSWORD}
        environment["GIMBAL_KEY__KEYSTORE"] = str(store)
    kept.market(1_750)

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
                return b'gimbal_ticks_total{status="sent",vault=' in page.read()
        except OSError:
            return False

    with started(kept, "run", **environment) as keeper:
        until(ready)
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
            shown = page.read()
        process = Path(f"/proc/{keeper.pid}")
        shown += (process / "cmdline").read_bytes()
        if os.geteuid() == 0:  # to others the system does not show it at all
            shown += (process / "environ").read_bytes()
        keeper.send_signal(signal.SIGTERM)
        out, err = keeper.communicate(timeout=PATIENCE_S)
    for arguments in (["config", "show"], ["doctor"], ["status", "--json"], ["tx", "list"]):
        done = command(kept, *arguments, **environment)
        shown += (done.stdout + done.stderr).encode()
    files = [p for p in kept.folder.rglob("*") if p.is_file() and p.name != "k.json"]
    assert any(p.name.startswith("keeper-journal") for p in files)
    for content in (out, err, shown, *(p.read_bytes() for p in files)):
        assert not found_in(content, kept.key, PASSWORD)
