"""The accounts of a keeper put together: one executor for each, lanes for each vault, and what they share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from keeper import abi
from keeper.app.relay import build_relay
from keeper.config.policies import (
    funds_policy,
    gas_policy,
    relay_policy,
    urgency_policy,
)
from keeper.config.settings import Settings
from keeper.errors import ReadError
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.funds import Burned, Funds, FundsPolicy
from keeper.execution.inclusion import UrgencyPolicy
from keeper.execution.lanes import Lanes
from keeper.execution.machine import FollowPolicy
from keeper.execution.means import Means
from keeper.execution.outbox import Outbox, RelayPolicy
from keeper.execution.ports import AttemptBook, Gate, Relay, Rpc
from keeper.execution.recent import RecentInclusion
from keeper.execution.rounds import Rounds
from keeper.execution.signers import Signer
from keeper.execution.simulate import ErrorBook
from keeper.model.block import BlockStamp
from keeper.model.decision import Lane
from keeper.model.outcome import AttemptResult

ERROR_ABIS = (
    "Vault",
    "Mandate",
    "AaveV3Adapter",
    "UniswapV3Adapter",
    "PriceOracle",
    "VaultLens",
)


@dataclass(frozen=True, slots=True)
class LaneTerms:
    """What both lanes pay, wait for and go through; None for the defaults."""

    gas: GasPolicy | None = None
    follow: FollowPolicy | None = None
    urgent: UrgencyPolicy | None = None
    funds: FundsPolicy | None = None
    relay: Relay | None = None
    relay_policy: RelayPolicy | None = None


def lane_terms(settings: Settings, environment: Mapping[str, str] | None = None) -> LaneTerms:
    """Terms of the settings; SettingError or KeystoreError where a relay cannot be used."""
    return LaneTerms(
        gas=gas_policy(settings),
        urgent=urgency_policy(settings),
        funds=funds_policy(settings),
        relay=build_relay(settings, os.environ if environment is None else environment),
        relay_policy=relay_policy(settings),
    )


class Accounts:
    """Every account with its one executor, whoever of the vaults uses it, and what all of them share."""

    def __init__(
        self,
        rpc: Rpc,
        book: AttemptBook,
        *,
        chain_id: int,
        terms: LaneTerms | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._rpc, self._book, self._chain_id = rpc, book, chain_id
        self._terms = found = terms or LaneTerms()
        self._errors = ErrorBook(*(abi.load(name) for name in ERROR_ABIS))
        self._outbox = Outbox(
            rpc, gate=gate or _open, relay=found.relay, relay_policy=found.relay_policy
        )
        self._rounds = Rounds(book)
        self._means = Means(
            rpc, funds=found.funds, inclusion=RecentInclusion(found.gas, found.urgent)
        )
        self._executors: dict[str, TransactionExecutor] = {}
        self._lanes: list[Lanes] = []

    def lanes(
        self, vault: str, account: str, signer: Signer | None, protective: Signer | None = None
    ) -> Lanes:
        """Both lanes of a vault; one account where `protective` is missing or has the routine one's address."""
        own = protective is not None and signer is not None and protective.address != account
        second = self._executor(protective.address, protective) if own and protective else None
        found = Lanes(
            self._rpc,
            self._executor(account, signer),
            second,
            vault=vault,
            means=self._means,
            rounds=self._rounds,
        )
        self._lanes.append(found)
        return found

    def _executor(self, address: str, key: Signer | None) -> TransactionExecutor:
        known = self._executors.get(address)
        if known is not None:
            return known
        found = self._terms
        made = TransactionExecutor(
            self._rpc,
            self._book,
            self._errors,
            chain_id=self._chain_id,
            account=address,
            signer=key,
            gas=found.gas,
            follow=found.follow,
            urgent=found.urgent,
            outbox=self._outbox,
        )
        self._executors[address] = made
        return made

    def begin_round(self) -> None:
        """From now on each account is looked at again, once."""
        self._rounds.begin()

    def restless(self, account: str) -> bool:
        """True while an account has something in flight."""
        executor = self._executors.get(account)
        return executor is not None and executor.in_flight() > 0

    @property
    def funds(self) -> tuple[Funds, ...]:
        """Gas money of each account as last seen, for gauges and alerts."""
        return self._means.funds

    @property
    def burned(self) -> Burned:
        """What gas cost in a day as last seen (K-11)."""
        return self._means.burned

    def in_flight(self, lane: Lane | None = None) -> int:
        """How many intents of all vaults are signed and neither mined nor given up."""
        return sum(executor.in_flight(lane) for executor in self._executors.values())

    def follow(self, block: BlockStamp) -> tuple[AttemptResult, ...]:
        """A round by itself: look after everything in flight. Raises ReadError where nothing could be seen."""
        self.begin_round()
        found: dict[str, AttemptResult] = {}
        faults: list[ReadError] = []
        for lanes in self._lanes:
            try:
                found.update({result.tx_hash: result for result in lanes.follow(block)})
            except ReadError as error:
                faults.append(error)
        if faults and len(faults) == len(self._lanes):
            raise faults[0]
        return tuple(found.values())

    def pass_over(self, block: BlockStamp) -> None:
        """A head that is not followed: only its place in the chain is noted."""
        for executor in self._executors.values():
            executor.pass_over(block)

    def cancel(self, intent_id: str) -> str:
        """Put an empty transaction in an intent's place; words for a person. IntentError if it is over."""
        return self._carrier(intent_id).cancel(intent_id)

    def speed_up(self, intent_id: str) -> str:
        """Replace an intent's transaction with a dearer one now; words for a person."""
        return self._carrier(intent_id).speed_up(intent_id)

    def abandon(self, intent_id: str) -> str:
        """Look after an intent no more; the next one uses its nonce. A pool may mine it all the same."""
        return self._carrier(intent_id).abandon(intent_id)

    def _carrier(self, intent_id: str) -> TransactionExecutor:
        executors = tuple(self._executors.values())
        return next((e for e in executors if e.carries(intent_id)), executors[0])


def _open() -> str | None:
    return None
