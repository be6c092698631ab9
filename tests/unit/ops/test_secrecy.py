"""No key and no password in any output, message, frame or child (K-09)."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
import structlog

from keeper.cli.logs import Redactor
from keeper.cli.main import invoke
from keeper.cli.operate import stopping
from keeper.config.key import load_signer
from keeper.config.settings import KeySettings
from keeper.errors import GimbalError, SigningError
from keeper.execution.signers import encrypt_keystore, from_private_key
from keeper.model.secret import Secret
from keeper.ops.control import Switches
from keeper.ops.secrecy import forbid_dumps
from tests.secrets import KEY, PASSWORD, forms, found_in

ROOT = Path(__file__).resolve().parents[3]


def frames(error: BaseException | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Frames of an error and of what it came from, as a tracker of errors would show them."""
    while error is not None:
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            if "/tests/" not in trace.tb_frame.f_code.co_filename:
                yield trace.tb_frame.f_code.co_qualname, trace.tb_frame.f_locals
            trace = trace.tb_next
        error = error.__cause__ or error.__context__


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    path = tmp_path / "k.json"
    path.write_text(encrypt_keystore(KEY, PASSWORD, iterations=2))
    return path


NEARLY = KEY[:-1]


@pytest.mark.parametrize(
    ("environment", "uses_keystore"),
    [
        ({"GIMBAL_KEYSTORE_PASSWORD": PASSWORD + "x"}, True),
        ({"GIMBAL_PRIVATE_KEY": KEY + "77"}, False),
        ({"GIMBAL_PRIVATE_KEY": KEY[2:].upper() + "zz"}, False),
        ({"GIMBAL_PRIVATE_KEY": f"[{KEY}]"}, False),
    ],
)
def test_no_frame_of_an_error_shows_the_secret(
    keystore: Path, environment: dict[str, str], uses_keystore: bool
) -> None:
    settings = KeySettings(keystore=keystore if uses_keystore else None)
    with pytest.raises(GimbalError) as caught:
        load_signer(settings, environment)
    assert not found_in(f"{caught.value} {caught.value!r}")
    for name, values in frames(caught.value):
        for variable, value in values.items():
            assert not found_in(repr(value)), f"{name}: {variable}"


def test_no_frame_of_a_failed_signature_shows_the_key() -> None:
    with pytest.raises(SigningError) as caught:
        from_private_key(KEY, "test").sign({"type": 2})
    for name, values in frames(caught.value):
        assert not found_in(repr(values)), name


@pytest.mark.parametrize("show", [repr, str, lambda s: f"{[s]}", "{}".format])
def test_a_secret_shows_itself_in_no_form(show: Callable[[object], str]) -> None:
    assert not found_in(show(Secret(PASSWORD)))
    assert not found_in(show(from_private_key(KEY, "test")))
    assert Secret(PASSWORD).reveal() == PASSWORD


@pytest.mark.parametrize("form", forms()[2:])
def test_the_redactor_knows_the_key_in_every_form(form: bytes) -> None:
    text = f"before {form.decode()} after"
    assert Redactor([KEY, PASSWORD]).text(text) == "before *** after"


