"""What the scripts print."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from keeper.deployment.roles import AccessState, deviations, table

Say = Callable[[str], None]


def columns(rows: Sequence[Sequence[str]], say: Say) -> None:
    """Rows, aligned; the last column as long as it is."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        say(("  " + "  ".join([*cells, row[-1]])).rstrip())


def show_access(state: AccessState, say: Say) -> None:
    """Who can do what after what delay; what waits; what deviates from the intended wiring."""
    when = datetime.datetime.fromtimestamp(state.timestamp, tz=datetime.UTC)
    say(f"Who can do what (manager {state.manager}, {when:%Y-%m-%d %H:%M:%S} UTC)")
    rows = [("role", "account", "after", "may")]
    rows += [(row.role, row.account, row.after, row.may) for row in table(state)]
    columns(rows, say)
    if state.operations:
        say("\nScheduled")
        columns(
            [
                (
                    f"{datetime.datetime.fromtimestamp(o.at, tz=datetime.UTC):%Y-%m-%d %H:%M:%S} UTC",
                    o.caller,
                    f"{o.target}.{o.function}",
                )
                for o in sorted(state.operations, key=lambda o: o.at)
            ],
            say,
        )
    warnings = deviations(state)
    say("")
    for warning in warnings:
        say(f"WARNING: {warning}")
    if not warnings:
        say("The wiring is the intended one.")
