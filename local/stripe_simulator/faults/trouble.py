"""What a caller in process gets instead of an answer when a fault was ordered; transports make it their own error."""


class NotReached(ConnectionRefusedError):
    """The connection was refused: the simulator has done nothing."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"the connection was refused, as {fault} orders")
        self.fault = fault


class NotAnswered(TimeoutError):
    """The request was executed and its answer is lost.

    ``held_seconds`` is how long a caller over HTTP waits before the connection is closed.
    """

    def __init__(self, fault: str, held_seconds: float) -> None:
        super().__init__(f"the request was executed and is not answered, as {fault} orders")
        self.fault = fault
        self.held_seconds = held_seconds
