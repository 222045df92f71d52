"""What the API's description promises of every route: no field for a card (S11), pages of at most a hundred (S07)."""

import json
import re
from collections.abc import Iterator
from typing import Any

from local.cloud.places import PROJECT

DOCUMENT: dict[str, Any] = json.loads((PROJECT / "docs" / "openapi.json").read_text())
OF_A_CARD = re.compile(r"(^|_)(card|pan|cvc|cvv|csc|cvn|track|security_code|exp_month|exp_year|expiry|number)($|_)")
# A parcel's, a merchant's capability, what invoices and credit notes are called.
OF_NO_CARD = {"shipping_tracking_number", "card_payments", "invoice_number", "credit_note_number"}


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, found in DOCUMENT["paths"].items():
        for method, operation in found.items():
            yield f"{method.upper()} {path}", operation


def fields(schema: Any) -> Iterator[str]:
    """The names of all fields in a schema, however deep."""
    if isinstance(schema, dict):
        properties = schema.get("properties", {})
        yield from properties
        yield from (field for each in [*schema.values(), *properties.values()] for field in fields(each))
    elif isinstance(schema, list):
        yield from (field for each in schema for field in fields(each))


def test_s11_no_field_and_no_parameter_could_take_a_card() -> None:
    named = {field for schema in DOCUMENT["components"]["schemas"].values() for field in fields(schema)}
    asked = {each["name"] for _, operation in operations() for each in operation.get("parameters", [])}
    assert {"unit_amount", "merchant_id", "last4"} <= named
    assert {name for name in named | asked if OF_A_CARD.search(name.lower())} <= OF_NO_CARD


def test_s07_every_list_with_a_cursor_has_pages_of_at_most_a_hundred() -> None:
    lists = [
        (name, parameters)
        for name, operation in operations()
        if "cursor" in (parameters := {each["name"]: each["schema"] for each in operation.get("parameters", [])})
    ]
    assert len(lists) > 10
    assert {name: parameters["limit"] for name, parameters in lists if parameters["limit"]["maximum"] != 100} == {}


def test_every_answer_with_a_body_says_of_which_kind_and_every_refusal_names_its_problems() -> None:
    for name, operation in operations():
        assert "default" not in operation["responses"], name
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and "$ref" in answer:
                said = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[-1]]["content"]
                assert said, f"{name}: {status}"
