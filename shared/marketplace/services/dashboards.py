"""What a merchant looks at its account with: the Express dashboard, or Stripe's components in the marketplace's pages.

Both are keys to the account: they are asked for each time, handed to the caller, and neither stored nor logged.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from marketplace.domain.components import COMPONENTS, session_components
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import MerchantNotReady, NoExpressDashboard
from marketplace.domain.principals import Principal, Role
from marketplace.domain.responsibilities import Dashboard
from marketplace.domain.stripe_objects import at
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.asking import asked
from marketplace.services.merchants import read_merchant


@dataclass(frozen=True, kw_only=True, repr=False)
class ComponentSession:
    """What Stripe's script in the merchant's browser needs; ``client_secret`` is its right."""

    client_secret: str
    expires_at: datetime


def dashboard_link(ports: Ports, caller: Principal, merchant_id: str) -> str:
    """A link that leads a merchant into its Express dashboard, once.

    Raises:
        NotFound, StripeUnavailable.
        MerchantNotReady: its account is not made yet.
        NoExpressDashboard: the account has another dashboard, or none.
        StripeRefused: its onboarding is not complete, for example.
    """
    dashboard = read_merchant(ports, caller, merchant_id).responsibilities.dashboard
    if dashboard is not Dashboard.EXPRESS:
        raise NoExpressDashboard(f"the account's dashboard is: {dashboard}")
    account_id = account_of(ports, caller, merchant_id)
    made = asked(ports, Operation.CREATE_LOGIN_LINK, account_id, params={})
    return str(made["url"])


def component_session(
    ports: Ports, caller: Principal, merchant_id: str, wanted: Mapping[str, Sequence[str]]
) -> ComponentSession:
    """A session of the embedded components that are ``wanted``, each with the features that are to be on.

    Raises:
        NotFound, StripeRefused, StripeUnavailable.
        ComponentNotAvailable: not offered; to merchants, whatever the operator's policy leaves out.
        MerchantNotReady: its account is not made yet.
    """
    account_id = account_of(ports, caller, merchant_id)
    allowed = COMPONENTS if caller.role is Role.OPERATOR else ports.policy.rights.components
    params = {"account": account_id, "components": session_components(wanted, allowed)}
    made = asked(ports, Operation.CREATE_ACCOUNT_SESSION, params=params)
    return ComponentSession(client_secret=made["client_secret"], expires_at=at(made["expires_at"]))


def account_of(ports: Ports, caller: Principal, merchant_id: str) -> str:
    """The connected account of a merchant that the caller may see. Raises NotFound, MerchantNotReady."""
    merchant = read_merchant(ports, caller, merchant_id)
    if merchant.account_id is None:
        raise MerchantNotReady("its account is not made yet")
    return merchant.account_id
