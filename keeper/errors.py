"""One tree of errors. Each message says what, where and what to do.

GimbalError
├── UserError              a wrong input: exit code 2, one line, no traceback
│   ├── SettingError       a setting is missing or out of bounds
│   ├── PriceFileError     a price file cannot be used: file, row, column
│   ├── KeystoreError      the signing key cannot be loaded
│   ├── WrongVaultError    the address holds no vault this keeper can run
│   ├── QuantityError      a number given to the numerics cannot be used: which field, which element
│   ├── StrategyError      a strategy raised, or answered what is no target, in a backtest
│   ├── MarketDataError    a file of market data cannot be used: file, row, column
│   ├── ParametersError    a deployment's parameters are refused: every reason
│   ├── DeploymentError    a deployment cannot be begun, gone on with, or trusted
│   └── IntentError        an intent that a person named cannot be changed
├── ReadError              something was read wrong; the tick is skipped
│   ├── EndpointError      the endpoint refused, timed out or answered nonsense
│   │   └── RateLimitedError  the endpoint takes no request before a time
│   ├── RpcError           the endpoint answered with a JSON-RPC error
│   ├── WrongChainError    the endpoint serves another chain
│   ├── QuorumError        too few endpoints answered to decide on
│   ├── ConflictError      endpoints contradict each other and none of them has the majority
│   └── ReorganisedError   the pinned block is gone
├── SendError              nothing took effect
│   ├── SimulationReverted the vault would refuse the intent
│   ├── UnfundedError      the key cannot pay for gas
│   ├── FeeCeilingError    the base fee is above what a routine transaction may pay
│   ├── SigningError       the signer did not sign, or not what was asked
│   ├── OutbidError        a pool still holds an earlier transaction too dear to replace
│   └── RejectedError      the endpoint refused the signed transaction
├── ControlError           a switch or a request cannot be written: it does not hold
├── JournalError           the journal cannot be written: the keeper stops
├── ReplayError            a recorded decision cannot be made again
├── DeepReorganisationError  the chain was rewritten deeper than is followed: the keeper stops
├── AccountingError        a backtest's books do not add up: it stops
└── LocalnetError          the local mainnet could not be built or started
"""

from dataclasses import dataclass
from datetime import UTC, datetime


class GimbalError(Exception):
    """Root of the tree."""

    exit_code = 1


class UserError(GimbalError):
    """A wrong input."""

    exit_code = 2


@dataclass
class SettingError(UserError):
    """A setting is missing or out of bounds."""

    field: str
    """Name of the setting, of an option (`--port`) or, with its kind, of a settings file."""
    problem: str
    remedy: str
    kind: str = ""
    """What the field is; empty: an option if it looks like one, else a setting."""
    others: "tuple[SettingError, ...]" = ()
    """Further faults found at the same time."""

    def __str__(self) -> str:
        kind = self.kind or ("option" if self.field.startswith("--") else "setting")
        also = "".join(f"; {other.field}: {other.problem}" for other in self.others)
        return f"{kind} {self.field}: {self.problem}{also}; {self.remedy}"


@dataclass
class PriceFileError(UserError):
    """A price file cannot be used."""

    path: str
    problem: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        where = "".join(
            (
                f", row {self.row}" if self.row is not None else "",
                f", column {self.column!r}" if self.column else "",
            )
        )
        return f"price file {self.path}{where}: {self.problem}"


@dataclass
class KeystoreError(UserError):
    """The signing key cannot be loaded; never carries the secret."""

    source: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"key from {self.source}: {self.problem}; {self.remedy}"


@dataclass
class WrongVaultError(UserError):
    """The address holds no vault this keeper can run."""

    address: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"vault {self.address}: {self.problem}; {self.remedy}"


@dataclass
class QuantityError(UserError):
    """A number given to the numerics cannot be used; nothing was computed."""

    field: str
    problem: str
    remedy: str
    index: int | None = None
    """Of the first bad element, where the input is an array."""

    def __str__(self) -> str:
        where = f"[{self.index}]" if self.index is not None else ""
        return f"{self.field}{where}: {self.problem}; {self.remedy}"


