"""Why a local cloud does not start or goes down."""


class CannotRun(Exception):
    """One line for the person at the terminal: what is missing or in the way, and what to do."""
