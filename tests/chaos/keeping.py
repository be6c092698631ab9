"""The keeper of a schedule, rebuilt whenever it dies, and what goes wrong inside its own machine."""

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from keeper.app import Keeper, build_keeper_for
from keeper.app.lanes import lane_terms
from keeper.chain.budget import RateBudget
from keeper.chain.endpoint import Endpoint
from keeper.chain.heads import Heads
from keeper.chain.pool import EndpointPool, PoolPolicy
from keeper.chain.subscription import Feed
from keeper.config.load import load
from keeper.config.policies import follow_policy, gas_policy, policies, tick_rules
from keeper.config.strategy import load_strategy
from keeper.demo.pilot import behaviour_text
from keeper.demo.start import band_for
from keeper.errors import GimbalError, JournalError, ReadError, SigningError
from keeper.execution.signers import Signer
from keeper.execution.signers.local import from_private_key
from keeper.execution.signers.protocol import Signed
from tests.chaos.schedule import BLOCK_S, Mishap, Schedule
from tests.chaos.stage import HEALTH, Stage

PATIENCE_S = 0.25
"""With an endpoint: loopback answers in milliseconds."""
TRIES, RETRY_S = 10, 5
"""As often and as far apart as a keeper polls in a block of the schedules (`Keeper.run` does the same)."""
_POLL_S, _POLL_BESIDE_SUBSCRIPTION_S = 0.004, 0.2
_EDGES = (
    "record_decision",
    "record_attempt",
    "mark",
    "settle",
    "move_intent",
    "record_outcome",
    "reopen",
)
"""Writes of the journal: a keeper may die before or after each."""
_SKEWS_S = (-3_600, -70, 45, 90, 3_600, 86_400)
_runs = itertools.count()


class Killed(BaseException):
    """The process ends here: nothing after this line is done."""


