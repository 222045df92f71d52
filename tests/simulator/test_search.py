"""Search: the query language, what it finds, its pages, and how far it lags behind."""

from contextlib import suppress
from typing import Any

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from local.stripe_simulator import Clock, Settings, Simulator
from local.stripe_simulator.errors import InvalidParameterError
from local.stripe_simulator.funds.intents import PAYMENT_INTENTS
from local.stripe_simulator.in_process import InProcessClient
from local.stripe_simulator.search import FIELDS
from local.stripe_simulator.search.query import read_query
from local.stripe_simulator.state import State

from .conftest import START
from .paying import pay

PEOPLE: dict[str, dict[str, Any]] = {
    "ann": {"email": "ann@leaf.example", "name": "Ann Marie Rose", "metadata": {"shop": "1", "a b": 'say "hi"'}},
    "bob": {"email": "bob@leaf.example", "name": "Bob", "phone": "+15550100", "metadata": {"shop": "2"}},
    "cem": {"email": "cem@root.example", "name": "Marie Ann Cem"},
    "dot": {"name": "Dorothy"},
}


@pytest.fixture
def people(client: stripe.StripeClient) -> stripe.StripeClient:
    for person in PEOPLE.values():
        params: Any = person
        client.v1.customers.create(params)
    return client


def found(client: stripe.StripeClient, query: str) -> set[str]:
    names = {str(person["name"]): key for key, person in PEOPLE.items()}
    return {names[str(each.name)] for each in client.v1.customers.search({"query": query}).auto_paging_iter()}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('email:"ann@leaf.example"', {"ann"}),
        ("email:'ANN@leaf.example'", {"ann"}),
        ('email~"leaf"', {"ann", "bob"}),
        ('-email~"leaf"', {"cem", "dot"}),
        ('email~"none"', set()),
        ('name:"marie"', {"ann", "cem"}),
        ('name:"ann marie"', {"ann"}),
        ('name:"mar"', set()),
        ('name~"mar"', {"ann", "cem"}),
        ('metadata["shop"]:"1"', {"ann"}),
        ("metadata['shop']:'1' OR metadata['shop']:2", {"ann", "bob"}),
        (r'metadata["a b"]:"say \"hi\""', {"ann"}),
        ('-metadata["shop"]:null', {"ann", "bob"}),
        ('metadata["shop"]:null', {"cem", "dot"}),
        ('-metadata["shop"]:"1"', {"bob", "cem", "dot"}),
        ("phone:null", {"ann", "cem", "dot"}),
        ("-phone:NULL", {"bob"}),
        ('email~"leaf" -name:"bob"', {"ann"}),
        ('email~"leaf" and -name:"bob"', {"ann"}),
        (f"created>={START}", set(PEOPLE)),
        (f"created>'{START}'", set()),
        (f"created<={START} created>{START - 1}", set(PEOPLE)),
        (f"created:{START}", set(PEOPLE)),
        (f"-created:{START}", set()),
        (f"created<{START} OR name:'bob'", {"bob"}),
    ],
)
def test_a_query_finds_what_it_says(people: stripe.StripeClient, query: str, expected: set[str]) -> None:
    assert found(people, query) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "unable to parse|empty string"),
        ("ann", "unable to parse"),
        ("name:ann", "unable to parse"),
        ('name:"ann', "unable to parse"),
        ('name:"ann" AND', "unable to parse"),
        ('AND name:"ann"', "unable to parse"),
        ('(name:"ann")', "unable to parse"),
        ('metadata:"1"', "unable to parse"),
        ('name["x"]:"1"', "unable to parse"),
        ('name:"a"email:"b"', "unable to parse"),
        ('balance:"1"', "Field `balance` is an unsupported search field for resource `customers`"),
        ('name>"a"', "operator `>`"),
        ('created~"180"', "operator `~`"),
        ('metadata["shop"]~"shop"', "operator `~`"),
        ('email~"ab"', "at least 3"),
        ('created>"now"', "numbers only"),
        ('name:"a" email:"b" OR phone:"c"', "AND and OR"),
        ('name:"a" AND email:"b" OR phone:"c"', "AND and OR"),
        (" ".join(f'name:"{number}"' for number in range(11)), "up to 10"),
    ],
)
def test_a_query_that_stripe_would_not_take_is_refused(people: stripe.StripeClient, query: str, message: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message) as refused:
        people.v1.customers.search({"query": query})
    assert (refused.value.http_status, refused.value.param) == (400, "query")


