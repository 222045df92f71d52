"""What is promised about calls, round trips, write units, import times and sizes, measured: ``make bench``."""
