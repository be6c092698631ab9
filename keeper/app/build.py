"""Builds a keeper from settings, checked before its first tick."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog

from keeper import abi
from keeper.app.keeper import Keeper
from keeper.app.kept import VaultTerms
from keeper.app.lanes import lane_terms
from keeper.app.outlook import OutlookTerms
from keeper.app.values import build_keeper_of
from keeper.chain.heads import Heads
from keeper.chain.reader import LensReader
from keeper.chain.tiers import pools_of_pair
from keeper.config.endpoints import feeds_of, pool_of
from keeper.config.key import Prompt, load_address, load_signer
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.risk import module_specs
from keeper.config.settings import KeySettings, Settings
from keeper.config.strategy import is_foreign, load_strategy
from keeper.errors import KeystoreError, ReadError, UnfundedError, WrongVaultError
from keeper.execution.signer import Signer
from keeper.hosted import HostedStrategy, StrategyLimits
from keeper.market import build_market
from keeper.model.control import FREE, Control
from keeper.model.market import PoolState, Readings
from keeper.model.policy import Policies
from keeper.model.ports import RiskModules, Strategy
from keeper.ops.gate import Gate
from keeper.ops.risk_modules import HostLimits, LiveModules

NOBODY = "0x000000000000000000000000000000000000dEaD"
"""Stands for the keeper in a dry run without any account; the vault refuses it, which is shown."""
_TYPICAL_GAS = 1_000_000
_log = structlog.get_logger(__name__)


class Signers:
    """Each key is loaded once, however many vaults it signs for."""

    def __init__(self, prompt: Prompt | None) -> None:
        self._prompt = prompt
        self._loaded: dict[KeySettings, Signer | None] = {}

    def load(self, key: KeySettings) -> Signer | None:
        """The signer, None if the settings name no key at all; KeystoreError if it cannot be had."""
        if key not in self._loaded:
            self._loaded[key] = load_signer(key, prompt=self._prompt)
        return self._loaded[key]


class Opening:
    """One vault of the settings on its way to being kept."""

    def __init__(
        self, settings: Settings, *, several: bool, dry_run: bool, gate: Gate | None
    ) -> None:
        """settings: as if the vault were the only one; `several`: it is not."""
        self._settings = settings
        self._dry_run = dry_run
        self._control: Control = gate.of(settings.vault) if gate else FREE
        self._name = settings.label if several else ""
        self.label = settings.label
        self._started: list[Any] = []

    def prepare(self, signers: Signers) -> None:
        """Strategy and signers; SettingError or KeystoreError."""
        settings = self._settings
        self._strategy = _strategy(settings)
        self._started.append(self._strategy)
        module_specs(settings)  # a name that is wrong is told before a password is asked for
        self._signer, self._account = _account(settings.key, self._dry_run, signers)
        self._protective = None if self._dry_run else signers.load(settings.protective_key)

    def close(self) -> None:
        """End the processes that were started for it."""
        for started in self._started:
            if hasattr(started, "close"):
                started.close()

    def __call__(self) -> VaultTerms:
        """Look at the vault; WrongVaultError, WrongChainError, EndpointError or UnfundedError."""
        settings = self._settings
        readings = first_readings(settings, self._account)
        if not self._dry_run:
            _require_able(readings, settings)
            second = self._protective
            if second is not None and second.address != self._account:
                _require_able(first_readings(settings, second.address), settings)
        found = policies(settings, readings.asset.decimals)
        modules = _modules(settings, found, readings)
        self._started.append(modules)
        return VaultTerms(
            vault=settings.vault,
            lens=settings.lens,
            account=self._account,
            strategy=self._strategy,
            policies=found,
            rules=tick_rules(settings, dry_run=self._dry_run),
            name=self._name,
            signer=self._signer,
            protective=self._protective,
            modules=modules,
            control=self._control,
            outlook=outlook_terms(settings),
        )


def build_keeper(
    settings: Settings,
    *,
    dry_run: bool = False,
    prompt: Prompt | None = None,
    gate: Gate | None = None,
) -> Keeper:
    """The keeper of a settings file, checked before the first tick.

    Raises SettingError, KeystoreError, WrongVaultError, WrongChainError, EndpointError, UnfundedError or
    JournalError, each with one clear line. Of several vaults those that cannot be kept yet are tried again later,
    as long as one can.
    """
    opening = [
        Opening(each, several=bool(settings.vaults), dry_run=dry_run, gate=gate)
        for each in settings.each()
    ]
    try:
        signers = Signers(prompt)
        for (
            later
        ) in opening:  # what is wrong in the settings is told before anything is asked of the chain
            later.prepare(signers)
        found, left = _opened(opening)
        return build_keeper_of(
            found,
            pool=pool_of(settings),
            chain_id=settings.chain_id,
            journal_path=journal_path(settings, dry_run=dry_run),
            gate=gate,
            terms=replace(
                lane_terms(settings), gas=gas_policy(settings), follow=follow_policy(settings)
            ),
            opening=left,
            reorganisation_depth=settings.agreement.reorganisation_depth,
        )
    except BaseException:
        for later in opening:  # no keeper will
            later.close()
        raise


def _opened(opening: Sequence[Opening]) -> tuple[list[VaultTerms], list[Opening]]:
    """Those that can be kept, and those that cannot yet; raises the first fault where none can."""
    found, left, faults = [], [], []
    for later in opening:
        try:
            found.append(later())
        except (ReadError, WrongVaultError, UnfundedError) as error:
            faults.append(error)
            left.append(later)
    if not found:
        raise faults[0]
    for later, fault in zip(left, faults, strict=True):
        _log.error("a vault cannot be kept yet", vault=later.label, problem=str(fault))
    return found, left


def _strategy(settings: Settings) -> Strategy:
    """Ours in this process, one of another distribution in a process of its own."""
    name, parameters = settings.strategy.name, settings.strategy.parameters
    if not is_foreign(name, parameters):
        return load_strategy(name, parameters)
    limits = StrategyLimits(time_s=settings.strategy.time_s, memory_mb=settings.strategy.memory_mb)
    return HostedStrategy(name, parameters, limits).start()


def outlook_terms(settings: Settings) -> OutlookTerms:
    """What is looked for beyond the readings."""
    given = settings.outlook
    return OutlookTerms(
        volatility=settings.risk.volatility,
        days=given.days,
        most_rounds=given.most_rounds,
        refresh_s=given.refresh_s,
        option_chain=given.option_chain,
        option_chain_max_age_s=round(given.option_chain_max_age_h * 3_600),
    )


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


def first_pools(settings: Settings, readings: Readings) -> tuple[PoolState, ...]:
    """The vault's pool and the others of its pair, at the block of the readings."""
    endpoint = pool_of(settings)
    try:
        return pools_of_pair(endpoint, readings.pool, readings.block)
    finally:
        endpoint.close()


def _account(key: KeySettings, dry_run: bool, signers: Signers) -> tuple[Signer | None, str]:
    if dry_run:
        address = load_address(key)
        if address is None:
            remedy = "name it by key.address: without, the mandate refuses every plan"
            _log.warning("no account is known", remedy=remedy)
        return None, address or NOBODY
    signer = signers.load(key)
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
