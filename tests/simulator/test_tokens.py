"""Tokens of accounts, persons and bank accounts: good once, for what they were made of."""

from typing import Any

import pytest
import stripe

from .conftest import START
from .paying import refused

CONTROLLER: Any = {
    "stripe_dashboard": {"type": "none"},
    "fees": {"payer": "application"},
    "losses": {"payments": "application"},
    "requirement_collection": "application",
}


def token(client: stripe.StripeClient, **given: Any) -> Any:
    params: Any = given
    return client.v1.tokens.create(params)


def account(client: stripe.StripeClient, **more: Any) -> Any:
    params: Any = {"controller": CONTROLLER, "capabilities": {"transfers": {"requested": True}}, **more}
    return client.v1.accounts.create(params)


def test_an_account_token_gives_its_details_and_accepts_the_terms(client: stripe.StripeClient) -> None:
    details = {"business_type": "individual", "individual": {"first_name": "Ann", "last_name": "Lee"}}
    made = token(client, account={**details, "tos_shown_and_accepted": True})
    assert (made.type, made.used, made.id[:3]) == ("account", False, "ct_")
    found = account(client, account_token=made.id, external_account="btok_us_verified")
    assert (found.business_type, found.individual.first_name, found.tos_acceptance.date) == ("individual", "Ann", START)
    assert (found.requirements.currently_due, client.v1.tokens.retrieve(made.id).used) == ([], True)
    with refused(match="more than once") as failure:
        account(client, account_token=made.id)
    assert failure.value.code == "token_already_used"
    renamed = token(client, account={"individual": {"first_name": "Bea"}})
    assert (
        client.v1.accounts.update(found.id, {"account_token": renamed.id}).to_dict()["individual"]["first_name"]
        == "Bea"
    )


def test_a_person_token_gives_a_person(client: stripe.StripeClient) -> None:
    company = account(client, business_type="company")
    made = token(client, person={"first_name": "Ann", "relationship": {"owner": True}})
    person: Any = client.v1.accounts.persons.create(company.id, {"person_token": made.id})
    assert (person.first_name, person.relationship.owner) == ("Ann", True)
    other = token(client, person={"maiden_name": "A"})
    with refused(stripe.APIError, match="maiden_name"):
        client.v1.accounts.persons.create(company.id, {"person_token": other.id})


def test_a_bank_account_token_gives_the_bank_account(client: stripe.StripeClient) -> None:
    details = {"country": "US", "currency": "usd", "account_number": "000111111116", "routing_number": "110000000"}
    made = token(client, bank_account=details)
    assert (made.bank_account.last4, "_number" in made.bank_account) == ("1116", False)
    found = account(client, external_account=made.id)
    assert found.external_accounts.data[0].last4 == "1116"
    with refused(match="more than once"):
        account(client, external_account=made.id)


def test_tokens_are_of_one_thing_and_of_the_right_one(client: stripe.StripeClient) -> None:
    with refused(match="supply one of"):
        token(client)
    person = token(client, person={"first_name": "Ann"})
    with refused(match="No such token"):
        account(client, account_token=person.id)
    with refused(stripe.APIError, match="pii"):
        token(client, pii={"id_number": "000000000"})
    with pytest.raises(stripe.APIError, match="structure"):
        account(client, company={"structure": "sole_proprietorship"})
