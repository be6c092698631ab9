"""Builds a keeper from values alone, without a settings file: for demos, tests and other programs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from eth_utils.address import to_checksum_address

from keeper.app.keeper import Keeper
from keeper.app.kept import Later, VaultTerms
from keeper.app.lanes import Accounts, LaneTerms
from keeper.app.outlook import OutlookTerms
from keeper.chain.endpoint import Endpoint
from keeper.chain.pool import EndpointPool
from keeper.chain.reorg import DEFAULT_DEPTH
from keeper.clock import Clock, system_clock
from keeper.execution.fees import GasPolicy
from keeper.execution.machine import FollowPolicy
from keeper.execution.signer import Signer, from_private_key
from keeper.journal.store import open_journal
from keeper.loop import TickRules
from keeper.model.control import FREE
from keeper.model.policy import Policies
from keeper.model.ports import RiskModules, Strategy, Surroundings
from keeper.ops.gate import Gate


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
    surroundings: Surroundings | None = None,
    outlook: OutlookTerms | None = None,
) -> Keeper:
    """A keeper from values alone, without a settings file: for demos, tests and other programs.

    It reads and sends through `pool`, which it closes, or through the one endpoint at `rpc_url`.
    One of `signer` and `private_key` signs; with neither, `address` names the account and only a dry run
    is possible. `protective` signs for the protective lane; without it both lanes share an account.
    Nothing is asked of the endpoint yet: call `verify()` for that.
    """
    if signer is None and private_key is not None:
        signer = from_private_key(private_key, "private_key")
    account = signer.address if signer else address
    if account is None:
        raise ValueError("one of signer, private_key and address is needed")
    rules = rules or TickRules()
    kept = VaultTerms(
        vault=to_checksum_address(vault),
        lens=lens,
        account=account,
        strategy=strategy,
        policies=policies,
        rules=rules if signer else replace(rules, dry_run=True),
        signer=signer,
        protective=protective,
        modules=modules,
        control=gate or FREE,
        surroundings=surroundings,
        outlook=outlook,
    )
    return build_keeper_of(
        [kept],
        pool=pool or EndpointPool([Endpoint(rpc_url, timeout_s)]),
        chain_id=chain_id,
        journal_path=journal_path,
        clock=clock,
        gate=gate,
        terms=_terms(terms, gas, follow),
        reorganisation_depth=reorganisation_depth,
    )


def build_keeper_of(
    vaults: Sequence[VaultTerms],
    *,
    pool: EndpointPool,
    chain_id: int,
    journal_path: str | Path,
    clock: Clock = system_clock,
    gate: Gate | None = None,
    terms: LaneTerms | None = None,
    opening: Iterable[Later] = (),
    reorganisation_depth: int = DEFAULT_DEPTH,
) -> Keeper:
    """A keeper of several vaults from values alone. `gate` is asked before every signature, whoever's it is."""

    def sealed(kept: VaultTerms) -> VaultTerms:
        if gate is None:
            return kept
        signers = (kept.signer, kept.protective)
        signer, protective = (gate.seal(found) if found else None for found in signers)
        return replace(kept, signer=signer, protective=protective)

    journal = open_journal(journal_path)
    accounts = Accounts(
        pool, journal, chain_id=chain_id, terms=terms, gate=gate.closed if gate else None
    )
    return Keeper(
        pool,
        accounts,
        [sealed(kept) for kept in vaults],
        chain_id=chain_id,
        journal=journal,
        clock=clock,
        opening=[partial(_then, later, sealed) for later in opening],
        reorganisation_depth=reorganisation_depth,
    )


def _then(
    later: Callable[[], VaultTerms], change: Callable[[VaultTerms], VaultTerms]
) -> VaultTerms:
    return change(later())


def _terms(
    terms: LaneTerms | None, gas: GasPolicy | None, follow: FollowPolicy | None
) -> LaneTerms:
    found = terms or LaneTerms()
    return replace(found, gas=gas or found.gas, follow=follow or found.follow)
