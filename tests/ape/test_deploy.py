"""A whole deployment on the fork, through the script's own code: planned, sent, interrupted, refused; roles read."""

import json
import re
import subprocess

import ape
import pytest
from eth_utils.abi import function_signature_to_4byte_selector

from keeper.deployment.bounds import DAY
from keeper.deployment.roles import WIRING, Role, deviations
from keeper.errors import DeploymentError, ParametersError, WrongVaultError
from scripts._deployment.account import ApeSigner
from scripts._deployment.artifacts import Artifacts
from scripts._deployment.chain import Chain
from scripts.deploy import Run, load_parameters, record_path
from scripts.roles import roles
from tests.ape.conftest import DOLLAR, ROOT
from tests.ape.safe import Safe

PLAIN, WITH_OPTIONS = "weth-usdc", "weth-usdc-options"
OWNER_DELAY, CURATOR_DELAY = 3 * DAY, DAY


class Site:
    """The accounts of a deployment, and the files and chain it works with."""

    def __init__(self, project, accounts, addresses, folder):
        self.project = project
        self.folder = folder
        self.at = addresses
        self.deployer, self.curator, self.guardian = accounts[7], accounts[4], accounts[9]
        self.keeper, self.stranger = accounts[6], accounts[8]
        self.safe = Safe([accounts[0], accounts[2], accounts[3]], 2, accounts[3])
        self.chain = Chain(ape.chain.provider.web3)
        self.artifacts = Artifacts(project)
        self.usdc = ape.Contract(addresses["usdc"], abi=project.Vault.contract_type.abi)
        self.usdc.transfer(self.deployer, 10 * DOLLAR, sender=accounts[5])

    def file(self, name=PLAIN, **changes):
        """An example file, for this chain; `table__name=value` replaces more."""
        values = {
            "vault__asset": self.at["usdc"],
            "vault__base": self.at["weth"],
            "roles__owner": self.safe.address,
            "roles__curator": self.curator.address,
            "roles__guardian": self.guardian.address,
            "roles__keepers": [self.keeper.address],
            "oracle__pool": self.at["uniswap_pool"],
            "oracle__base__feed": self.at["eth_usd_feed"],
            "oracle__quote__feed": self.at["usdc_usd_feed"],
            "venues__aave_addresses_provider": self.at["aave_addresses_provider"],
            "venues__uniswap_pool": self.at["uniswap_pool"],
            **changes,
        }
        text = (ROOT / "scripts" / "parameters" / f"{name}.toml").read_text()
        path = self.folder / f"{name}.toml"
        path.write_text(rewritten(text, values))
        return path

    def run(self, path, lines=None):
        said = [] if lines is None else lines
        return Run(self.project, self.chain, str(path), load_parameters(path), said.append)

    def record(self):
        return record_path("mainnet-fork", 1, self.folder / "deployments")

    def deploy(self, path, lines=None, signer=None):
        """As the script does."""
        run = self.run(path, lines)
        book = run.book(self.record(), self.deployer.address)
        run.plan(self.deployer.address, book.entry)
        return run.send(signer or self.signer(), book)

    def signer(self):
        return ApeSigner(self.deployer, ape.chain.provider)

    def nonce(self):
        return self.chain.w3.eth.get_transaction_count(self.deployer.address)

    def contract(self, entry, name):
        kind = self.project.AccessSetup if name == "AccessManager" else getattr(self.project, name)
        return ape.Contract(entry.addresses[name], abi=kind.contract_type.abi)

    def manager(self, entry):
        path = "@openzeppelin/contracts/build/contracts/AccessManager.json"
        abi = json.loads((ROOT / "node_modules" / path).read_text())["abi"]
        return ape.Contract(entry.addresses["AccessManager"], abi=abi)


