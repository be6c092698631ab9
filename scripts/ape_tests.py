"""Start the local mainnet, then run Ape's own test runner against a fork of it.

Ape wants the upstream's address before it starts, so the upstream is started here and its port handed over in
GIMBAL_APE_PORT (ape-config.yaml expands it). Arguments go to `ape test`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlsplit

from keeper.errors import GimbalError
from keeper.localnet.mainnet import start_upstream
from keeper.localnet.market import MarketSpec

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
NETWORK = "ethereum:mainnet-fork:foundry"
COPIES = ROOT / "contracts" / ".cache"
"""Where Ape puts copies of dependencies. Left behind, they confuse its next compilation and forge's formatter."""
COMPILED = ROOT / ".build"
"""What Ape compiled before: it goes on using it for contracts whose imports, and not they themselves, have changed."""


def main() -> int:
    """Exit with ape's own exit code."""
    shutil.rmtree(COPIES, ignore_errors=True)
    shutil.rmtree(COMPILED, ignore_errors=True)
    # Ape's fork goes on from the wall clock, so the market must be fresh by it.
    market = MarketSpec(price_usd=2_000.0, start_time=int(time.time()) - 30)
    try:
        with start_upstream(ROOT, market=market) as (upstream, addresses):
            environment = {
                **os.environ,
                "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
                "APE_DATA_FOLDER": str(ROOT / "build" / "ape"),
                "SOLCX_BINARY_PATH": str(ROOT / "build" / "solc"),
                "GIMBAL_APE_PORT": str(urlsplit(upstream.http_url).port),
                "GIMBAL_LOCALNET": json.dumps(asdict(addresses)),
            }
            # Ape imports itself before pytest can look: its own warnings are not ours to make errors of.
            quiet = ["-W", "default", "--disable-warnings"]
            command = [
                str(BIN / "ape"),
                "test",
                "tests/ape",
                "--network",
                NETWORK,
                *quiet,
                *sys.argv[1:],
            ]
            return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    except GimbalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    finally:
        shutil.rmtree(COPIES, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
