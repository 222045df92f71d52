"""Stripe's webhook signatures, scheme v1: an HMAC-SHA256 of the time and the bytes, one for each secret in force.

Stricter than the SDK, which takes times in the future and any secret: https://docs.stripe.com/webhooks#verify-manually
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from typing import Final

TOLERANCE_SECONDS: Final = 300
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
MOST_SIGNATURES: Final = 16  # in one header; Stripe sends one for each secret in force
_TIME: Final = re.compile(r"[0-9]{1,12}")


class InvalidSignature(Exception):
    """Not signed by Stripe for this endpoint, now. ``reason`` is from a short list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnusableSecrets(Exception):
    """No secret, or something that is none: nothing may be accepted."""


def require_signed(body: bytes, header: str | None, secrets: Sequence[str], *, now: int) -> None:
    """Refuse a body that Stripe did not sign within TOLERANCE_SECONDS of ``now`` (seconds since the epoch).

    ``header`` is the ``Stripe-Signature``: ``t=1795422397,v1=5257a8...,v1=...``. Other schemes in it say nothing.

    Raises:
        InvalidSignature, UnusableSecrets.
    """
    usable = require_usable(secrets)
    time, signatures = _parts(header)
    signed = f"{time}.".encode() + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode() for secret in usable]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signatures]
    if not any(matches):
        raise InvalidSignature("no match")
    if abs(now - int(time)) > TOLERANCE_SECONDS:
        raise InvalidSignature("time")


def require_usable(secrets: Sequence[str]) -> Sequence[str]:
    """The secrets, if there is one and each can be one.

    Raises:
        UnusableSecrets.
    """
    if not secrets or not all(s.startswith(SECRET_PREFIX) and len(s) > len(SECRET_PREFIX) for s in secrets):
        raise UnusableSecrets(f"a signing secret begins with {SECRET_PREFIX}")
    return secrets


def _parts(header: str | None) -> tuple[str, list[bytes]]:
    """The time and the v1 signatures. Two times, as two headers joined would have, are one too many."""
    if not header:
        raise InvalidSignature("missing")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value.encode(errors="replace") for name, _, value in pairs if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or len(signatures) > MOST_SIGNATURES:
        raise InvalidSignature("malformed")
    return times[0], signatures