def rewritten(text, values):
    """TOML with values replaced by their tables' and their own name; each must be there."""
    lines, table, left = [], "", dict(values)
    for line in text.splitlines():
        if match := re.match(r"\[+([\w.]+)\]+", line):
            table = match[1].replace(".", "__") + "__"
        match = re.match(r"(\w+) = ", line)
        key = table + match[1] if match else None
        if key in left:
            value = left.pop(key)
            shown = json.dumps(value) if not isinstance(value, bool) else str(value).lower()
            lines.append(f"{match[1]} = {shown}")
        else:
            lines.append(line)
    assert not left, f"not in the file: {left}"
    return "\n".join(lines)


def wait(seconds):
    ape.chain.pending_timestamp += seconds
    ape.chain.mine()


@pytest.fixture
def site(project, accounts, addresses, tmp_path):
    return Site(project, accounts, addresses, tmp_path)


# ---------------------------------------------------------------- the whole


def test_a_vault_is_deployed_verified_and_recorded_with_a_safe_as_owner(site):
    said = []
    path = site.file()
    entry = site.deploy(path, said)
    text = "\n".join(said)
    assert entry.status == "complete"
    assert "owner: a Safe 1.5.0, 2 of 3" in text
    assert "Deployed and verified" in text
    assert "The wiring is the intended one." in text
    record = json.loads(site.record().read_text())
    assert record["chain_id"] == 1
    written = record["vaults"]["weth-usdc"]
    assert written["status"] == "complete"
    assert written["parameters"] == load_parameters(path).digest
    for name, contract in written["contracts"].items():
        assert site.chain.code(contract["address"]), name
    vault, mandate = site.contract(entry, "Vault"), site.contract(entry, "Mandate")
    assert vault.depositPolicy().cap == 1_000_000 * DOLLAR
    assert mandate.terms().limits.minHealthWad == 125 * 10**16
    assert site.usdc.balanceOf(vault) == DOLLAR
    assert mandate.isKeeper(site.keeper)


def test_gas_is_foretold(site):
    said = []
    site.deploy(site.file(), said)
    foretold, spent = {}, {}
    for line in said:
        if match := re.match(r"  (\w[\w ]*?)  +([\d,]+) gas$", line):
            foretold[match[1]] = int(match[2].replace(",", ""))
        if match := re.match(r"  (\w[\w ]*?)  .*block \d+, ([\d,]+) gas$", line):
            spent[match[1]] = int(match[2].replace(",", ""))
    assert len(spent) == 11
    assert foretold.keys() == spent.keys(), said
    for step, gas in spent.items():
        assert foretold[step] == pytest.approx(gas, rel=0.02, abs=5_000), step


def test_a_vault_with_options_gets_its_desk_and_marks_under_the_same_delays(site):
    entry = site.deploy(site.file(WITH_OPTIONS, volatility__poster=site.keeper.address))
    vault, marks = site.contract(entry, "Vault"), site.contract(entry, "VolatilityOracle")
    assert vault.desk() == entry.addresses["OptionDesk"]
    assert marks.owner() == marks.guardian() == entry.addresses["AccessManager"]
    manager = site.manager(entry)
    freeze, unfreeze = marks.freeze.encode_input(), marks.unfreeze.encode_input()
    manager.execute(marks, freeze, sender=site.guardian)
    assert marks.frozen()
    with ape.reverts():
        manager.execute(marks, unfreeze, sender=site.curator)
    manager.schedule(marks, unfreeze, 0, sender=site.curator)
    wait(CURATOR_DELAY)
    manager.execute(marks, unfreeze, sender=site.curator)
    assert not marks.frozen()


def test_a_deployed_vault_is_never_overwritten(site):
    path = site.file()
    site.deploy(path)
    before, nonce = site.record().read_text(), site.nonce()
    with pytest.raises(DeploymentError, match="is already deployed"):
        site.deploy(path)
    assert site.record().read_text() == before
    assert site.nonce() == nonce


