"""The laboratory's page without a browser: objects found, acted upon, and what is refused."""

from http import HTTPStatus
from typing import Any

import pytest
import stripe

from local.stripe_simulator import Simulator
from local.stripe_simulator.faults.orders import OPTIONS, Effect
from local.stripe_simulator.laboratory import Laboratory
from local.stripe_simulator.laboratory_page import MORE_OF_FAULTS
from local.stripe_simulator.messages import Request, Response

from .billing import heard, listen
from .paying import charge_of, pay_seller
from .shop import ready_seller


@pytest.fixture
def laboratory(simulator: Simulator) -> Laboratory:
    return Laboratory(simulator)


def ask(laboratory: Laboratory, method: str, where: str, /, **params: Any) -> Response:
    answer = laboratory.answer(Request(method, f"/_simulator{where}", params=params))
    assert answer is not None
    return answer


def shown(laboratory: Laboratory, path: str, **params: Any) -> str:
    answer = ask(laboratory, "GET", path, **params)
    assert answer.status == HTTPStatus.OK
    return answer.body.decode()


def did(laboratory: Laboratory, where: str, /, **form: Any) -> str:
    answer = ask(laboratory, "POST", f"/page{where}", **form)
    assert answer.status == HTTPStatus.SEE_OTHER, answer.body
    return answer.headers["Location"]


