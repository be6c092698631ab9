"""A compiler that leaves the code as written and still fits it on the stack: what coverage compiles with.

Coverage needs code in which every statement can be found again, so no optimizer. But then the pieces that encode and
decode large structures, which the compiler writes itself, take more stack than there is. One stage of the optimizer
helps them without touching a statement: releasing the stack slots of variables no longer needed. forge has no setting
for it, so this stands between the two: `plain_solc.py COMPILER ARGUMENTS...` with standard JSON on stdin.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

# No sequence of optimization steps (":"), only the allocation of the stack.
PLAIN = {
    "enabled": False,
    "details": {"yul": True, "yulDetails": {"stackAllocation": True, "optimizerSteps": ":"}},
}


def plain(request: dict[str, Any]) -> dict[str, Any]:
    """The same request to the compiler, unoptimized but for the allocation of the stack."""
    return {**request, "settings": {**request.get("settings", {}), "optimizer": PLAIN}}


def main(arguments: list[str]) -> int:
    """Pass the command on to the compiler; its exit code."""
    if "--standard-json" not in arguments:
        return subprocess.run(arguments, check=False).returncode
    request = json.dumps(plain(json.load(sys.stdin)))
    return subprocess.run(arguments, input=request.encode(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