def test_a_second_vault_is_added_to_the_record(site):
    site.deploy(site.file())
    site.deploy(site.file(vault__id="another"))
    assert set(json.loads(site.record().read_text())["vaults"]) == {"weth-usdc", "another"}


def test_a_plan_sends_and_writes_nothing(site):
    nonce = site.nonce()
    run = site.run(site.file())
    book = run.book(site.record(), site.deployer.address)
    run.plan(site.deployer.address, book.entry)
    assert site.nonce() == nonce
    assert not site.record().exists()


# ---------------------------------------------------------------- interruptions


class Interrupted(Exception):  # noqa: N818 - a power cut is no error
    pass


class Cut:
    """A signer that dies at one step: before the transaction is broadcast, or after it is mined."""

    def __init__(self, signer, at, mined):
        self.address = signer.address
        self._signer, self._left, self._mined = signer, at, mined

    def sign(self, transaction, nonce):
        sent, broadcast = self._signer.sign(transaction, nonce)
        self._left -= 1
        if self._left >= 0:
            return sent, broadcast

        def dies():
            if self._mined:
                broadcast()
            raise Interrupted

        return sent, dies


@pytest.mark.parametrize("mined", [False, True], ids=["not sent", "mined"])
@pytest.mark.parametrize("at", [0, 4, 8, 10])
def test_an_interrupted_deployment_goes_on_where_it_was(site, at, mined):
    path, nonce = site.file(), site.nonce()
    with pytest.raises(Interrupted):
        site.deploy(path, signer=Cut(site.signer(), at, mined))
    unfinished = json.loads(site.record().read_text())["vaults"]["weth-usdc"]
    assert unfinished["status"] == "unfinished"
    assert unfinished["pending"] is not None
    said = []
    entry = site.deploy(path, said)
    assert entry.status == "complete"
    assert site.nonce() == nonce + 11  # no step twice
    assert ("was mined in block" if mined else "was not sent") in "\n".join(said)


def test_an_interrupted_deployment_goes_on_with_the_same_parameters_only(site):
    with pytest.raises(Interrupted):
        site.deploy(site.file(), signer=Cut(site.signer(), 2, mined=True))
    with pytest.raises(DeploymentError, match="begun with other parameters"):
        site.deploy(site.file(limits__max_loss_bps=150))


def test_a_mandate_that_a_stranger_bound_first_is_replaced(site):
    path = site.file()
    with pytest.raises(Interrupted):
        site.deploy(
            path, signer=Cut(site.signer(), 4, mined=False)
        )  # valuation and mandate are there
    valuation = json.loads(site.record().read_text())["vaults"]["weth-usdc"]["contracts"][
        "Valuation"
    ]
    thief = ape.Contract(valuation["address"], abi=site.project.Valuation.contract_type.abi)
    thief.bind(site.stranger, site.at["usdc"], site.at["weth"], sender=site.stranger)
    said = []
    entry = site.deploy(path, said)
    assert "somebody else bound it" in "\n".join(said)
    assert entry.addresses["Valuation"] != valuation["address"]
    assert entry.status == "complete"


# ---------------------------------------------------------------- refusals, before any transaction


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"limits__max_loss_bps": 501}, "limits.max_loss_bps: 501 is above 500"),
        ({"chain_id": 10}, "chain_id: the file is for 10, the network is 1"),
        ({"roles__owner": "0x" + "11" * 20}, "roles.owner: no contract is at"),
        (
            {"oracle__base__description": "BTC / USD"},
            "the feed says 'ETH / USD', the file 'BTC / USD'",
        ),
        ({"oracle__base__min_answer": 2_000}, "oracle.base: the answer now, 2000, is not between"),
        (
            {"oracle__twap_window_s": 3_600, "oracle__block_time_s": 1},
            "observations and 3601 are needed",
        ),
    ],
    ids=["bound", "chain", "owner", "description", "answer", "room"],
)
def test_what_does_not_fit_is_refused_before_any_transaction(site, changes, said):
    nonce = site.nonce()
    with pytest.raises(ParametersError) as caught:
        site.deploy(site.file(**changes))
    assert said in str(caught.value)
    assert site.nonce() == nonce
    assert not site.record().exists()


