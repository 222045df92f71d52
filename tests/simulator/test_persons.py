"""The people of accounts: the same in both APIs, and what a company needs of them."""

from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator

from .paying import heard, listen, refused
from .shop import new_seller, onboard, ready_seller


@pytest.fixture
def company(client: stripe.StripeClient) -> str:
    details = {"country": "us", "entity_type": "company", "business_details": {"registered_name": "Tea Ltd"}}
    return new_seller(client, identity=details)


def asked(client: stripe.StripeClient, account: str) -> list[str]:
    found: Any = client.v1.accounts.retrieve(account)
    return list(found.requirements.currently_due)


def test_a_company_needs_somebody_who_represents_it(client: stripe.StripeClient, company: str) -> None:
    representative = ["representative.first_name", "representative.last_name"]
    others = ["tos_acceptance.date", "external_account"]
    assert asked(client, company) == [*representative, *others]
    made = client.v1.accounts.persons.create(company, {"first_name": "Ann", "relationship": {"representative": True}})
    found: Any = client.v1.accounts.persons.retrieve(company, made.id)
    assert found.requirements.currently_due == ["last_name"]
    assert (found.relationship.representative, found.relationship.owner, found.verification.status) == (
        *(True, False),
        "unverified",
    )
    assert asked(client, company) == ["representative.last_name", *others]
    client.v1.accounts.persons.update(company, made.id, {"last_name": "Lee"})
    assert asked(client, company) == others
    assert client.v1.accounts.persons.retrieve(company, made.id).to_dict()["verification"]["status"] == "verified"


def test_onboarding_gives_a_company_its_representative(
    simulator: Simulator, client: stripe.StripeClient, company: str
) -> None:
    onboard(simulator, company)
    (found,) = client.v1.accounts.persons.list(company).data
    assert (found.first_name, found.last_name) == ("Jenny", "Rosen")
    assert asked(client, company) == []


def test_people_are_found_by_what_they_are(simulator: Simulator, client: stripe.StripeClient, company: str) -> None:
    listen(simulator)
    create = client.v1.accounts.persons.create
    first = create(company, {"first_name": "Ann", "relationship": {"representative": True, "executive": True}})
    share: Any = {"owner": True, "percent_ownership": 60}
    second = create(company, {"first_name": "Bob", "relationship": share, "metadata": {"a": "1"}})
    owners: Any = {"relationship": {"owner": True}}
    assert [each.id for each in client.v1.accounts.persons.list(company, owners).data] == [second.id]
    assert [each.id for each in client.v1.accounts.persons.list(company).data] == [second.id, first.id]
    assert second.to_dict()["relationship"]["percent_ownership"] == 60
    for wrong, message in (
        ({"relationship": {"owner": True, "percent_ownership": 41}}, "more than 100 percent"),
        ({"relationship": {"representative": True}}, "only one representative"),
    ):
        params: Any = wrong
        with refused(match=message):
            create(company, params)
    with refused(match="cannot delete the representative"):
        client.v1.accounts.persons.delete(company, first.id)
    heard(simulator)
    assert client.v1.accounts.persons.delete(company, second.id).deleted
    assert [each for each in heard(simulator) if "person" in each] == [
        "seller: person.deleted",
    ]
    with refused(match="No such person"):
        client.v1.accounts.persons.retrieve(company, second.id)