@dataclass
class StrategyError(UserError):
    """A strategy raised, or answered what is no target; a backtest of it says nothing."""

    strategy: str
    problem: str
    time: int
    """Unix seconds of the block."""

    def __str__(self) -> str:
        when = f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%d %H:%M:%S} UTC"
        return f"strategy {self.strategy} {self.problem} at {when}; correct it, nothing of this run is a result"


@dataclass
class MarketDataError(UserError):
    """A file of market data cannot be used."""

    path: str
    problem: str
    remedy: str
    row: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row is not None else ""
        column = f", column {self.column!r}" if self.column else ""
        return f"market data {self.path}{row}{column}: {self.problem}; {self.remedy}"


@dataclass
class FetchError(UserError):
    """Market history cannot be fetched, or not into that file."""

    source: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.source} {self.problem}; {self.remedy}"


@dataclass
class ParametersError(UserError):
    """A deployment's parameters are refused; nothing was sent."""

    source: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"parameters {self.source}: {self.problems[0]}"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        return f"parameters {self.source}: {len(self.problems)} problems{lines}"


@dataclass
class DeploymentError(UserError):
    """A deployment cannot be begun, gone on with, or trusted."""

    what: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}; {self.remedy}"


@dataclass
class IntentError(UserError):
    """An intent that a person named cannot be changed any more, or is none."""

    intent_id: str
    problem: str

    def __str__(self) -> str:
        return f"intent {self.intent_id} {self.problem}; `keeper journal` lists those in flight"


class ReadError(GimbalError):
    """Something was read wrong; the tick is skipped."""


@dataclass
class EndpointError(ReadError):
    """The endpoint refused, timed out or answered nonsense."""

    endpoint: str
    method: str
    problem: str

    def __str__(self) -> str:
        return f"endpoint {self.endpoint}: {self.method} {self.problem}; check that it is up and reachable"


@dataclass
class RateLimitedError(EndpointError):
    """The endpoint takes no request before a time; it was not asked, or it said so."""

    retry_after_s: float = 0.0

    def __str__(self) -> str:
        return (
            f"endpoint {self.endpoint}: {self.method} {self.problem}; again in {self.retry_after_s:.1f} s; "
            "raise its budget, or add an endpoint"
        )


@dataclass
class RpcError(ReadError):
    """The endpoint answered with a JSON-RPC error."""

    endpoint: str
    method: str
    code: int
    message: str
    data: str = ""

    def __str__(self) -> str:
        return f"endpoint {self.endpoint}: {self.method} failed: {self.message} (code {self.code})"


@dataclass
class WrongChainError(ReadError):
    """The endpoint serves another chain."""

    endpoint: str
    expected: int
    found: int

    exit_code = 2

    def __str__(self) -> str:
        return (
            f"endpoint {self.endpoint} serves chain id {self.found}, the settings say {self.expected}; "
            "correct rpc_url or chain_id"
        )


@dataclass
class QuorumError(ReadError):
    """Too few endpoints answered to decide on what they say (K-02)."""

    what: str
    needed: int
    found: int
    faults: tuple[str, ...] = ()
    """Why the others did not answer."""

    def __str__(self) -> str:
        why = f" ({'; '.join(self.faults)})" if self.faults else ""
        return (
            f"{self.what}: {self.found} endpoints answered and {self.needed} must agree{why}; "
            "bring endpoints back, or add one"
        )


@dataclass
class ConflictError(ReadError):
    """Endpoints contradict each other and no answer has the majority: nothing is decided (K-12)."""

    what: str
    needed: int
    answers: tuple[str, ...] = ()
    """Which endpoints gave the same answer, one entry for each answer."""

    def __str__(self) -> str:
        return (
            f"{self.what}: endpoints disagree, {' against '.join(self.answers)}, and {self.needed} must agree; "
            "find out which of them is wrong"
        )


@dataclass
class ReorganisedError(ReadError):
    """The pinned block is gone."""

    block_hash: str

    def __str__(self) -> str:
        return f"block {self.block_hash} is no longer known; the next head is taken instead"


