"""Secrets Manager with one secret, which can fail."""

from typing import Any


class NoValue(Exception):
    """ResourceNotFoundException: a secret without a value."""


class Secrets:
    """A client of it. ``writes`` are all values that were ever put, the first first."""

    class exceptions:  # noqa: N801 - as boto3 has it
        ResourceNotFoundException = NoValue

    def __init__(self, value: str | None = None) -> None:
        self.writes = [] if value is None else [value]

    def get_secret_value(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
        if not self.writes:
            raise NoValue
        return {"SecretString": self.writes[-1]}

    def put_secret_value(self, *, SecretId: str, SecretString: str) -> None:  # noqa: N803 - as boto3 has it
        self.writes.append(SecretString)