def test_both_apis_show_one_person(client: stripe.StripeClient, company: str) -> None:
    birth = {"day": 1, "month": 2, "year": 1980}
    params: Any = {"given_name": "Ann", "surname": "Lee", "date_of_birth": birth, "nationalities": ["us"]}
    params |= {"relationship": {"owner": True, "percent_ownership": "12.5"}}
    params |= {"id_numbers": [{"type": "us_ssn_last_4", "value": "0000"}]}
    made: Any = client.v2.core.accounts.persons.create(company, params)
    assert (made.given_name, str(made.relationship.percent_ownership), made.account) == ("Ann", "12.5", company)
    assert [each.to_dict() for each in made.id_numbers] == [{"type": "us_ssn_last_4"}]
    old: Any = client.v1.accounts.persons.retrieve(company, made.id)
    assert (old.first_name, old.last_name, old.dob.to_dict(), old.nationality) == ("Ann", "Lee", birth, "us")
    assert (old.ssn_last_4_provided, old.id_number_provided, old.relationship.percent_ownership) == (True, False, 12.5)
    client.v2.core.accounts.persons.update(company, made.id, {"surname": "Li"})
    (listed,) = client.v2.core.accounts.persons.list(company).data
    assert listed.surname == "Li"
    client.v2.core.accounts.persons.delete(company, made.id)
    assert client.v2.core.accounts.persons.list(company).data == []


def test_an_individual_is_the_only_person_of_its_account(simulator: Simulator, client: stripe.StripeClient) -> None:
    account = ready_seller(simulator, client)
    (alone,) = client.v1.accounts.persons.list(account).data
    assert (alone.first_name, alone.to_dict()["relationship"]["representative"]) == ("Jenny", True)
    changed: Any = client.v1.accounts.persons.update(account, alone.id, {"email": "jenny@example.test"})
    assert (changed.id, changed.email) == (alone.id, "jenny@example.test")
    include: Any = {"include": ["identity"]}
    shown: Any = client.v2.core.accounts.retrieve(account, include)
    assert (shown.identity.individual.id, shown.identity.individual.email) == (alone.id, "jenny@example.test")
    with refused(match="cannot delete the representative"):
        client.v1.accounts.persons.delete(account, alone.id)


def test_what_is_not_followed_of_people_answers_501(client: stripe.StripeClient, company: str) -> None:
    for params, name in (
        ({"maiden_name": "a"}, "maiden_name"),
        ({"gender": "x", "verification": {"document": {"front": "file_1"}}}, "verification"),
    ):
        asked_for: Any = params
        with refused(stripe.APIError, match=name) as failure:
            client.v1.accounts.persons.create(company, asked_for)
        assert failure.value.http_status == 501


def test_a_thin_event_leads_to_the_person(simulator: Simulator, client: stripe.StripeClient, company: str) -> None:
    made = client.v2.core.accounts.persons.create(company, {"given_name": "Ann"})
    found: Any = client.v2.core.events.list({}, {"stripe_context": company}).data
    (event,) = [each for each in found if each.type == "v2.core.account_person.created"]
    assert event.related_object.url == f"/v2/core/accounts/{company}/persons/{made.id}"
    assert event.data.account_id == company


def test_api_v1_takes_the_individual_and_the_companys_flags(client: stripe.StripeClient) -> None:
    controller: Any = {
        "stripe_dashboard": {"type": "none"},
        "fees": {"payer": "application"},
        "losses": {"payments": "application"},
        "requirement_collection": "application",
    }
    capabilities: Any = {"transfers": {"requested": True}}
    individual: Any = {"first_name": "Ann", "last_name": "Lee", "dob": {"day": 1, "month": 2, "year": 1980}}
    params: Any = {"controller": controller, "capabilities": capabilities, "business_type": "individual"}
    made: Any = client.v1.accounts.create(params | {"individual": individual})
    assert (made.individual.first_name, made.individual.dob.year, made.individual.object) == ("Ann", 1980, "person")
    company = {"name": "Tea Ltd", "owners_provided": True, "tax_id": "000000000"}
    params["business_type"] = "company"
    other: Any = client.v1.accounts.create(params | {"company": company})
    assert (other.company.owners_provided, other.company.directors_provided, other.company.tax_id_provided) == (
        *(True, False),
        True,
    )
    with refused(stripe.APIError, match="verification"):
        client.v1.accounts.update(made.id, {"individual": {"verification": {"document": {"front": "file_1"}}}})
