"""Print what was measured beside what is promised; exit 1 where a promise is broken.

``--payments`` says how many are stored in the end (10,000; 100,000 take some minutes and gigabytes).
"""

import argparse
import sys

from .growth import growth, idleness
from .serving import serving


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(prog="stripe_simulator.measure", description="How fast, how large, for how long.")
    parser.add_argument("--payments", type=int, default=10_000, help="how many are stored in the end (default 10000)")
    payments = parser.parse_args().payments
    broken = 0
    for chapter, found in (("Over HTTP", serving()), ("In process", growth(payments)), ("Alone", idleness())):
        print(f"\n{chapter}")
        for measured in found:
            print(" ", measured.row(), flush=True)
            broken += not measured.is_kept
    print(f"\n{broken} promises broken" if broken else "\nevery promise kept")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
