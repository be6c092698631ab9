"""The accounts of a keeper put together: one executor for each, and what they share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from keeper import abi
from keeper.app.relay import build_relay
from keeper.config.key import Prompt, load_signer
from keeper.config.policies import (
    funds_policy,
    gas_policy,
    relay_policy,
    urgency_policy,
)
from keeper.config.settings import Settings
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.funds import FundsPolicy
from keeper.execution.inclusion import UrgencyPolicy
from keeper.execution.lanes import Lanes
from keeper.execution.machine import FollowPolicy
from keeper.execution.outbox import Outbox, RelayPolicy
from keeper.execution.ports import AttemptBook, Gate, Relay, Rpc
from keeper.execution.recent import RecentInclusion
from keeper.execution.signers import Signer
from keeper.execution.simulate import ErrorBook

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


def build_lanes(
    rpc: Rpc,
    book: AttemptBook,
    *,
    chain_id: int,
    account: str,
    signer: Signer | None,
    protective: Signer | None = None,
    terms: LaneTerms | None = None,
    gate: Gate | None = None,
) -> Lanes:
    """Both lanes; one account where `protective` is missing or has the routine one's address."""
    found = terms or LaneTerms()
    errors = ErrorBook(*(abi.load(name) for name in ERROR_ABIS))
    outbox = Outbox(
        rpc,
        gate=gate or _open,
        relay=found.relay,
        relay_policy=found.relay_policy,
    )

    def executor(address: str, key: Signer | None) -> TransactionExecutor:
        return TransactionExecutor(
            rpc,
            book,
            errors,
            chain_id=chain_id,
            account=address,
            signer=key,
            gas=found.gas,
            follow=found.follow,
            urgent=found.urgent,
            outbox=outbox,
        )

    own = protective is not None and signer is not None and protective.address != account
    second = executor(protective.address, protective) if own and protective else None
    return Lanes(
        rpc,
        executor(account, signer),
        second,
        funds=found.funds,
        inclusion=RecentInclusion(found.gas, found.urgent),
    )


def protective_signer(settings: Settings, prompt: Prompt | None) -> Signer | None:
    """The second key, if the settings name one."""
    return load_signer(settings.protective_key, prompt=prompt)


def _open() -> str | None:
    return None
