"""Builds a keeper: from values alone, or from settings, checked before its first tick."""

from dataclasses import replace
from pathlib import Path

from keeper import abi
from keeper.app.keeper import Keeper
from keeper.app.lanes import LaneTerms, build_lanes, lane_terms, protective_signer
from keeper.chain.endpoint import Endpoint
from keeper.chain.heads import Heads
from keeper.chain.pool import EndpointPool
from keeper.chain.reader import LensReader
from keeper.chain.reorg import DEFAULT_DEPTH
from keeper.clock import Clock, system_clock
from keeper.config.endpoints import feeds_of, pool_of
from keeper.config.key import Prompt, load_address, load_signer
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.risk import module_specs
from keeper.config.settings import KeySettings, Settings
from keeper.config.strategy import is_foreign, load_strategy
from keeper.errors import KeystoreError, UnfundedError, WrongVaultError
from keeper.execution.fees import GasPolicy
from keeper.execution.machine import FollowPolicy
from keeper.execution.signer import Signer, from_private_key
from keeper.hosted import HostedStrategy, StrategyLimits
from keeper.journal.store import open_journal
from keeper.loop import TickRules
from keeper.market import build_market
from keeper.model.control import FREE
from keeper.model.market import Readings
from keeper.model.policy import Policies
from keeper.model.ports import RiskModules, Strategy
from keeper.ops.gate import Gate
from keeper.ops.risk_modules import HostLimits, LiveModules

NOBODY = "0x000000000000000000000000000000000000dEaD"
"""Stands for the keeper in a dry run without any account; the vault refuses it, which is shown."""
_TYPICAL_GAS = 1_000_000


def build_keeper_for(
    *,
    rpc_url: str = "",
    pool: EndpointPool | None = None,
    chain_id: int,
    vault: str,
    lens: str,
    strategy: Strategy,
    policies: Policies,
    journal_path: str | Path,
    private_key: str | None = None,
    signer: Signer | None = None,
    address: str | None = None,
    clock: Clock = system_clock,
    rules: TickRules | None = None,
    gas: GasPolicy | None = None,
    follow: FollowPolicy | None = None,
    timeout_s: float = 10.0,
    modules: RiskModules | None = None,
    gate: Gate | None = None,
    protective: Signer | None = None,
    terms: LaneTerms | None = None,
    reorganisation_depth: int = DEFAULT_DEPTH,
) -> Keeper:
    """A keeper from values alone, without a settings file: for demos, tests and other programs.

    It reads and sends through `pool`, which it closes, or through the one endpoint at `rpc_url`.
    One of `signer` and `private_key` signs; with neither, `address` names the account and only a dry run
    is possible. `protective` signs for the protective lane; without it both lanes share an account.
    Nothing is asked of the endpoint yet: call `verify()` for that.
    """
    if signer is None and private_key is not None:
        signer = from_private_key(private_key, "private_key")
    if gate is not None:
        signer = gate.seal(signer) if signer else None
        protective = gate.seal(protective) if protective else None
    account = signer.address if signer else address
    if account is None:
        raise ValueError("one of signer, private_key and address is needed")
    rules = rules or TickRules()
    if signer is None:
        rules = replace(rules, dry_run=True)
    journal = open_journal(journal_path)
    endpoint = pool or EndpointPool([Endpoint(rpc_url, timeout_s)])
    reader = LensReader(
        endpoint,
        abi.load("VaultLens"),
        chain_id=chain_id,
        vault=vault,
        lens=lens,
        keeper=account,
    )
    lanes = build_lanes(
        endpoint,
        journal,
        chain_id=chain_id,
        account=account,
        signer=signer,
        protective=protective,
        terms=_terms(terms, gas, follow),
        gate=gate.closed if gate else None,
    )
    return Keeper(
        endpoint,
        reader,
        lanes,
        journal=journal,
        strategy=strategy,
        policies=policies,
        rules=rules,
        clock=clock,
        address=account,
        modules=modules,
        control=gate or FREE,
        reorganisation_depth=reorganisation_depth,
    )


def _terms(
    terms: LaneTerms | None, gas: GasPolicy | None, follow: FollowPolicy | None
) -> LaneTerms:
    found = terms or LaneTerms()
    return replace(found, gas=gas or found.gas, follow=follow or found.follow)


