"""Three vaults of one keeper and one account in a crash; the process is killed twice on the way (K-01, K-03, K-04)."""

import json
from pathlib import Path

import pytest

from keeper.journal.store import open_journal
from keeper.localnet.position import open_leveraged
from keeper.localnet.rpc import rpc
from keeper.localnet.vaults import deploy_vault, deposit
from keeper.localnet.world import World
from keeper.model.outcome import AttemptStatus
from keeper.model.units import WAD
from tests.integration.keeper.kept import DOLLAR, HIGH, LOW, TARGET, Kept, open_kept
from tests.integration.keeper.test_operating import command, started, until

NAMES = ("one", "two", "three")


@pytest.fixture
def three(world: World, tmp_path: Path) -> tuple[Kept, ...]:
    """Vaults of one lens at health 1.5; the settings of all are with the first."""
    first = open_kept(world, tmp_path)
    found = [first]
    for _ in NAMES[1:]:
        keepers, lens = [world.accounts.keeper], first.deployment.lens
        deployment = deploy_vault(world, keepers=keepers, lens=lens)
        deposit(world, deployment, world.accounts.depositor, 100_000 * DOLLAR)
        open_leveraged(world, deployment, int(1.5 * WAD), 1_000 * DOLLAR)
        found.append(Kept(world, deployment, tmp_path))
    first.mine(60)
    entries = "".join(
        f'[[vaults]]\nname = "{name}"\nvault = "{kept.deployment.vault}"\n'
        for name, kept in zip(NAMES, found, strict=True)
    )
    first.file.write_text(
        f'chain_id = 1\nrpc_url = "{world.http_url}"\nws_url = "{world.ws_url}"\n'
        f'lens = "{first.deployment.lens}"\n'
        f"[strategy.parameters]\nlow = {LOW}\ntarget = {TARGET}\nhigh = {HIGH}\n"
        "[guard]\nmax_loss_bps = 200\n[tick]\nmax_head_age_s = 4000000000\n"
        f"max_head_ahead_s = 4000000000\n{entries}"
    )
    return tuple(found)


def nothing_open(kept: Kept) -> bool:
    with open_journal(kept.settings.journal.path, exclusive=False) as journal:
        return not journal.open_attempts(1, kept.world.accounts.keeper)


def test_every_vault_is_saved_once_whatever_is_killed_on_the_way(
    world: World, three: tuple[Kept, ...]
) -> None:
    first = three[0]
    began = first.nonce()
    first.market(1_700)
    assert all(kept.health() < LOW for kept in three)
    rpc(world.w3, "evm_setAutomine", False)
    log = first.folder / "keeper.log"
    try:
        for least in (1, 2):  # killed with the first transaction out, and with more
            with started(first, "run", err=log, GIMBAL_PRIVATE_KEY=first.key) as running:
                until(lambda n=least: first.pending() >= n, said=log)
                running.kill()
                running.wait()
        with started(first, "run", err=log, GIMBAL_PRIVATE_KEY=first.key):
            until(lambda: all(k.health() >= LOW for k in three), meanwhile=first.mine, said=log)
            until(lambda: nothing_open(first), meanwhile=first.mine, said=log)
            assert first.pending() == 0
        shown = command(first, "status", "--json")
    finally:
        rpc(world.w3, "anvil_dropAllTransactions")
        rpc(world.w3, "evm_setAutomine", True)
    assert [(v["name"], v["vault"]) for v in json.loads(shown.stdout)] == [
        (name, kept.deployment.vault) for name, kept in zip(NAMES, three, strict=True)
    ]
    with open_journal(first.settings.journal.path, exclusive=False) as journal:
        mined = 0
        for kept in three:
            actions = journal.actions(100, kept.deployment.vault)
            took_effect = [a for a in actions if a.status is AttemptStatus.MINED]
            assert kept.rebalances() == len({a.intent_id for a in took_effect}) == len(took_effect)
            assert took_effect
            mined += sum(a.status in (AttemptStatus.MINED, AttemptStatus.REVERTED) for a in actions)
        assert first.nonce() - began == mined  # consecutive, none used twice, no gap


def test_doctor_journal_and_pause_know_the_vaults_by_name(three: tuple[Kept, ...]) -> None:
    first = three[0]
    checked = command(first, "doctor", "--json", GIMBAL_PRIVATE_KEY=first.key)
    checks = {line["check"]: line["level"] for line in json.loads(checked.stdout)}
    assert {checks[f"{name}: role"] for name in NAMES} == {"ok"}
    assert {f"{name}: switches" for name in NAMES} <= checks.keys()
    assert command(first, "pause", "two", "-r", "drill").returncode == 0
    assert "name one of one, two, three" in command(first, "pause").stderr
    first.market(1_700)
    once = command(first, "once", GIMBAL_PRIVATE_KEY=first.key)
    assert [line.split(": ")[0] for line in once.stdout.splitlines()] == list(NAMES)
    assert once.stdout.count(": sent: ") == 3  # a paused vault is protected too
    listed = command(first, "journal", "list", "--vault", "two", "--json")
    assert {row["vault"] for row in json.loads(listed.stdout)} == {three[1].deployment.vault}
