"""One anvil process on loopback: started, awaited and always ended."""

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Self

from keeper.errors import LocalnetError
from keeper.localnet.rpc import SEE_LOG, Rpc
from keeper.localnet.world import Accounts

READY_TIMEOUT_S = 20.0
POLL_S = 0.02
END_TIMEOUT_S = 5.0
START_ATTEMPTS = 3
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class AnvilOptions:
    """How the node behaves. `None` leaves anvil's default.

    timestamp: unix seconds of the genesis block (new chains only).
    block_time_s: mine every so many seconds of wall time; with `auto_mine` False and no block time, on demand only.
    balance_eth: balance of every development account.
    """

    chain_id: int = 1
    load_state: Path | None = None
    fork_url: str | None = None
    auto_mine: bool = True
    block_time_s: float | None = None
    base_fee_wei: int | None = None
    gas_limit: int = 45_000_000
    balance_eth: int = 10_000_000
    timestamp: int | None = None
    port: int | None = None


def anvil_binary(root: Path) -> Path:
    """The native binary from the npm packages, else from PATH. The npm launcher is never used."""
    for candidate in sorted(root.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*")):
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("anvil")
    if found is not None:
        return Path(found)
    raise LocalnetError(
        "finding anvil", f"no binary under {root / 'node_modules'} or on PATH", "run `make setup`"
    )


def arguments(options: AnvilOptions, port: int, state_dir: Path) -> list[str]:
    """The command line after the binary."""
    args = ["--host", "127.0.0.1", "--port", str(port), "--quiet", "--no-cors"]
    args += ["--chain-id", str(options.chain_id), "--hardfork", "cancun", "--order", "fees"]
    args += ["--accounts", str(len(fields(Accounts)))]
    args += ["--balance", str(options.balance_eth), "--gas-limit", str(options.gas_limit)]
    args += ["--cache-path", str(state_dir)]
    if options.load_state is not None:
        args += ["--load-state", str(options.load_state)]
    if options.fork_url is not None:
        # The fork cache is keyed by chain id and block: after a rebuild it would answer with the old chain's state.
        args += ["--fork-url", options.fork_url, "--no-storage-caching", "--no-rate-limit"]
    if options.block_time_s is not None:
        args += ["--block-time", f"{options.block_time_s:g}"]
        if options.auto_mine:
            args += ["--mixed-mining"]
    elif not options.auto_mine:
        args += ["--no-mining"]
    if options.base_fee_wei is not None:
        args += ["--block-base-fee-per-gas", str(options.base_fee_wei)]
    if options.timestamp is not None:
        args += ["--timestamp", str(options.timestamp)]
    return args


def require_port_free(port: int) -> None:
    """Raises if somebody listens on a loopback port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise LocalnetError(
                "starting anvil",
                f"port {port} is in use",
                "choose another with --port or end the other process",
            )


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Anvil:
    """A running anvil; a context manager. Ends with the block it is used in, and with the thread that started it.

    What the node says goes to a log in `log_dir`, kept after the end only if there is something in it.
    """

    def __init__(self, root: Path, options: AnvilOptions, *, log_dir: Path, name: str) -> None:
        self._binary = anvil_binary(root)
        self._options = options
        self._log_dir = log_dir
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._state_dir: Path | None = None
        self.port = 0
        self.log_path = log_dir / f"{name}-{os.getpid()}.log"

    @property
    def http_url(self) -> str:
        """JSON-RPC over HTTP."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """JSON-RPC over websocket."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while running."""
        return self._process.pid if self._process is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
        if isinstance(error, LocalnetError):
            where = f"see {self.log_path}" if self.log_path.exists() else "the node logged nothing"
            error.remedy = error.remedy.replace(SEE_LOG, where)

    def start(self) -> None:
        """Start and wait until `eth_chainId` answers. A port taken between probe and start is tried again."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(self._log_dir)
        self._state_dir = Path(
            tempfile.mkdtemp(prefix=f"{self._name}-{os.getpid()}-", dir=self._log_dir)
        )
        try:
            self._start_on_some_port()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process, politely and then not. Safe to call twice."""
        self._end_process()
        with contextlib.suppress(OSError):
            if self.log_path.stat().st_size == 0:
                self.log_path.unlink()
        if self._state_dir is not None:
            shutil.rmtree(self._state_dir, ignore_errors=True)
            self._state_dir = None

    def _start_on_some_port(self) -> None:
        wanted = self._options.port
        for _ in range(START_ATTEMPTS if wanted is None else 1):
            self.port = free_port() if wanted is None else wanted
            require_port_free(self.port)
            self._spawn()
            if self._await_ready():
                return
            self._end_process()
        raise LocalnetError("starting anvil", self._log_tail(), f"see {self.log_path}")

    def _spawn(self) -> None:
        state_dir = self._state_dir
        if state_dir is None:
            raise LocalnetError("starting anvil", "the node was closed", "start it again")
        command = [str(self._binary), *arguments(self._options, self.port, state_dir)]
        with self.log_path.open("wb") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own argument list, no shell
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    # A terminal's Ctrl-C goes to the parent, which ends its children in order.
                    start_new_session=True,
                    preexec_fn=_die_with_parent(),  # noqa: PLW1509 - one prctl call, no locks taken
                )
            except OSError as error:
                raise LocalnetError(
                    "starting anvil", str(error), "run `make setup` again"
                ) from error

    def _await_ready(self) -> bool:
        deadline = time.monotonic() + READY_TIMEOUT_S
        rpc = Rpc(self.http_url, timeout_s=READY_TIMEOUT_S)
        while self._process is not None and self._process.poll() is None:
            with contextlib.suppress(LocalnetError, OSError):
                found = int(rpc.call("eth_chainId"), 16)
                if found == self._options.chain_id:
                    return True
            if time.monotonic() > deadline:
                raise LocalnetError(
                    "starting anvil",
                    f"no answer within {READY_TIMEOUT_S:.0f} s",
                    f"see {self.log_path}",
                )
            time.sleep(POLL_S)
        return False

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            lines = [
                line
                for line in self.log_path.read_text(errors="replace").splitlines()
                if line.strip()
            ]
            if lines:
                return lines[-1][:300]
        return "the process ended at once and said nothing"


def _remove_leftovers(log_dir: Path) -> None:
    """What was left by starters that were killed: working directories, and logs with nothing in them."""
    for entry in log_dir.glob("*-*"):
        owner = entry.stem.split("-")[1]
        if not owner.isdigit() or _alive(int(owner)):
            continue
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
            continue
        with contextlib.suppress(FileNotFoundError):  # another starter cleans up as well
            if entry.stat().st_size == 0:
                entry.unlink()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _die_with_parent() -> Callable[[], None] | None:
    """What the child runs before exec so that it ends when its parent is killed; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def arm() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the call
            os._exit(1)

    return arm
