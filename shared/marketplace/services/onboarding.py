"""Links to Stripe's onboarding: each good once and for minutes, and ours behind it makes the next, for days."""

import hashlib
from collections.abc import Mapping
from typing import Any

from marketplace.domain.errors import ImpossibleAccount, LinkExpired, MerchantNotReady
from marketplace.domain.merchants import LINK_LIFETIME, Collect, LinkUse, Merchant, OnboardingLink
from marketplace.domain.principals import Principal
from marketplace.domain.responsibilities import AccountsApi
from marketplace.operations import Operation
from marketplace.ports import Create, Ports, Ref, one
from marketplace.services.accounts import get_merchant
from marketplace.services.asking import asked
from marketplace.services.merchants import read_merchant


def begin_onboarding(
    ports: Ports, caller: Principal, merchant_id: str, *, return_url: str, onboarding_url: str,
    use: LinkUse = LinkUse.ONBOARDING, collect: Collect = Collect.CURRENTLY_DUE,
) -> tuple[str, OnboardingLink]:  # fmt: skip
    """A link to Stripe's onboarding, used once and soon; ours behind it (``onboarding_url``/token) mints the next.

    Raises:
        NotFound, InvalidReturnUrl, StripeRefused, StripeUnavailable.
        MerchantNotReady: its account is not made yet, or is gone.
        ImpossibleAccount: a link to update what Stripe itself collects.
    """
    merchant = read_merchant(ports, caller, merchant_id)
    if use is LinkUse.UPDATE and not merchant.responsibilities.platform_collects_requirements:
        raise ImpossibleAccount(
            "Stripe collects what it requires of this merchant, and updates are for those of whom the platform does: "
            "ask for `account_onboarding`, with `eventually_due` for what is required later."
        )
    token = ports.ids.token()
    link = OnboardingLink(
        token_hash=_hash(token),
        merchant_id=merchant.id,
        return_url=ports.policy.require_return_url(return_url),
        expires_at=ports.clock.now() + LINK_LIFETIME,
        use=use,
        collect=collect,
    )
    ports.store.commit(Create(link))
    return _account_link(ports, merchant, link, f"{onboarding_url}/{token}"), link


def continue_onboarding(ports: Ports, token: str, *, onboarding_url: str) -> str:
    """Stripe's next link, for a browser that comes back because the last one was used up or too old.

    Two browsers at once get a link each.

    Raises:
        LinkExpired, MerchantNotReady, StripeRefused, StripeUnavailable.
    """
    link = one(ports.store, Ref(OnboardingLink, _hash(token)))
    if link is None:
        raise LinkExpired("this onboarding link has ended")
    return _account_link(ports, get_merchant(ports, link.merchant_id), link, f"{onboarding_url}/{token}")


def _account_link(ports: Ports, merchant: Merchant, link: OnboardingLink, refresh_url: str) -> str:
    if merchant.account_id is None:
        raise MerchantNotReady("its account is not made yet")
    if merchant.is_gone:
        raise MerchantNotReady(f"its account is {merchant.status}")
    operation, params = _link_params(merchant, link, refresh_url)
    return str(asked(ports, operation, params=params)["url"])


def _link_params(merchant: Merchant, link: OnboardingLink, refresh_url: str) -> tuple[Operation, Mapping[str, Any]]:
    """What Stripe is asked for (`/v2/core/account_links`, `/v1/account_links`)."""
    use = link.use.value
    flow = {
        "refresh_url": refresh_url,
        "return_url": link.return_url,
        "collection_options": {"fields": link.collect.value},
    }
    if merchant.api is AccountsApi.V1:
        return Operation.CREATE_V1_ACCOUNT_LINK, {"account": merchant.account_id, "type": use, **flow}
    return Operation.CREATE_ACCOUNT_LINK, {"account": merchant.account_id, "use_case": {"type": use, use: flow}}


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