def build_keeper(
    settings: Settings,
    *,
    dry_run: bool = False,
    prompt: Prompt | None = None,
    gate: Gate | None = None,
) -> Keeper:
    """The keeper of a settings file, checked before the first tick.

    Raises SettingError, KeystoreError, WrongVaultError, WrongChainError, EndpointError, UnfundedError or
    JournalError, each with one clear line.
    """
    strategy = _strategy(settings)
    modules: RiskModules | None = None
    try:
        module_specs(settings)  # a name that is wrong is told before a password is asked for
        signer, address = _account(settings.key, dry_run, prompt)
        protective = None if dry_run else protective_signer(settings, prompt)
        readings = first_readings(settings, address)
        if not dry_run:
            _require_able(readings, settings)
            if protective is not None and protective.address != address:
                _require_able(first_readings(settings, protective.address), settings)
        found = policies(settings, readings.asset.decimals)
        modules = _modules(settings, found, readings)
        return build_keeper_for(
            pool=pool_of(settings),
            chain_id=settings.chain_id,
            vault=settings.vault,
            lens=settings.lens,
            strategy=strategy,
            policies=found,
            journal_path=journal_path(settings, dry_run=dry_run),
            signer=signer,
            address=address,
            rules=tick_rules(settings, dry_run=dry_run),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
            modules=modules,
            gate=gate,
            protective=protective,
            terms=lane_terms(settings),
            reorganisation_depth=settings.agreement.reorganisation_depth,
        )
    except BaseException:
        for started in (modules, strategy):  # no keeper will
            if started is not None and hasattr(started, "close"):
                started.close()
        raise


def _strategy(settings: Settings) -> Strategy:
    """Ours in this process, one of another distribution in a process of its own."""
    name, parameters = settings.strategy.name, settings.strategy.parameters
    if not is_foreign(name, parameters):
        return load_strategy(name, parameters)
    limits = StrategyLimits(time_s=settings.strategy.time_s, memory_mb=settings.strategy.memory_mb)
    return HostedStrategy(name, parameters, limits).start()


def _modules(settings: Settings, found: Policies, readings: Readings) -> RiskModules | None:
    """Started now, so that they are there when a plan needs them; None for none."""
    specs = module_specs(settings)
    if not specs:
        return None
    limits = HostLimits(time_s=settings.risk.module_time_s)
    modules = LiveModules(specs, found.risk, limits)
    modules.start(build_market(readings, found.market))
    return modules


def journal_path(settings: Settings, *, dry_run: bool = False) -> str | Path:
    """The journal's file, or its database's address.

    A dry run writes a file beside the live journal, or it would count as the live keeper's own past.
    """
    path, url = settings.journal.path, settings.journal.url
    if url is not None and not dry_run:
        return url.get_secret_value()
    return path.with_name(f"{path.stem}.dry{path.suffix}") if dry_run else path


def build_heads(settings: Settings, keeper: Keeper) -> Heads:
    """New heads for `Keeper.run`."""
    return Heads(
        keeper.head,
        poll_interval_s=settings.tick.poll_interval_s,
        timeout_s=settings.rpc_timeout_s,
        feeds=feeds_of(settings),
        announced=keeper.pool.announced,
        needed=keeper.pool.k,
    )


def first_readings(settings: Settings, address: str) -> Readings:
    """The vault at the newest head, after checking chain, lens and vault. For start and for status."""
    endpoint = pool_of(settings)
    try:
        return LensReader(
            endpoint,
            abi.load("VaultLens"),
            chain_id=settings.chain_id,
            vault=settings.vault,
            lens=settings.lens,
            keeper=address,
        ).verify()
    finally:
        endpoint.close()


def _account(key: KeySettings, dry_run: bool, prompt: Prompt | None) -> tuple[Signer | None, str]:
    if dry_run:
        return None, load_address(key) or NOBODY
    signer = load_signer(key, prompt=prompt)
    if signer is None:
        remedy = f"set key.keystore or ${key.private_key_env}, or use --dry-run"
        raise KeystoreError("the settings", "no key is named and a live keeper must sign", remedy)
    return signer, signer.address


def _require_able(readings: Readings, settings: Settings) -> None:
    """A live keeper that can never send is told so at the start."""
    if not readings.mandate.keeper_allowed:
        problem = f"does not accept {readings.keeper} as keeper"
        raise WrongVaultError(readings.vault, problem, "ask its curator to add this keeper")
    if readings.keeper_balance_wei == 0:
        price = 2 * readings.block.base_fee_wei + gas_policy(settings).protective_tip_wei
        raise UnfundedError(readings.keeper, 0, _TYPICAL_GAS * price)
