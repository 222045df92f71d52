"""Print what was seen; exit 1 where a promise is broken."""

import sys

from .draining import backlog

EVENTS = 100_000

broken = 0
for measured in backlog(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS):
    print(measured.row(), flush=True)
    broken += not measured.is_kept
print(f"\n{broken} promises broken" if broken else "\nevery promise kept")
sys.exit(bool(broken))
