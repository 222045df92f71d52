"""Print what was measured beside what is promised; exit 1 where a promise is broken."""

import sys

from .counts import counts
from .hot_keys import hot_keys
from .imports import imports
from .sizes import sizes
from .throughput import throughput

broken = 0
for chapter in (counts, hot_keys, imports, sizes, throughput):
    print(f"\n{(chapter.__module__.rpartition('.')[2]).capitalize()}")
    for measured in chapter():
        print(" ", measured.row())
        broken += not measured.is_kept
print(f"\n{broken} promises broken" if broken else "\nevery promise kept")
sys.exit(bool(broken))