def test_results_come_newest_first_in_pages_and_are_counted_when_asked(client: stripe.StripeClient) -> None:
    made = [client.v1.customers.create({"metadata": {"n": str(n % 2)}}).id for n in range(30)]
    first = client.v1.customers.search({"query": 'metadata["n"]:"1"', "limit": 4, "expand": ["total_count"]})
    shown = first.to_dict()
    assert (shown["object"], shown["url"], shown["has_more"]) == ("search_result", "/v1/customers/search", True)
    assert (len(first.data), shown["total_count"]) == (4, 15)
    assert [each.id for each in first.auto_paging_iter()] == made[::-1][::2]
    last = client.v1.customers.search({"query": 'metadata["n"]:"1"', "limit": 100})
    assert not last.has_more
    assert last.to_dict()["next_page"] is None
    assert "total_count" not in last
    with pytest.raises(stripe.InvalidRequestError, match="Invalid page"):
        client.v1.customers.search({"query": 'metadata["n"]:"1"', "page": "nonsense"})


def test_payments_and_charges_are_found_by_what_they_are(client: stripe.StripeClient) -> None:
    small, large = pay(client, 1_000), pay(client, 9_000, metadata={"order": "7"})
    refunded, abandoned = pay(client, 5_000), client.v1.payment_intents.create({"amount": 9_000, "currency": "usd"})
    client.v1.refunds.create({"payment_intent": refunded.id})
    client.v1.refunds.create({"payment_intent": large.id, "amount": 1})
    with pytest.raises(stripe.CardError):
        pay(client, 7_000, payment_method="pm_card_visa_chargeDeclined")

    def intents(query: str) -> list[str]:
        return [each.id for each in client.v1.payment_intents.search({"query": query}).data]

    def amounts(query: str) -> list[int]:
        return [each.amount for each in client.v1.charges.search({"query": query}).data]

    assert intents('amount:9000 status:"succeeded"') == [large.id]
    assert intents('status:"requires_payment_method" amount>8000') == [abandoned.id]
    assert intents('-currency:"usd"') == []
    assert intents('metadata["order"]:"7"') == [large.id]
    assert intents("amount<=1000") == [small.id]
    assert amounts('refunded:"true"') == [5_000]
    assert amounts('refunded:"false"') == [9_000, 1_000]
    assert amounts("refunded:null") == [7_000]
    assert amounts('status:"failed" OR amount:1000') == [7_000, 1_000]
    assert amounts("payment_method_details.card.last4:4242 amount>6000") == [9_000]
    (expanded,) = client.v1.charges.search({"query": "amount:1000", "expand": ["data.payment_intent"]}).data
    assert expanded.payment_intent.id == small.id  # type: ignore[union-attr]  # expanded


def test_products_and_prices_are_found(client: stripe.StripeClient) -> None:
    tea = client.v1.products.create({"name": "Green Tea", "description": 'called "The Leaf"'})
    old = client.v1.products.create({"name": "Coffee", "active": False})
    price = client.v1.prices.create({"currency": "eur", "unit_amount": 5, "product": tea.id, "lookup_key": "tea-1"})
    searches = client.v1.products.search
    assert [each.id for each in searches({"query": 'active:"true"'}).data] == [tea.id]
    assert [each.id for each in searches({"query": "active:'false' AND name~'off'"}).data] == [old.id]
    assert [each.id for each in searches({"query": r'description:"called \"The Leaf\""'}).data] == [tea.id]
    for query in (f'product:"{tea.id}"', 'currency:"EUR"', 'lookup_key:"tea-1"', 'type:"one_time"'):
        assert [each.id for each in client.v1.prices.search({"query": query}).data] == [price.id]


def test_an_update_is_found_by_its_new_values_and_a_deleted_object_not_at_all(people: stripe.StripeClient) -> None:
    (ann,) = people.v1.customers.search({"query": 'email:"ann@leaf.example"'}).data
    people.v1.customers.update(ann.id, {"email": "ann@stem.example"})
    assert people.v1.customers.search({"query": 'email:"ann@leaf.example"'}).data == []
    assert [each.id for each in people.v1.customers.search({"query": 'email:"ann@stem.example"'}).data] == [ann.id]
    people.v1.customers.delete(ann.id)
    assert people.v1.customers.search({"query": 'email:"ann@stem.example"'}).data == []


def test_what_failed_was_never_searchable_and_a_snapshot_is_searched_as_it_was(simulator: Simulator) -> None:
    def count() -> int:
        answer = simulator.request("GET", "/v1/products/search", {"query": 'name:"tea"'}).json()
        return len(answer["data"])

    price = {"currency": "usd", "unit_amount": 1, "product_data": {"name": "tea"}, "lookup_key": "k"}
    assert simulator.request("POST", "/v1/prices", price).status == 200
    assert simulator.request("POST", "/v1/prices", price).status == 400
    assert count() == 1
    simulator.snapshots.save("one")
    simulator.request("POST", "/v1/products", {"name": "Tea"})
    assert count() == 2
    simulator.snapshots.load("one")
    assert count() == 1


