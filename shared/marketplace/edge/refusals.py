"""What the edge itself refuses, before a use case is asked."""


class InvalidRequest(Exception):
    """Fields that are missing, unknown or of the wrong form: (field, what is wrong with it) of each."""

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{field}: {wrong}" for field, wrong in fields))
        self.fields = fields


class RouteNotFound(Exception):
    """No route has this path."""


class MethodNotAllowed(Exception):
    """The path is served, for other methods."""

    def __init__(self, allowed: tuple[str, ...]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = allowed