def test_every_address_that_is_not_what_the_file_says_is_listed(site):
    nobody = "0x" + "22" * 20
    names = ("vault__base", "oracle__pool", "oracle__base__feed", "venues__aave_addresses_provider")
    with pytest.raises(ParametersError) as caught:
        site.deploy(site.file(**dict.fromkeys(names, nobody)))
    text = str(caught.value)
    for field in (
        "vault.base: no token",
        "oracle.pool: there is no pool",
        "oracle.base.feed: no Chainlink",
    ):
        assert field in text
    assert "no Aave v3 answers" in text
    assert "Traceback" not in text


def test_an_owner_with_one_key_must_be_asked_for(site):
    one_key = {"roles__owner": site.stranger.address, "roles__allow_eoa_owner": True}
    said = []
    site.deploy(site.file(**one_key), said)
    assert "owner: ONE KEY, not a Safe" in "\n".join(said)


def test_a_deployer_without_the_seed_is_refused(site, accounts):
    site.usdc.transfer(accounts[5], 10 * DOLLAR, sender=site.deployer)
    with pytest.raises(DeploymentError, match="seed is 1"):
        site.deploy(site.file())
    assert not site.record().exists()


def test_a_step_that_would_revert_is_found_before_anything_is_sent(site):
    nonce = site.nonce()
    arbitrage = site.file(WITH_OPTIONS, volatility__poster=site.keeper.address)
    text = arbitrage.read_text().replace("convexity_bps = 5_000", "convexity_bps = 20_000")
    arbitrage.write_text(text)
    with pytest.raises(DeploymentError, match="VolatilityOracle: would fail: ButterflyArbitrage"):
        site.deploy(arbitrage)
    assert site.nonce() == nonce


# ---------------------------------------------------------------- roles of a live vault


def test_roles_are_read_from_the_chain_alone(site):
    entry = site.deploy(site.file())
    said = []
    state = roles(site.project, site.chain, entry.addresses["Vault"], 0, said.append)
    text = "\n".join(said)
    assert deviations(state) == ()
    for account, role, after in (
        (site.safe.address, "OWNER", "3 days"),
        (site.curator.address, "CURATOR", "1 day"),
        (site.guardian.address, "GUARDIAN", "at once"),
        (site.keeper.address, "KEEPER", "at once"),
    ):
        assert re.search(rf"{role} +{account} +{after}", text), text


def test_a_safe_changes_roles_after_the_owners_delay_and_not_before(site):
    entry = site.deploy(site.file())
    manager = site.manager(entry)
    grant = manager.grantRole.encode_input(int(Role.OWNER), site.stranger.address, 0)
    schedule = manager.schedule.encode_input(manager, grant, 0)
    execute = manager.execute.encode_input(manager, grant)
    with ape.reverts():
        site.safe.act(manager.address, grant)
    site.safe.act(manager.address, schedule)
    said = []
    waiting = roles(site.project, site.chain, entry.addresses["Vault"], 0, said.append)
    assert [(o.target, o.function) for o in waiting.operations] == [("AccessManager", "grantRole")]
    assert "AccessManager.grantRole" in "\n".join(said)
    wait(OWNER_DELAY - 60)
    with ape.reverts():
        site.safe.act(manager.address, execute)
    wait(60)
    site.safe.act(manager.address, execute)
    state = roles(site.project, site.chain, entry.addresses["Vault"], 0, said.append)
    assert any("there are 2" in warning for warning in deviations(state))
    assert any(f"OWNER {site.stranger.address} waits at once" in w for w in deviations(state))