def test_a_password_in_place_of_its_variables_name_is_never_shown(
    tmp_path: Path,
    keystore: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`key.password_env` takes a name; a password there used to stand in `config show`."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "keeper.toml"
    address = f"0x{1:040x}"
    for written in (PASSWORD, PASSWORD.upper()):  # the second could be a name
        file.write_text(
            f'chain_id = 1\nrpc_url = "http://127.0.0.1:1"\nvault = "{address}"\nlens = "{address}"\n'
            f'[key]\nkeystore = "{keystore}"\npassword_env = "{written}"\n'
        )
        for command in (["config", "show"], ["config", "show", "--json"], ["status"], ["doctor"]):
            assert invoke([*command, "--config", str(file)]) != 0 or "show" in command
            said = capfd.readouterr()
            assert not found_in(said.out + said.err, password=written), command
        with pytest.raises(GimbalError) as caught:
            load_signer(KeySettings.model_construct(keystore=keystore, password_env=written), {})
        assert not found_in(str(caught.value), password=written)
    structlog.reset_defaults()


def test_a_key_is_forgotten_by_the_environment_and_by_what_the_system_shows_of_it() -> None:
    program = (
        "import os, pathlib; from keeper.ops.secrecy import forget;"
        "shown = pathlib.Path('/proc/self/environ');"
        "before = shown.read_bytes(); forget(['GIMBAL_PRIVATE_KEY', 'NONE']);"
        "print(before.count(b'4c0883'), shown.read_bytes().count(b'4c0883'), 'GIMBAL_PRIVATE_KEY' in os.environ,"
        " os.environ['KEPT'], b'KEPT=yes' in shown.read_bytes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT), "GIMBAL_PRIVATE_KEY": KEY, "KEPT": "yes"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["1", "0", "False", "yes", "True"]


def test_a_live_keeper_leaves_no_memory_behind() -> None:
    program = (
        "import json, resource; from keeper.ops.secrecy import forbid_dumps;"
        "print(json.dumps([forbid_dumps(), resource.getrlimit(resource.RLIMIT_CORE)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert json.loads(done.stdout) == [True, [0, 0]]
    assert callable(forbid_dumps)


@pytest.mark.parametrize("command", ["run", "once", "risk", "status", "doctor"])
def test_memory_is_shut_before_any_foreign_code_is_started(command: str, tmp_path: Path) -> None:
    """A module or a strategy is a process of the same user: /proc/PID/environ of the keeper would hold the key."""
    address = f"0x{1:040x}"
    file = tmp_path / "keeper.toml"
    file.write_text(
        f'chain_id = 1\nrpc_url = "http://127.0.0.1:1"\nvault = "{address}"\nlens = "{address}"\n'
    )
    program = (
        "import ctypes, keeper.app, keeper.app.build as build\n"
        "from keeper.cli.main import invoke\n"
        "def first(*_, **__):\n"
        "    print('dumpable', ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)); raise SystemExit(0)\n"
        "keeper.app.build_keeper = keeper.app.first_readings = build._strategy = first\n"
        "import keeper.cli.doctor as doctor\n"
        "doctor._guarded = first\n"
        f"invoke(['{command}', '--config', '{file}'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT), "GIMBAL_PRIVATE_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        check=False,
    )
    assert "dumpable 0" in done.stdout, done.stderr


def test_a_crash_leaves_no_secret_in_its_line_its_log_or_its_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a library puts into a message: the key in any form, the password, a key of an endpoint."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIMBAL_PRIVATE_KEY", KEY)
    monkeypatch.setenv("GIMBAL_KEYSTORE_PASSWORD", PASSWORD)
    address = f"0x{1:040x}"
    file = tmp_path / "keeper.toml"
    file.write_text(
        f'chain_id = 1\nrpc_url = "http://127.0.0.1:1/v3/SECRET99KEY"\nvault = "{address}"\nlens = "{address}"\n'
    )
    said = " ".join(form.decode() for form in forms()[2:]) + " SECRET99KEY"

    def crash(*_: object) -> None:
        raise ZeroDivisionError(said)

    monkeypatch.setattr("keeper.app.first_readings", crash)
    assert invoke(["status", "--config", str(file), "--debug"]) == 70
    shown = capfd.readouterr()
    structlog.reset_defaults()
    for text in (shown.out, shown.err, (tmp_path / "keeper-crash.log").read_text()):
        assert not found_in(text)
        assert "SECRET99KEY" not in text
    assert "ZeroDivisionError" in shown.err


def test_the_signal_sets_the_kill_switch_and_ends_nothing(tmp_path: Path) -> None:
    switches = Switches(tmp_path)
    with stopping(switches) as stop:
        os.kill(os.getpid(), signal.SIGUSR1)
        for thread in threading.enumerate():
            if thread.name == "kill switch":
                thread.join()
        assert switches.killed() is not None
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.is_set()
