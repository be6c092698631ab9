"""Whose turn a head is: contenders act on every third head each, so that one never disturbs another.

Standard library only: the peers run in environments of their own and read this file too.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """What one contender is told: the node, the account that sends, and its turn."""

    http_url: str
    ws_url: str
    private_key: str
    turn: int
    turns: int
    extra: dict[str, str]

    def acts_on(self, number: int) -> bool:
        """True if the head with this number is this contender's."""
        return number % self.turns == self.turn


def given() -> Task:
    """The task of this process, from its environment."""
    return Task(**json.loads(os.environ["GIMBAL_BENCH_TASK"]))


def ready() -> None:
    """Tell the measuring process that everything is imported and connected."""
    print("ready", flush=True)
    sys.stdout.flush()
