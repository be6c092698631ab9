"""`python -m tests.gauntlet [--deep] [--seeds 3] [--only TEXT]`: the matrix, and every limit that did not hold."""

import argparse
import sys
import time
from collections import Counter

from tests.gauntlet.play import play
from tests.gauntlet.scenarios import matrix


def main() -> int:
    """Exit 1 if a limit was broken."""
    known = argparse.ArgumentParser(prog="python -m tests.gauntlet", description=__doc__)
    known.add_argument("--deep", action="store_true", help="paths in full length, block by block")
    known.add_argument("--seeds", type=int, default=3)
    known.add_argument("--only", default="", help="cases whose name holds this")
    given = known.parse_args()
    cases = [c for c in matrix(given.seeds, full=given.deep) if given.only in str(c)]
    found: Counter[str] = Counter()
    begun, steps = time.monotonic(), 0
    for case in cases:
        outcome = play(case)
        steps += outcome.ticks
        print(outcome.line(), flush=True)
        for breach in outcome.breaches[:8]:
            print(f"    {breach}", flush=True)
        found.update(f"{case.strategy}: {b.limit}" for b in outcome.breaches)
    print(f"\n{len(cases)} runs, {steps} ticks, {time.monotonic() - begun:.0f} s")
    for what, count in found.most_common():
        print(f"{count:6d}  {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
