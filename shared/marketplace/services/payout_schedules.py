"""A merchant's payout schedule, read and changed at Stripe, which alone keeps it.

A change moves no money and says all that it sets, so that it is no command: one that got no answer is asked for again
by the caller, and nothing of ours could later undo what was set after it.
"""

from marketplace.domain.merchant_rights import require_allowed
from marketplace.domain.payout_schedules import PayoutSchedule, as_at_stripe, params_of, require_possible
from marketplace.domain.principals import Principal, Role
from marketplace.operations import Operation
from marketplace.ports import Ports
from marketplace.services.asking import asked
from marketplace.services.dashboards import account_of
from marketplace.services.holdings import look_again


def read_schedule(ports: Ports, caller: Principal, merchant_id: str) -> PayoutSchedule:
    """When a merchant's balance is paid out. Raises NotFound, MerchantNotReady, StripeUnavailable."""
    return _read(ports, account_of(ports, caller, merchant_id))


def change_schedule(ports: Ports, caller: Principal, merchant_id: str, wanted: PayoutSchedule) -> PayoutSchedule:
    """Set all of a schedule; operators may set what Stripe takes, merchants what the operator's policy leaves to them.

    Raises:
        NotFound, MerchantNotReady, InvalidPayoutSchedule, UnknownCurrency, StripeRefused.
        NotAllowed: a merchant, and a part that is the operator's.
        StripeUnavailable: it is not known to be set; asking again is safe.
    """
    account_id = account_of(ports, caller, merchant_id)
    require_possible(wanted)
    before = _read(ports, account_id)
    if caller.role is not Role.OPERATOR:
        require_allowed(before, wanted, ports.policy.rights)
    settings = asked(ports, Operation.UPDATE_BALANCE_SETTINGS, params=params_of(before, wanted), account=account_id)
    look_again(ports, merchant_id)
    return as_at_stripe(settings)


def _read(ports: Ports, account_id: str) -> PayoutSchedule:
    return as_at_stripe(ports.stripe.read(Operation.READ_BALANCE_SETTINGS, account=account_id))
