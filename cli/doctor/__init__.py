"""What must be right before money moves, checked one by one: `bin/marketplace doctor`.

Nothing is changed by looking. Each check says what is wrong and how to mend it; docs/going-live.md has what no check
can see.
"""
