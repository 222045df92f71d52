"""What an event of Stripe's can say: facts to join to what is known, or a reason to read an object again."""

from marketplace.domain.deferred import dataclass
from marketplace.domain.disputes import DisputeFacts
from marketplace.domain.payouts import PayoutFacts
from marketplace.domain.refunds import RefundFacts
from marketplace.domain.stripe_objects import Object
from marketplace.domain.transactions import PaymentFacts


@dataclass(frozen=True, kw_only=True)
class PaymentReading:
    """Facts of a transaction's payment."""

    transaction_id: str
    facts: PaymentFacts


@dataclass(frozen=True, kw_only=True)
class ChargeReading:
    """Facts of a charge that names no sale: of an invoice, or of somebody else's."""

    charge_id: str
    facts: PaymentFacts


@dataclass(frozen=True, kw_only=True)
class SubscriptionReading:
    """A subscription of ours changed somehow: read it again. Stripe's id is None where a session ended without one."""

    subscription_id: str
    stripe_subscription_id: str | None


@dataclass(frozen=True, kw_only=True)
class InvoiceReading:
    """An invoice changed somehow: read it again."""

    stripe_invoice_id: str
    invoice_id: str  # what ours is, or would be


@dataclass(frozen=True, kw_only=True)
class RefundReading:
    """Facts of a refund that we asked for."""

    transaction_id: str
    refund_id: str
    facts: RefundFacts


@dataclass(frozen=True, kw_only=True)
class ForeignRefundReading:
    """Facts of a refund that was made elsewhere; only its charge says whose it is."""

    charge_id: str
    amount: int
    reason: str | None
    took_transfer_along: bool  # of a destination charge: whoever made it reversed the transfer with it
    facts: RefundFacts


@dataclass(frozen=True, kw_only=True)
class DisputeReading:
    """Facts of a dispute; only its charge says whose it is."""

    facts: DisputeFacts


@dataclass(frozen=True, kw_only=True)
class ReturnReading:
    """A transfer of which something came back that we did not ask for: a merchant, or the Dashboard, reversed it."""

    stripe_transfer_id: str
    charge_id: str | None
    transaction_id: str | None
    is_complete: bool  # whether ``returned`` are all of them
    returned: tuple[Object, ...]  # Stripe's reversals


@dataclass(frozen=True, kw_only=True)
class BalanceReading:
    """Money of a connected account became available: what it owes may be collected."""

    account_id: str


@dataclass(frozen=True, kw_only=True)
class PayoutReading:
    """Facts of a payout from a connected account's balance."""

    account_id: str
    facts: PayoutFacts


@dataclass(frozen=True, kw_only=True)
class AccountReading:
    """An account changed somehow: read it again, unless it ``has_left`` the platform and cannot be.

    ``is_thin`` is whether it is an event of API v2, by which the account can be read then.
    """

    account_id: str
    is_thin: bool = False
    has_left: bool = False


@dataclass(frozen=True, kw_only=True)
class Ignored:
    """Nothing for us, and why."""

    reason: str


Reading = (
    PaymentReading
    | ChargeReading
    | SubscriptionReading
    | InvoiceReading
    | RefundReading
    | ForeignRefundReading
    | DisputeReading
    | ReturnReading
    | BalanceReading
    | PayoutReading
    | AccountReading
    | Ignored
)
