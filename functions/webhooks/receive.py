"""Stripe's events in: verify the bytes, put them on the queue, answer.

2xx only when the queue has the event; everything else lets Stripe send it again. The cold start is Stripe's wait:
this imports neither stripe nor pydantic.
"""

import json
import os
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from marketplace.adapters import wiring
from marketplace.domain.errors import Unavailable
from marketplace.domain.signatures import InvalidSignature, UnusableSecrets, require_signed
from marketplace.edge.bodies import UnreadableBody, header, parse_object, raw_body, text_of
from marketplace.edge.deliveries import Misdirected, Unnamed, event_id, group_of, require_endpoint
from marketplace.edge.metrics import count
from marketplace.edge.settings import Part, Settings

settings = Settings.of(os.environ, Part.WEBHOOKS)
secret = wiring.webhook_secret(settings)
queue = wiring.event_queue(settings)

REFUSED: Final = {"refused": 1}
NOT_SIGNED: Final = {**REFUSED, "signature_failures": 1}
ENDPOINTS: Final = frozenset({"account", "connect"})  # the last part of the path; each has secrets of its own


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer a delivery."""
    endpoint = event["rawPath"].rsplit("/", 1)[-1]
    try:
        accepted = _accept(event, endpoint)
    except InvalidSignature as error:
        return _refuse(HTTPStatus.BAD_REQUEST, f"signature: {error.reason}", endpoint, counts=NOT_SIGNED)
    except (UnreadableBody, Unnamed):
        return _refuse(HTTPStatus.BAD_REQUEST, "body", endpoint)
    except Misdirected:
        return _refuse(HTTPStatus.BAD_REQUEST, "endpoint", endpoint)
    except UnusableSecrets:
        return _refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "no usable secret", endpoint)
    except Unavailable:
        return _refuse(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", endpoint)
    facts = {"endpoint": endpoint, "event_id": accepted["id"], "event_type": str(accepted.get("type"))}
    count({"accepted": 1}, facts=facts)
    return _answer(HTTPStatus.OK, {"received": True})


def _accept(event: dict[str, Any], endpoint: str) -> dict[str, Any]:
    """Verify and keep an event.

    Raises:
        UnreadableBody, InvalidSignature, UnusableSecrets, Unnamed, Misdirected, Unavailable.
    """
    body = raw_body(event)
    require_signed(body, header(event, "stripe-signature"), _secrets(endpoint), now=int(time.time()))
    parsed = parse_object(text_of(body))
    require_endpoint(parsed, endpoint)
    message = json.dumps(parsed)  # in ASCII: SQS refuses some of the characters that JSON allows
    queue.put(message, event_id=event_id(parsed), group=group_of(parsed), endpoint=endpoint)
    return parsed


def _secrets(endpoint: str) -> list[str]:
    """The signing secrets of an endpoint, several while one is rotated."""
    try:
        known = json.loads(secret.value())
    except json.JSONDecodeError:
        raise UnusableSecrets("the secret is not JSON") from None
    found = known.get(endpoint) if isinstance(known, dict) and endpoint in ENDPOINTS else None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise UnusableSecrets("the secret has no list for this endpoint")
    return found


def _refuse(status: HTTPStatus, reason: str, endpoint: str, *, counts: Mapping[str, int] = REFUSED) -> dict[str, Any]:
    """The reason is counted and logged, and not told: whoever forges learns nothing."""
    count(counts, reason=reason, facts={"endpoint": endpoint})
    return _answer(status, {"received": False})


def _answer(status: HTTPStatus, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status.value, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
