"""One account over the fake chain, as the tests of the executor need it."""

from keeper import abi
from keeper.errors import (
    JournalError,
    SendError,
)
from keeper.execution.executor import TransactionExecutor
from keeper.execution.fees import GasPolicy
from keeper.execution.machine import FollowPolicy
from keeper.execution.signers import Signer, from_private_key
from keeper.execution.simulate import ErrorBook
from keeper.journal.store import SqliteJournal
from keeper.model.attempt import Attempt
from keeper.model.decision import Lane
from tests.unit.execution.fake_chain import GWEI, FakeChain
from tests.unit.execution.intents import make_test_intent

SIGNER = from_private_key("0x" + "4c" * 32, "test")
SEND = "eth_sendRawTransaction"
RECEIPT = "eth_getTransactionReceipt"


def executor_of(
    chain: FakeChain,
    journal: SqliteJournal,
    *,
    signs: bool = True,
    ceiling_wei: int = 200 * GWEI,
    signer: Signer = SIGNER,
) -> TransactionExecutor:
    return TransactionExecutor(
        chain,
        journal,
        ErrorBook(abi.load("Vault")),
        chain_id=1,
        account=SIGNER.address,
        signer=signer if signs else None,
        gas=GasPolicy(routine_ceiling_wei=ceiling_wei),
        follow=FollowPolicy(bump_after_blocks=2, lost_after_blocks=3),
    )


def attempts(journal: SqliteJournal) -> tuple[Attempt, ...]:
    return journal.attempts_at(1, SIGNER.address, 0)


def broken(_attempt: Attempt) -> None:
    raise JournalError("j.sqlite", "cannot be written (disk full)")


def keep_trying(
    chain: FakeChain, executor: TransactionExecutor, blocks: int, lane: Lane = Lane.PROTECTIVE
) -> list[SendError]:
    """A new intent whenever none is in flight; the faults of sending."""
    faults = []
    for _ in range(blocks):
        block = chain.advance()
        executor.follow(block)
        if not executor.in_flight():
            try:
                executor.submit(make_test_intent(block=block, counter=block.number, lane=lane))
            except SendError as fault:
                faults.append(fault)
    return faults


def expire(chain: FakeChain, executor: TransactionExecutor) -> None:
    """Until nothing is in flight."""
    while executor.in_flight():
        executor.follow(chain.advance())
