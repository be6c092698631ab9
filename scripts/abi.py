"""Write the ABIs the keeper speaks into keeper/abi, so that it runs without a compiler.

python scripts/abi.py           compile and regenerate
python scripts/abi.py --check   compile and exit 1 if a file is stale
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ABI_DIR = ROOT / "keeper" / "abi"
NAMES = ("AaveV3Adapter", "Mandate", "PriceOracle", "UniswapV3Adapter", "Vault", "VaultLens")


def forge_binary() -> Path:
    """The native executable: the npm launcher hides its exit code."""
    found = sorted((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin/forge"))
    if not found:
        raise SystemExit("abi: no forge under node_modules/@foundry-rs; run `make setup` first")
    return found[0]


def compile_contracts() -> None:
    """Bring build/forge/out up to date."""
    command = [str(forge_binary()), "build", "contracts", "--root", str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"abi: the contracts do not compile\n{done.stdout}{done.stderr}")


def signature_key(entry: dict[str, Any]) -> tuple[str, str, str]:
    """Order of entries that no compiler or source order changes."""
    inputs = ",".join(argument["type"] for argument in entry.get("inputs", ()))
    return entry["type"], entry.get("name", ""), inputs


def rendered(name: str) -> str:
    """One contract's ABI as the text of its file."""
    artifact = json.loads((ROOT / "build/forge/out" / f"{name}.sol" / f"{name}.json").read_text())
    abi = sorted(artifact["abi"], key=signature_key)
    return json.dumps(abi, indent=2, sort_keys=True) + "\n"


def stale() -> list[Path]:
    """Files that differ from what the compiler says now."""
    files = {ABI_DIR / f"{name}.json": rendered(name) for name in NAMES}
    return [path for path, text in files.items() if not path.exists() or path.read_text() != text]


def main() -> int:
    """Regenerate or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--check", action="store_true", help="exit 1 if a file is stale, write nothing"
    )
    check = parser.parse_args().check
    compile_contracts()
    outdated = stale()
    if check:
        for path in outdated:
            print(
                f"abi: {path.relative_to(ROOT)} is stale; run `python scripts/abi.py`",
                file=sys.stderr,
            )
        return 1 if outdated else 0
    ABI_DIR.mkdir(parents=True, exist_ok=True)
    for path in outdated:
        path.write_text(rendered(path.stem))
        print(f"abi: wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