def test_search_lags_behind_by_its_delay_and_shows_the_object_as_it_is() -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7, settings=Settings(search_delay_seconds=60))
    client = stripe.StripeClient("sk_test_1", http_client=InProcessClient(simulator))

    def names(email: str) -> list[str | None]:
        return [each.name for each in client.v1.customers.search({"query": f'email:"{email}"'}).data]

    ann = client.v1.customers.create({"email": "old@leaf.example", "name": "Ann"})
    simulator.advance(59)
    assert names("old@leaf.example") == []
    simulator.advance(1)
    assert names("old@leaf.example") == ["Ann"]
    client.v1.customers.update(ann.id, {"email": "new@leaf.example", "name": "Anna"})
    assert (names("old@leaf.example"), names("new@leaf.example")) == (["Anna"], [])
    simulator.advance(60)
    assert (names("old@leaf.example"), names("new@leaf.example")) == ([], ["Anna"])


def test_invoices_and_subscriptions_are_found(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create()
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    once: Any = {"currency": "usd", "unit_amount": 900, "product_data": {"name": "Box"}}
    price = client.v1.prices.create(once | {"recurring": {"interval": "month"}})
    box = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "metadata": {"plan": "gold"}}
    )
    (invoice,) = client.v1.invoices.list().data

    def invoices(query: str) -> list[str | None]:
        return [each.id for each in client.v1.invoices.search({"query": query}).data]

    def subscriptions(query: str) -> list[str]:
        return [each.id for each in client.v1.subscriptions.search({"query": query}).data]

    for query in (
        f'subscription:"{box.id}" status:"paid"',
        f'number:"{invoice.number}"',
        f'number~"{str(invoice.number)[:5]}"',
        f'customer:"{customer.id}" currency:"usd" total>800',
        "last_finalization_error_code:null receipt_number:null",
    ):
        assert invoices(query) == [invoice.id]
    assert invoices("total>900") == []
    assert subscriptions('status:"active" metadata["plan"]:"gold" canceled_at:null') == [box.id]
    client.v1.subscriptions.cancel(box.id)
    assert subscriptions('status:"active"') == []
    assert subscriptions(f'status:"canceled" canceled_at>={START}') == [box.id]


NUMBERS = st.integers(0, 3)
CLAUSES = st.builds(
    lambda sign, text: sign + text,
    st.sampled_from(["", "-"]),
    st.one_of(
        st.builds(lambda o, n: f"amount{o}{n}", st.sampled_from([":", ">", "<", ">=", "<="]), NUMBERS),
        st.builds(lambda n: f'metadata["n"]:"{n}"', NUMBERS),
        st.sampled_from(['metadata["n"]:null', 'status:"succeeded"', 'status:"canceled"', "customer:null"]),
    ),
)


def holds(clause: str, item: dict[str, Any]) -> bool:
    """The query language once more, in the slowest way."""
    if clause.startswith("-"):
        return not holds(clause[1:], item)
    if clause.startswith("amount"):
        expression = clause.removeprefix("amount")
        return bool(eval(f"item['amount']{'==' if expression[0] == ':' else ''}{expression.lstrip(':')}"))
    value = item["metadata"].get("n") if clause.startswith("metadata") else item[clause.partition(":")[0]]
    wanted = clause.partition(":")[2]
    return bool(value is None if wanted == "null" else value == wanted.strip('"'))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, st.none() | NUMBERS, st.sampled_from(["succeeded", "canceled"])), max_size=12),
    st.lists(CLAUSES, min_size=1, max_size=4),
    st.sampled_from([" AND ", " OR ", " "]),
    st.integers(1, 5),
)
def test_any_query_finds_exactly_what_looking_at_everything_finds(
    stored: list[tuple[int, int | None, str]], clauses: list[str], joint: str, limit: int
) -> None:
    simulator = Simulator(clock=Clock.standing(START), seed=7)
    items: list[dict[str, Any]] = [
        {
            "id": f"pi_{number}", "object": "payment_intent", "created": START + number // 3, "amount": amount,
            "currency": "usd", "customer": None, "status": status, "livemode": False,
            "metadata": {} if n is None else {"n": str(n)},
        }
        for number, (amount, n, status) in enumerate(stored)
    ]  # fmt: skip
    with simulator.store.transaction() as transaction:
        for item in items:
            State(transaction, simulator.platform).insert(PAYMENT_INTENTS, item)
    ids: list[str] = []
    params: dict[str, Any] = {"query": joint.join(clauses), "limit": limit}
    while "page" not in params or params["page"]:
        answer = simulator.request("GET", "/v1/payment_intents/search", params).json()
        ids += [each["id"] for each in answer["data"]]
        params["page"] = answer["next_page"]
    together = any if joint == " OR " else all
    assert ids == [item["id"] for item in items[::-1] if together(holds(clause, item) for clause in clauses)]


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(InvalidParameterError):
        assert read_query(text, "customers", FIELDS["customer"]).clauses
