"""What the rest of the simulator builds on PaymentIntents: their table of states, and who hears of their outcomes."""

from itertools import product

import pytest

from local.stripe_simulator import Simulator
from local.stripe_simulator.errors import CardError
from local.stripe_simulator.funds import intents, methods
from local.stripe_simulator.funds.intents import PAYMENT_INTENTS

from .paying import context_of


def test_the_watcher_of_an_intent_hears_of_every_outcome(simulator: Simulator) -> None:
    seen: list[tuple[str, str | None]] = []
    intents.watches("test")(
        lambda _context, intent: seen.append((intent["status"], (intent["last_payment_error"] or {}).get("code")))
    )
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        intent = intents.open_intent(context, {"amount": 500, "currency": "usd"}, watcher="test")
        with pytest.raises(CardError):
            intents.confirm_with(context, intent, methods.named(context, "pm_card_visa_chargeDeclined"))
        intent = context.state.get(PAYMENT_INTENTS, intent["id"])
        intents.confirm_with(context, intent, methods.named(context, "pm_usBankAccount_success"))
    simulator.advance(3)
    assert seen == [("requires_payment_method", "card_declined"), ("processing", None), ("succeeded", None)]


def test_an_intent_goes_nowhere_that_its_table_does_not_name(simulator: Simulator) -> None:
    statuses = intents.TRANSITIONS
    with simulator.store.transaction() as transaction:
        context = context_of(simulator, transaction)
        for start, end in product(statuses, statuses):
            intent = intents.open_intent(context, {"amount": 500, "currency": "usd"})
            intent = context.state.update(PAYMENT_INTENTS, intent, {"status": start})
            if end in statuses[start]:
                assert intents.move(context, intent, end)["status"] == end
            else:
                with pytest.raises(LookupError, match="cannot go"):
                    intents.move(context, intent, end)
    assert statuses["succeeded"] == statuses["canceled"] == frozenset()
