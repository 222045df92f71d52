"""S01 to S03: no forged, stale or early delivery passes, and rotation is no outage."""

import hashlib
import hmac

import pytest
import stripe
from hypothesis import given
from hypothesis import strategies as st

from marketplace.domain.signatures import InvalidSignature, UnusableSecrets, require_signed

OLD, NEW, OTHER = "whsec_old", "whsec_new", "whsec_other_endpoint"
BODY = b'{"id": "evt_1", "object": "event"}'
NOW = 1_795_422_397


def sign(secret: str, *, at: int = NOW, body: bytes = BODY, scheme: str = "v1") -> str:
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},{scheme}={digest}"


def digest(secret: str, at: int = NOW) -> str:
    return sign(secret, at=at).split("v1=")[1]


def refusal(header: str | None, secrets: list[str] | None = None, *, body: bytes = BODY, now: int = NOW) -> str:
    with pytest.raises(InvalidSignature) as refused:
        require_signed(body, header, secrets or [NEW], now=now)
    return refused.value.reason


def test_what_stripe_signed_passes() -> None:
    require_signed(BODY, sign(NEW), [NEW], now=NOW)
    theirs = stripe.WebhookSignature.generate_signature_header(BODY.decode(), NEW, NOW)
    require_signed(BODY, theirs, [NEW], now=NOW)


@given(body=st.binary(max_size=200), at=st.integers(0, 10**11))
def test_any_bytes_pass_as_they_were_signed(body: bytes, at: int) -> None:
    require_signed(body, sign(NEW, at=at, body=body), [NEW], now=at)


@given(position=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_no_bit_of_the_body_can_be_changed(position: int, bit: int) -> None:
    changed = bytearray(BODY)
    changed[position] ^= 1 << bit
    assert refusal(sign(NEW), body=bytes(changed)) == "no match"


@pytest.mark.parametrize(
    "header",
    [
        None, "", "t=", f"t={NOW}", "v1=" + digest(NEW), "nonsense", f"t={NOW},v1", f"t={NOW}.5,v1={digest(NEW)}",
        f"t=-{NOW},v1={digest(NEW)}", f"t=\u0661\u0662,v1={digest(NEW)}", f"t={13 * '9'},v1={digest(NEW)}",
        f"{sign(NEW)},{sign(NEW, at=NOW - 1)}", f"{sign(NEW)},t={NOW}",
        f"t={NOW}," + ",".join(17 * [f"v1={digest(NEW)}"]),
    ],
)  # fmt: skip
def test_a_header_that_is_missing_malformed_or_doubled_is_refused(header: str | None) -> None:
    assert refusal(header) != "time"  # refused for what it is, before its time is looked at


def test_other_schemes_prove_nothing() -> None:
    assert refusal(sign(NEW, scheme="v0")) == "no match"
    assert refusal(sign(NEW, scheme="V1")) == "no match"
    require_signed(BODY, f"{sign(NEW)},v0={64 * '0'}", [NEW], now=NOW)


@pytest.mark.parametrize("forged", [64 * "0", "", digest(NEW)[:-1], digest(NEW).upper(), "\u00e9", "\ud800"])
def test_a_forged_signature_is_refused(forged: str) -> None:
    assert refusal(f"t={NOW},v1={forged}") == "no match"


def test_another_time_than_the_signed_one_is_refused() -> None:
    assert refusal(f"t={NOW + 1},v1={digest(NEW)}") == "no match"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_within_five_minutes_a_delivery_passes(seconds: int) -> None:
    require_signed(BODY, sign(NEW, at=NOW - seconds), [NEW], now=NOW)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400, -86_400])
def test_older_or_earlier_than_five_minutes_is_refused(seconds: int) -> None:
    assert refusal(sign(NEW, at=NOW - seconds)) == "time"


def test_while_a_secret_is_rotated_both_pass_and_no_other() -> None:
    for signed in (OLD, NEW):
        require_signed(BODY, sign(signed), [OLD, NEW], now=NOW)
    require_signed(BODY, f"{sign(OLD)},v1={digest(NEW)}", [NEW], now=NOW)
    assert refusal(sign(OLD), [NEW]) == "no match"
    assert refusal(sign(OTHER), [OLD, NEW]) == "no match"


@pytest.mark.parametrize("secrets", [[], [""], ["whsec_"], ["sk_test_1"], [NEW, ""]])
def test_shopper_602_without_a_real_secret_nothing_passes(secrets: list[str]) -> None:
    with pytest.raises(UnusableSecrets):
        require_signed(BODY, sign(secrets[-1] if secrets else ""), secrets, now=NOW)
