"""The judge of all answers can say no, and knows what has changed since its document."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from . import openapi


def judged(simulator: Simulator, path: str, **changes: Any) -> list[str]:
    """What is wrong with an object of the simulator's after some members were changed; None takes one away."""
    answer = simulator.request("GET", path).json()
    for name, value in changes.items():
        if value is None:
            del answer[name]
        else:
            answer[name] = value
    schema = openapi.schema_of_answer("GET", path)
    assert schema is not None
    return list(openapi.findings(schema, answer))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"livemode": None}, [".livemode is missing"]),
        ({"created": "now"}, [".created is 'now', no integer"]),
        ({"livemode": 1}, [".livemode is 1, no boolean"]),
        ({"surname": "Rosen"}, [".surname is no member"]),
        ({"tax_exempt": "perhaps"}, [".tax_exempt is 'perhaps', none of ['exempt', 'none', 'reverse']"]),
        ({"invoice_settings": {"footer": 7}}, [".invoice_settings.footer is 7, no string"]),
    ],
)
def test_a_wrong_answer_is_found(
    simulator: Simulator, client: stripe.StripeClient, changes: dict[str, Any], expected: list[str]
) -> None:
    customer = client.v1.customers.create({"name": "A"})
    assert judged(simulator, f"/v1/customers/{customer.id}", **changes) == expected


def test_what_the_pinned_version_has_added_or_taken_away_is_no_finding() -> None:
    """The endive version: ``allowed_payment_method_types`` of sessions is new; the SDK's class says so."""
    known = openapi.sdk_class("checkout.session")
    assert known is not None
    assert known.has_member("allowed_payment_method_types")
    assert not known.has_member("no_such_member")


def test_events_are_those_that_an_endpoint_can_subscribe_to() -> None:
    assert {"charge.succeeded", "checkout.session.completed", "v2.core.account.updated"} <= openapi.event_types()
    assert "charge.invented" not in openapi.event_types()
