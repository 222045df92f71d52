"""Stripe's billing portal: a buyer's own page with his subscriptions, invoices and payment details.

What it offers is this deployment's policy: a configuration at Stripe that is made once and found again by what it says.
It changes no price and no quantity: what a change costs is shown, and its credit looked after, by this API.
"""

import hashlib
import json
from typing import Any, Final

from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.principals import Principal
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.asking import asked
from marketplace.services.customers import at_stripe, read_customer

NAMED: Final = "marketplace_portal"  # metadata of a configuration: a hash of what it offers


def portal_url(ports: Ports, caller: Principal, customer_id: str, return_url: str) -> str:
    """A link that lets a customer in, soon: for him alone, and kept nowhere.

    Raises:
        NotAllowed, NotFound, InvalidReturnUrl, CustomerNotReady, StripeRefused, StripeUnavailable.
    """
    ports.policy.require_return_url(return_url)
    customer = at_stripe(read_customer(ports, caller, customer_id))
    params = {"customer": customer, "return_url": return_url, "configuration": _configuration(ports)}
    return str(asked(ports, Operation.CREATE_PORTAL_SESSION, params=params)["url"])


def portal_features(policy: MoneyPolicy) -> dict[str, Any]:
    """What the portal offers (`features` of `/v1/billing_portal/configurations`)."""
    return {
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "customer_update": {"enabled": False},
        "subscription_cancel": {
            "enabled": policy.portal_cancels,
            "mode": "at_period_end",
            "proration_behavior": "none",
        },
        "subscription_update": {"enabled": False},
    }


def _configuration(ports: Ports) -> str:
    """The configuration of this policy, made where Stripe has none yet."""
    features = portal_features(ports.policy.money)
    name = hashlib.sha256(json.dumps(features, sort_keys=True).encode()).hexdigest()[:32]
    for known in ports.stripe.each(Operation.LIST_PORTAL_CONFIGURATIONS, params={"active": True, "limit": 100}):
        if (known.get("metadata") or {}).get(NAMED) == name:
            return str(known["id"])
    params = {"features": features, "metadata": {NAMED: name}}
    return str(asked(ports, Operation.CREATE_PORTAL_CONFIGURATION, params=params, key=f"{NAMED}:{name}")["id"])
