"""The keeper put together: the one place that knows both the stages and the world."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import structlog

from keeper import abi
from keeper.chain.endpoint import Endpoint
from keeper.chain.heads import Heads
from keeper.chain.reader import LensReader
from keeper.clock import Clock, system_clock
from keeper.config.key import Prompt, load_address, load_signer
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.settings import KeySettings, Settings
from keeper.config.strategy import load_strategy
from keeper.errors import GimbalError, KeystoreError, ReadError, UnfundedError, WrongVaultError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.life import FollowPolicy
from keeper.execution.signer import Signer, from_private_key
from keeper.execution.simulate import ErrorBook
from keeper.journal.store import SqliteJournal
from keeper.loop import Ports, TickRecord, TickRules, run_tick
from keeper.model.block import BlockStamp
from keeper.model.market import Readings
from keeper.model.outcome import AttemptResult, TickOutcome, TickStatus
from keeper.model.policy import Policies
from keeper.model.ports import Strategy

_log = structlog.get_logger(__name__)
_ERROR_ABIS = ("Vault", "AaveV3Adapter", "UniswapV3Adapter", "PriceOracle", "VaultLens")
NOBODY = "0x000000000000000000000000000000000000dEaD"
"""Stands for the keeper in a dry run without any account; the vault refuses it, which is shown."""
_TYPICAL_GAS = 1_000_000
_LOUD = frozenset({TickStatus.REFUSED, TickStatus.FAILED, TickStatus.SKIPPED})


class Keeper:
    """One vault, one account, one strategy. Use as a context manager, or call close()."""

    def __init__(
        self,
        endpoint: Endpoint,
        reader: LensReader,
        executor: TransactionExecutor,
        *,
        journal: SqliteJournal,
        strategy: Strategy,
        policies: Policies,
        rules: TickRules,
        clock: Clock,
        address: str,
    ) -> None:
        self._endpoint = endpoint
        self._reader = reader
        self._executor = executor
        self._ports = Ports(reader, executor, journal)
        self._strategy = strategy
        self._policies = policies
        self._rules = rules
        self._clock = clock
        self.address = address
        """The keeper's account."""
        self.journal = journal
        self.last: TickRecord | None = None
        """All that the newest tick saw and decided, for display."""

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def verify(self) -> Readings:
        """Right chain, a lens, a vault? Raises WrongChainError, WrongVaultError, EndpointError."""
        return self._reader.verify()

    def read(self) -> Readings:
        """The vault at the newest head."""
        return self._reader.read(self._reader.head())

    def head(self) -> BlockStamp:
        """Newest block."""
        return self._reader.head()

    def tick(self, block: BlockStamp | None = None) -> TickOutcome:
        """One pass for `block` (by default the newest head). Follows what is in flight, never waits."""
        try:
            record = run_tick(
                self._ports,
                self._policies,
                self._strategy,
                self._clock,
                rules=self._rules,
                block=block,
            )
        except GimbalError:
            raise
        except Exception as error:
            # not understood: written down, said aloud, and the end of the loop
            reason = f"stopped by an unexpected {type(error).__name__}"
            number = block.number if block else 0
            self.journal.record_outcome(TickOutcome(number, TickStatus.FAILED, reason))
            _log.error(reason, block=number, problem=str(error))
            raise
        self.last = record
        _report(record)
        return record.outcome

    def once(self, patience_s: float = 60.0, poll_s: float = 0.5) -> TickOutcome:
        """One tick, and where it sent something, its end, as far as it comes within `patience_s`."""
        outcome = self.tick()
        end = time.monotonic() + patience_s
        while self._executor.in_flight() and time.monotonic() < end:
            time.sleep(poll_s)
            for result in self._follow():
                number = result.block_number or 0
                reason = f"{outcome.reason} ({result.status})"
                outcome = replace(outcome, block_number=number, reason=reason)
                if result.status != "mined":
                    outcome = replace(outcome, status=TickStatus.FAILED)
        return outcome

    def _follow(self) -> tuple[AttemptResult, ...]:
        try:
            return self._executor.follow(self._reader.head())
        except ReadError as error:
            _log.warning("cannot follow", problem=str(error))
            return ()

    def run(
        self,
        heads: Heads,
        stop: threading.Event,
        blocks: int | None = None,
        on_tick: Callable[[TickRecord], None] | None = None,
    ) -> int:
        """A tick for each new head until `stop` is set or `blocks` are done; returns how many."""
        done = 0
        while not stop.is_set() and (blocks is None or done < blocks):
            try:
                head = heads.next()
            except ReadError as error:
                _log.warning("no head", problem=str(error))
                continue
            if head is None or stop.is_set():
                continue
            self.tick(head)
            done += 1
            if on_tick and self.last:
                on_tick(self.last)
        return done

    def close(self) -> None:
        """Close connections and the journal."""
        self._endpoint.close()
        self.journal.close()


