"""The rules: money, states, plans, the ledger. Pure functions and frozen records.

Standard library only; no clock, environment or random source of its own. Everything else may import it.
"""