def test_an_object_is_found_by_its_id_and_in_the_list_of_its_kind(
    laboratory: Laboratory, simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    charge = charge_of(client, pay_seller(client, seller))
    assert (
        ask(laboratory, "GET", "/objects", id=f" {charge.id} ").headers["Location"]
        == f"/_simulator/objects/{charge.id}"
    )
    page = shown(laboratory, f"/objects/{charge.id}")
    assert f"&quot;id&quot;: &quot;{charge.id}&quot;" in page
    assert "Open a dispute" in page
    assert charge.id in shown(laboratory, "/objects", collection="charge")
    assert ask(laboratory, "GET", "/objects/ch_none").status == HTTPStatus.NOT_FOUND
    assert ask(laboratory, "GET", "/objects", collection="none").status == HTTPStatus.NOT_FOUND
    assert "&quot;_" not in page


def test_a_dispute_is_opened_and_decided(
    laboratory: Laboratory, simulator: Simulator, client: stripe.StripeClient
) -> None:
    charge = charge_of(client, pay_seller(client, ready_seller(simulator, client))).id
    where = did(laboratory, f"/objects/{charge}/dispute", amount="1200", reason="duplicate", inquiry="no")
    assert where == f"/_simulator/objects/{charge}"
    (dispute,) = client.v1.disputes.list().data
    assert (dispute.amount, dispute.reason, dispute.status) == (1_200, "duplicate", "needs_response")
    did(laboratory, f"/objects/{dispute.id}/decide", outcome="won")
    assert client.v1.disputes.retrieve(dispute.id).status == "won"
    again = ask(laboratory, "POST", f"/page/objects/{dispute.id}/decide", outcome="lost")
    assert (again.status, b"cannot be done to it now" in again.body) == (400, True)
    did(laboratory, f"/objects/{charge}/dispute", reason="general", inquiry="yes")
    assert client.v1.disputes.list().data[0].status == "warning_needs_response"


def test_what_stripe_or_the_form_refuses_is_said_where_it_was_asked(
    laboratory: Laboratory, simulator: Simulator, client: stripe.StripeClient
) -> None:
    charge = charge_of(client, pay_seller(client, ready_seller(simulator, client))).id
    for form, says in (({"amount": "a lot"}, b"whole number"), ({"amount": "99999999"}, b'role="alert"')):
        answer = ask(laboratory, "POST", f"/page/objects/{charge}/dispute", **form)
        assert (answer.status, says in answer.body) == (400, True)
    assert client.v1.disputes.list().data == []


def test_banks_answer_payouts_and_top_ups_fail_and_accounts_change(
    laboratory: Laboratory, simulator: Simulator, client: stripe.StripeClient
) -> None:
    seller = ready_seller(simulator, client)
    pay_seller(client, seller, payment_method="pm_card_bypassPending")
    simulator.run_due()
    payout = client.v1.payouts.create({"amount": 1_000, "currency": "usd"}, {"stripe_account": seller}).id
    did(laboratory, f"/objects/{payout}/fail", failure_code="account_closed")
    assert client.v1.payouts.retrieve(payout, None, {"stripe_account": seller}).failure_code == "account_closed"
    topup = client.v1.topups.create({"amount": 1_000, "currency": "usd"}).id
    did(laboratory, f"/objects/{topup}/fail")
    assert client.v1.topups.retrieve(topup).status == "failed"
    did(laboratory, f"/objects/{seller}/capability", capability="transfers", status="restricted")
    capabilities = client.v1.accounts.retrieve(seller).capabilities
    assert capabilities is not None
    assert capabilities.transfers == "inactive"
    intent: Any = {
        "amount": 900, "currency": "usd", "confirm": True, "payment_method": "pm_usBankAccount_success",
        "mandate_data": {"customer_acceptance": {"type": "offline"}},
    }  # fmt: skip
    processing = client.v1.payment_intents.create(intent)
    did(laboratory, f"/objects/{processing.id}/settle", outcome="failed")
    assert client.v1.payment_intents.retrieve(processing.id).status == "requires_payment_method"


def test_an_event_shows_its_attempts_and_is_sent_again(
    laboratory: Laboratory, simulator: Simulator, client: stripe.StripeClient
) -> None:
    listen(simulator)
    client.v1.products.create({"name": "Tea"})
    (event,) = [each.id for each in client.v1.events.list().data if each.type == "product.created"]
    assert "none yet" in shown(laboratory, f"/objects/{event}")
    assert heard(simulator) == ["product.created"]
    assert did(laboratory, f"/objects/{event}/resend") == f"/_simulator/objects/{event}"
    assert heard(simulator) == ["product.created"]


def test_every_option_of_every_fault_has_a_field(laboratory: Laboratory, simulator: Simulator) -> None:
    fields = {*MORE_OF_FAULTS, "seconds", "count", "path", "event_type"}
    assert fields >= {name for options in OPTIONS.values() for name in options}
    page = shown(laboratory, "")
    for name in fields:
        assert f'name="{name}"' in page
    did(laboratory, "/faults", effect="error", path="/v1/charges", status="402", code="card_declined", message="No.",
        copies="7", seconds="9", skip="1", probability="0.5", seed="3")  # fmt: skip
    (order,) = simulator.faults.ordered()
    assert (order["status"], order["code"], order["message"], order["skip"]) == (402, "card_declined", "No.", 1)
    for effect in Effect:
        did(laboratory, "/faults", effect=effect.value)
    assert {each["effect"] for each in simulator.faults.ordered()} == {effect.value for effect in Effect}


def test_the_clock_goes_to_a_moment_and_never_back(laboratory: Laboratory, simulator: Simulator) -> None:
    did(laboratory, "/clock", until="2027-03-01T06:00:00")
    assert simulator.clock.timestamp().startswith("2027-03-01T06:00:00")
    for wrong in ("2027-03-01T05:59:59", "2040-01-01T00:00:00", "soon"):
        assert ask(laboratory, "POST", "/page/clock", until=wrong).status == HTTPStatus.BAD_REQUEST
    assert simulator.clock.timestamp().startswith("2027-03-01T06:00:00")


def test_no_other_site_submits_a_form(laboratory: Laboratory, simulator: Simulator) -> None:
    before = simulator.clock.now()
    headers = {"sec-fetch-site": "cross-site"}
    answer = laboratory.answer(
        Request("POST", "/_simulator/page/clock", headers, params={"amount": "1", "unit": "days"})
    )
    assert answer is not None
    assert (answer.status, simulator.clock.now()) == (HTTPStatus.FORBIDDEN, before)