def build_keeper_for(
    *,
    rpc_url: str,
    chain_id: int,
    vault: str,
    lens: str,
    strategy: Strategy,
    policies: Policies,
    journal_path: Path,
    private_key: str | None = None,
    signer: Signer | None = None,
    address: str | None = None,
    clock: Clock = system_clock,
    rules: TickRules | None = None,
    gas: GasPolicy | None = None,
    follow: FollowPolicy | None = None,
    timeout_s: float = 10.0,
) -> Keeper:
    """A keeper from values alone, without a settings file: for demos, tests and other programs.

    One of `signer` and `private_key` signs; with neither, `address` names the account and only a dry run
    is possible. Nothing is asked of the endpoint yet: call `verify()` for that.
    """
    if signer is None and private_key is not None:
        signer = from_private_key(private_key, "private_key")
    account = signer.address if signer else address
    if account is None:
        raise ValueError("one of signer, private_key and address is needed")
    rules = rules or TickRules()
    if signer is None:
        rules = replace(rules, dry_run=True)
    journal = SqliteJournal(journal_path)
    endpoint = Endpoint(rpc_url, timeout_s)
    reader = LensReader(
        endpoint,
        abi.load("VaultLens"),
        chain_id=chain_id,
        vault=vault,
        lens=lens,
        keeper=account,
    )
    executor = TransactionExecutor(
        endpoint,
        journal,
        ErrorBook(*(abi.load(name) for name in _ERROR_ABIS)),
        chain_id=chain_id,
        account=account,
        signer=signer,
        gas=gas,
        follow=follow,
    )
    return Keeper(
        endpoint,
        reader,
        executor,
        journal=journal,
        strategy=strategy,
        policies=policies,
        rules=rules,
        clock=clock,
        address=account,
    )


def build_keeper(
    settings: Settings, *, dry_run: bool = False, prompt: Prompt | None = None
) -> Keeper:
    """The keeper of a settings file, checked before the first tick.

    Raises SettingError, KeystoreError, WrongVaultError, WrongChainError, EndpointError, UnfundedError or
    JournalError, each with one clear line.
    """
    strategy = load_strategy(settings.strategy.name, settings.strategy.parameters)
    signer, address = _account(settings.key, dry_run, prompt)
    readings = first_readings(settings, address)
    if not dry_run:
        _require_able(readings, settings)
    return build_keeper_for(
        rpc_url=settings.rpc_url,
        chain_id=settings.chain_id,
        vault=settings.vault,
        lens=settings.lens,
        strategy=strategy,
        policies=policies(settings, readings.asset.decimals),
        journal_path=journal_path(settings, dry_run=dry_run),
        signer=signer,
        address=address,
        rules=tick_rules(settings, dry_run=dry_run),
        gas=gas_policy(settings),
        follow=follow_policy(settings),
        timeout_s=settings.rpc_timeout_s,
    )


def journal_path(settings: Settings, *, dry_run: bool = False) -> Path:
    """A dry run writes beside the live journal, or it would count as the live keeper's own past."""
    path = settings.journal.path
    return path.with_name(f"{path.stem}.dry{path.suffix}") if dry_run else path


def build_heads(settings: Settings, keeper: Keeper) -> Heads:
    """New heads for `Keeper.run`."""
    return Heads(
        keeper.head,
        poll_interval_s=settings.tick.poll_interval_s,
        ws_url=settings.ws_url,
        timeout_s=settings.rpc_timeout_s,
    )


def first_readings(settings: Settings, address: str) -> Readings:
    """The vault at the newest head, after checking chain, lens and vault. For start and for status."""
    endpoint = Endpoint(settings.rpc_url, settings.rpc_timeout_s)
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
    if not readings.keeper_allowed:
        problem = f"does not accept {readings.keeper} as keeper"
        raise WrongVaultError(readings.vault, problem, "ask its owner to add this keeper")
    if readings.keeper_balance_wei == 0:
        price = 2 * readings.block.base_fee_wei + gas_policy(settings).protective_tip_wei
        raise UnfundedError(readings.keeper, 0, _TYPICAL_GAS * price)


def _report(record: TickRecord) -> None:
    outcome = record.outcome
    for result in record.settled:
        say = _log.info if result.status == "mined" else _log.warning
        say(
            f"transaction {result.status}",
            tx=result.tx_hash,
            block=result.block_number,
            gas_used=result.gas_used,
        )
    say = _log.warning if outcome.status in _LOUD else _log.info
    facts: dict[str, object] = {"block": outcome.block_number, "reason": outcome.reason}
    if record.risk:
        facts["health"] = round(record.risk.health_wad / 1e18, 4)
    if outcome.tx_hash:
        facts["tx"] = outcome.tx_hash
    say(f"tick {outcome.status}", **facts)
