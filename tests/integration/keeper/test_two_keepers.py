"""Two whole keepers of one vault that agree by PostgreSQL: the leader is killed, the other goes on (K-10)."""

import signal
import time
from typing import Any

from tests.integration.keeper.kept import Kept
from tests.integration.keeper.test_operating import PATIENCE_S, started, until
from tests.postgres import PostgresServer


def test_a_standby_takes_over_by_postgres_from_a_leader_that_was_killed(
    shared: Kept, postgres: PostgresServer
) -> None:
    """One journal for both: what the first decided is the second's past. How long it took is printed, not asserted."""
    kept = shared
    url = postgres.url()
    schema = url.rpartition("%3D")[2]
    kept.file.write_text(
        kept.file.read_text() + f'[journal]\nurl = "{url}"\n[leadership]\nmode = "postgres"\n'
    )

    def fences() -> list[tuple[Any, ...]]:
        """Newest first: every term of a leader has its own number."""
        made = postgres.sql(f"SELECT to_regclass('{schema}.fences') IS NOT NULL")
        if made != [(True,)]:
            return []
        return postgres.sql(f"SELECT fence, holder FROM {schema}.fences ORDER BY fence DESC")  # noqa: S608

    def leads(pid: int) -> bool:
        found = fences()
        return bool(found) and f":{pid}:" in found[0][1]

    one, two = kept.folder / "one.txt", kept.folder / "two.txt"
    with started(kept, "run", err=one, GIMBAL_PRIVATE_KEY=kept.key) as first:
        until(lambda: leads(first.pid), said=one)
        with started(kept, "run", err=two, GIMBAL_PRIVATE_KEY=kept.key) as second:
            until(lambda: "standing by" in two.read_text(), said=two)
            before = fences()[0][0]
            first.send_signal(signal.SIGKILL)
            killed_s = time.monotonic()
            first.wait()
            until(lambda: leads(second.pid), said=two)
            print(f"another leads {time.monotonic() - killed_s:.2f} s after the kill")
            assert fences()[0][0] > before
            kept.market(1_750)
            until(
                lambda: kept.rebalances() >= 1 and kept.health() > 1.4,
                meanwhile=kept.mine,
                said=two,
            )
            second.send_signal(signal.SIGTERM)
            second.communicate(timeout=PATIENCE_S)
    newest = fences()[0][0]
    terms = postgres.sql(f"SELECT fence FROM {schema}.intents")  # noqa: S608
    assert (newest,) in terms, "what it decided bears its own term's number"
