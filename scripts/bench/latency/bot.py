"""silverback's empty handler: on a new block, if it is its turn, send nothing to oneself.

Run by `silverback run` in its own environment, with the task in its environment.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ape import accounts, chain  # type: ignore[import-not-found, unused-ignore]
from silverback import SilverbackBot  # type: ignore[import-not-found, unused-ignore]

task = json.loads(os.environ["GIMBAL_BENCH_TASK"])
bot = SilverbackBot()
account = accounts.test_accounts[int(task["extra"]["index"])]


@bot.on_(chain.blocks)  # type: ignore[untyped-decorator, unused-ignore]
def each(block: Any) -> None:
    """One transfer on a head of our turn."""
    if block.number % task["turns"] == task["turn"]:
        account.transfer(account.address, 0, required_confirmations=0)