def test_deviations_of_a_live_vault_are_told(site):
    entry = site.deploy(site.file(roles__owner=site.stranger.address, roles__allow_eoa_owner=True))
    manager, mandate = site.manager(entry), entry.addresses["Mandate"]
    unknown = function_signature_to_4byte_selector("unknown()")
    asks = (
        manager.setTargetClosed.encode_input(mandate, True),
        manager.setTargetFunctionRole.encode_input(mandate, [unknown], 7),
        manager.grantRole.encode_input(7, site.deployer.address, 0),
        manager.setRoleGuardian.encode_input(int(Role.CURATOR), int(Role.KEEPER)),
        manager.grantRole.encode_input(int(Role.CURATOR), site.deployer.address, 0),
    )
    for ask in asks:
        manager.schedule(manager, ask, 0, sender=site.stranger)
    wait(OWNER_DELAY)
    for ask in asks:
        manager.execute(manager, ask, sender=site.stranger)
    found = "\n".join(deviations(roles(site.project, site.chain, entry.addresses["Vault"], 0, str)))
    for said in (
        "Mandate is closed",
        f"Mandate 0x{unknown.hex()} is given to role 7",
        f"{site.deployer.address} is in role 7",
        "what CURATOR schedules is cancelled by KEEPER",
        f"CURATOR {site.deployer.address} waits at once",
    ):
        assert said in found, found


def test_roles_of_what_is_no_vault_are_refused_in_one_line(site):
    for address in (site.at["usdc"], site.stranger.address, "0x12"):
        with pytest.raises(WrongVaultError) as caught:
            roles(site.project, site.chain, address, 0, str)
        assert "\n" not in str(caught.value)


def test_v14_a_stranger_is_refused_by_exactly_the_functions_that_have_a_role(site):
    """Every function of the Mandate's ABI that changes state, called by nobody in particular."""
    entry = site.deploy(site.file())
    mandate = site.artifacts["Mandate"]
    unauthorised = function_signature_to_4byte_selector("AccessManagedUnauthorized(address)")
    refused = set()
    for selector, name in mandate.selectors().items():
        call = {
            "from": site.stranger.address,
            "to": entry.addresses["Mandate"],
            "data": selector + "00" * 32 * 64,
        }
        reply = site.chain.w3.provider.make_request("eth_call", [call, "latest"])
        data = str(reply.get("error", {}).get("data", ""))
        if data.startswith("0x" + unauthorised.hex()):
            refused.add(name)
    # A beat asks for the role itself; the authority is the manager's to change.
    assert refused == (set(WIRING["Mandate"]) - {"beat"}) | {"setAuthority"}


# ---------------------------------------------------------------- the command


def command(*arguments):
    return subprocess.run(
        [str(ROOT / ".venv/bin/ape"), "run", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_command_refuses_a_bad_file_in_one_line_and_sends_nothing(site):
    path = site.file(limits__max_loss_bps=501)
    done = command(
        "deploy", "--network", "ethereum:mainnet-fork:foundry", "--parameters", str(path), "--dry-run"
    )  # fmt: skip
    assert done.returncode == 2
    assert "limits.max_loss_bps: 501 is above 500" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_command_plans_without_an_account(site):
    path = site.file(roles__owner=site.stranger.address, roles__allow_eoa_owner=True)
    done = command(
        "deploy", "--network", "ethereum:mainnet-fork:foundry", "--parameters", str(path), "--dry-run"
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Dry run: nothing was sent." in done.stdout


def test_records_of_forks_stay_out_of_the_projects_own(tmp_path):
    assert record_path("mainnet", 1, None).parts == ("deployments", "1.json")
    assert record_path("mainnet-fork", 1, None).parts[:2] == ("build", "deployments")
    assert record_path("local", 31337, None).parts[:2] == ("build", "deployments")
    assert record_path("mainnet", 1, tmp_path) == tmp_path / "1.json"
