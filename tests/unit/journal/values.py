"""Values to journal."""

from dataclasses import replace

from keeper.journal.store import SqlJournal
from keeper.model.attempt import Attempt
from keeper.model.decision import Intent, Lane, Refusal, Target, Verdict
from keeper.model.outcome import AttemptResult, AttemptStatus
from keeper.model.units import Wei
from keeper.risk import assess
from tests.builders import CHAIN_ID, make_market
from tests.unit.execution.intents import make_plan, make_test_intent

ATTEMPT = Attempt(
    intent_id="0x01",
    chain_id=1,
    account="0xa",
    to="0xv",
    lane=Lane.ROUTINE,
    nonce=2**40,
    tx_hash="0xaa",
    raw="0x02f8",
    call_data="0x",
    gas_limit=1,
    max_fee_wei=Wei(2**70),
    tip_wei=Wei(1),
    signed_block=5,
    deadline=9,
)
HOLD = Target(Lane.ROUTINE, None, None, "hold")


def decide(
    journal: SqlJournal,
    *,
    sends: bool = True,
    lane: Lane = Lane.PROTECTIVE,
    refusals: tuple[Refusal, ...] = (),
    account: str = "",
    fence: int = 0,
) -> Intent | None:
    """Journal a decision on the usual market; the intent it made, if any."""
    market = make_market()
    intent = make_test_intent(counter=journal.intent_count(), lane=lane) if sends else None
    journal.record_decision(
        market,
        assess(market),
        HOLD,
        make_plan(),
        Verdict(refusals),
        intent,
        account=account,
        fence=fence,
    )
    return intent


def sent(journal: SqlJournal, intent: Intent, tx_hash: str = "0xaa") -> Attempt:
    """Journal an attempt of an intent, and that it was sent."""
    attempt = replace(ATTEMPT, intent_id=intent.id, tx_hash=tx_hash, chain_id=CHAIN_ID)
    journal.record_attempt(attempt)
    journal.mark(tx_hash, AttemptStatus.SENT)
    return attempt


def mined(
    journal: SqlJournal, attempt: Attempt, block: int = 7, status: str = "mined"
) -> AttemptResult:
    """Journal the end of an attempt."""
    result = AttemptResult(
        attempt.intent_id, attempt.tx_hash, AttemptStatus(status), block, 300, 2**70
    )
    journal.settle(result, AttemptStatus.REPLACED)
    return result