class SendError(GimbalError):
    """Nothing took effect."""


@dataclass
class SimulationReverted(SendError):  # noqa: N818 - named for the fact it reports
    """The vault would refuse the intent."""

    reason: str

    def __str__(self) -> str:
        return f"simulation reverted: {self.reason}; not sent"


@dataclass
class TooSoonError(SimulationReverted):
    """The vault would refuse the intent until a time it names."""

    until: int
    """Unix seconds."""


@dataclass
class UnfundedError(SendError):
    """The key cannot pay for gas."""

    address: str
    balance_wei: int
    needed_wei: int

    exit_code = 2

    def __str__(self) -> str:
        return (
            f"account {self.address} holds {self.balance_wei / 1e18:.6f} ETH and the transaction may cost "
            f"{self.needed_wei / 1e18:.6f} ETH; send it ETH"
        )


@dataclass
class FeeCeilingError(SendError):
    """The base fee is above what a routine transaction may pay."""

    base_fee_wei: int
    ceiling_wei: int

    def __str__(self) -> str:
        return (
            f"base fee {self.base_fee_wei / 1e9:.3f} gwei leaves no room under gas.max_fee_gwei "
            f"{self.ceiling_wei / 1e9:.3f}; routine moves wait"
        )


@dataclass
class SigningError(SendError):
    """The signer did not sign, or not what was asked; nothing was sent and the nonce is free. No secret in it."""

    source: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.source} {self.problem}; {self.remedy}"


@dataclass
class OutbidError(SendError):
    """A pool still holds an earlier transaction of the account, too dear to replace."""

    nonce: int
    needed_wei: int
    needed_tip_wei: int
    bound_wei: int
    bound_tip_wei: int

    def __str__(self) -> str:
        return (
            f"the pool holds a transaction with nonce {self.nonce}; replacing it takes a max fee of "
            f"{self.needed_wei / 1e9:.3f} gwei and a tip of {self.needed_tip_wei / 1e9:.3f}, the bounds are "
            f"{self.bound_wei / 1e9:.3f} and {self.bound_tip_wei / 1e9:.3f}; waits until it is mined or dropped"
        )


@dataclass
class RejectedError(SendError):
    """The endpoint refused the signed transaction."""

    tx_hash: str
    problem: str

    def __str__(self) -> str:
        return f"transaction {self.tx_hash} was not accepted: {self.problem}"


@dataclass
class ControlError(GimbalError):
    """A switch or a request cannot be written; what was ordered does not hold."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; nothing was changed: make it writable and order again"


@dataclass
class JournalError(GimbalError):
    """The journal cannot be written."""

    path: str
    problem: str

    def __str__(self) -> str:
        return f"journal {self.path}: {self.problem}; nothing is sent without a journal"


@dataclass
class DeepReorganisationError(GimbalError):
    """The chain was rewritten deeper than reorganisations are followed: the keeper stops (K-12)."""

    head: str
    number: int
    depth: int

    def __str__(self) -> str:
        return (
            f"block {self.number} ({self.head}) shares no ancestor with the last {self.depth} blocks seen; "
            "the keeper stops: compare the chain with other sources, then start it again"
        )


@dataclass
class ReplayError(GimbalError):
    """A recorded decision cannot be made again: the journal or this installation lacks something."""

    reason: str
    fault: bool = False
    """True where it should be possible: a row is broken, or this version decides no more what it decided once."""

    def __str__(self) -> str:
        return self.reason


@dataclass
class LocalnetError(GimbalError):
    """The local mainnet could not be built or started."""

    step: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"local mainnet, {self.step}: {self.problem}; {self.remedy}"


@dataclass
class AccountingError(GimbalError):
    """A backtest's books do not add up: it stops."""

    time: int
    booked: int
    measured: int

    def __str__(self) -> str:
        return (
            f"books at {self.time}: {self.booked} asset units are accounted for, NAV is "
            f"{self.measured}; this is a fault of the engine, please report it"
        )