class Outage:
    """A signer that can be switched off."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.address = signer.address
        self.down = False
        self.refused = 0

    def sign(self, transaction: dict[str, Any]) -> Signed:
        """As the signer, unless it is down."""
        if self.down:
            self.refused += 1
            raise SigningError("signer", "does not answer", "wait for it")
        return self._signer.sign(transaction)


class Keeping:
    """Runs one keeper; `strike` sets what is wrong with its machine from now on."""

    def __init__(self, stage: Stage, schedule: Schedule) -> None:
        self.stage = stage
        seed = schedule.seed
        self._rng = random.Random(f"{seed} keeping")
        run = f"{seed}-{next(_runs)}"
        self._file = stage.folder / f"keeper-{run}.toml"
        self._file.write_text(
            f'chain_id = 1\nrpc_url = "{stage.world.http_url}"\nvault = "{stage.deployment.vault}"\n'
            f'lens = "{stage.deployment.lens}"\n{behaviour_text(band_for(HEALTH), BLOCK_S)}'
            f"[lanes]\nblock_time_s = {BLOCK_S}\n[follow]\nconfirm_blocks = 2\nfinality_blocks = 12\n",
            encoding="utf-8",
        )
        self._path = stage.folder / f"journal-{run}.sqlite"
        self.refused = self.restarts = self.deceived = 0
        self._struck: Counter[str] = Counter()
        self._skew_s = 0
        self._full = False
        self._slow = False
        self._dies_in: int | None = None
        self._signer = Outage(from_private_key(stage.keys[0], "campaign"))
        two = Outage(from_private_key(stage.keys[1], "campaign"))
        self._protective = two if seed % 2 else None  # every other schedule with a lane of its own
        self._subscribes = any(m.kind == "websocket cut" for m in schedule.mishaps)
        self.keeper = self._build()
        self._heads = self._listen()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        for left in self.stage.folder.glob(f"{self._path.name}*"):
            left.unlink()

    @property
    def journal(self) -> Any:
        """Of the keeper that lives."""
        return self.keeper.journal

    @property
    def struck(self) -> Counter[str]:
        """How often each fault of its own machine did."""
        signers = [s for s in (self._signer, self._protective) if s is not None]
        return self._struck + Counter({"signer outage": sum(s.refused for s in signers)})

    def _build(self) -> Keeper:
        settings = load(self._file, {}).settings
        pool = EndpointPool(
            [
                Endpoint(
                    between.url,
                    PATIENCE_S,
                    budget=RateBudget(clock=self.stage.clock, sleep=self.stage.wait),
                )
                for between in self.stage.proxies
            ],
            chain_id=1,
            policy=PoolPolicy(grace_s=0.05, patience_s=PATIENCE_S),
            clock=self.stage.clock,
        )
        keeper = build_keeper_for(
            pool=pool,
            chain_id=1,
            vault=settings.vault,
            lens=settings.lens,
            strategy=load_strategy(settings.strategy.name, settings.strategy.parameters),
            policies=policies(settings, 6),
            journal_path=self._path,
            signer=self._signer,
            protective=self._protective,
            terms=lane_terms(settings, {}),
            clock=self._clock,
            rules=tick_rules(settings, dry_run=False),
            gas=gas_policy(settings),
            follow=follow_policy(settings),
        )
        for name in _EDGES:
            setattr(keeper.journal, name, self._edge(getattr(keeper.journal, name)))
        return keeper

    def _listen(self) -> Heads:
        names = [state.name for state in self.keeper.pool.states()]
        lines = zip(names, self.stage.proxies, strict=True)
        feeds = [Feed(name, p.heads.url) for name, p in lines] if self._subscribes else []
        return Heads(
            self.keeper.head,
            poll_interval_s=_POLL_BESIDE_SUBSCRIPTION_S if feeds else _POLL_S,
            timeout_s=1.0,
            feeds=feeds,
            announced=self.keeper.pool.announced,
            needed=self.keeper.pool.k,
        )

    def _clock(self) -> float:
        return self.stage.clock() + self._skew_s

    def block(self) -> None:
        """What `Keeper.run` does while a block is the newest one."""
        self.stage.passes_left = 2
        for turn in range(TRIES):
            self.stage.waited_s = float(turn * RETRY_S)
            try:
                head = self._heads.next()
                if head is None:
                    continue
                self._struck["clock skew"] += bool(self._skew_s)
                self.keeper.tick(head)
            except Killed:
                self._struck["crash of the keeper"] += 1
                self._restart()
            except ReadError:
                continue
            except GimbalError:  # the end of the process: somebody starts it again
                self.refused += 1
                self._restart()
                break
            else:
                self.deceived += self._believes_a_lie()
                if not self.keeper.unfinished:
                    break
                self._heads.again()
        self.stage.waited_s = 0.0

    def _believes_a_lie(self) -> bool:
        """True if what was just decided on is not the price of that block (K-08)."""
        last, newest = self.keeper.last, self.stage.newest
        if last is None or last.market is None or last.block is None:
            return False
        known = last.block.number == newest and last.block.hash == self.stage.hashes[newest]
        return known and last.market.readings.price.price_wad != self.stage.price_wad

    def _restart(self) -> None:
        """A new process, as far as the journal and the chain can tell."""
        self.restarts += 1
        self._dies_in = None
        self._close()
        self.keeper = self._build()
        self._heads = self._listen()
        if self._full:
            self._limit()

    def _close(self) -> None:
        self._heads.close()
        self.keeper.close()

    def strike(self, active: Sequence[Mishap], index: int) -> None:
        """What is wrong from now on; what is not named is well again."""
        by_kind = {m.kind: m for m in active}
        skew = by_kind.get("clock skew")
        self._skew_s = _SKEWS_S[skew.size % len(_SKEWS_S)] if skew else 0
        for signer in (self._signer, self._protective):
            if signer is not None:
                signer.down = "signer outage" in by_kind
        self._slow = "slow database" in by_kind
        if self._full is not ("full disk" in by_kind):
            self._full = not self._full
            self._limit()
        dies = by_kind.get("crash of the keeper")
        self._dies_in = self._rng.randrange(2 * len(_EDGES)) if dies and index >= 0 else None

    def _limit(self) -> None:
        """SQLite's own limit: not one page more than there is."""
        connection = self.keeper.journal.database.connection
        with connection.begin():
            (used,) = connection.exec_driver_sql("PRAGMA page_count").one()
            most = used if self._full else 2**30
            connection.exec_driver_sql(f"PRAGMA max_page_count = {int(most)}")

    def _edge(self, write: Any) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._step()
            try:
                result = write(*args, **kwargs)
            except JournalError:
                self._struck["full disk"] += self._full
                raise
            self._step()
            if self._slow:
                self._struck["slow database"] += self.stage.pass_block()
            return result

        return guarded

    def _step(self) -> None:
        if self._dies_in is None:
            return
        if self._dies_in == 0:
            self._dies_in = None
            raise Killed
        self._dies_in -= 1
