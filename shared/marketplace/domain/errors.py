"""What can go wrong, by who can mend it. ``edge.problems`` turns each into one problem+json answer."""


class MarketplaceError(Exception):
    """The root.

    * Refused                        the caller can mend it
      + NotFound                     absent, or not the caller's: the same answer
      + NotAllowed                   the caller's role may not ask this
      + InvalidAmount                not a payable amount of its currency
      + UnknownCurrency
      + CurrencyNotAccepted          the merchant or the platform does not take it
      + InvalidBasket                the line items do not make one sale
      + InvalidFeePolicy
      + FeeExceedsAmount
      + InvalidReturnUrl             not on the allow-list
      + InvalidCursor
      + FilterRequired               a list is of one merchant, one customer or one transaction
      + MerchantNotReady             it cannot receive transfers yet
      + ImpossibleAccount            responsibilities that Stripe or the sales here rule out
      + InvalidCustomer              it names nobody
      + CustomerExists
      + CustomerNotReady             Stripe has not made it, or refused to
      + LinkExpired                  an onboarding link that was used up or is too old
      + PriceNotForSale              archived, or sold otherwise
      + InvalidPrice                 it recurs as Stripe does not bill, or would change what never does
      + InvalidCoupon                it says too little, too much, or what Stripe does not take
      + CodeTaken                    another promotion code with it is active
      + DiscountNotUsable            the coupon or code is over, or not for this sale
      + CombinationRefused           charge type, tax and discount do not go together (docs/combinations.md)
      + CheckoutSessionNotOpen       it is complete or expired already
      + SubscriptionNotChangeable    it has not begun, it has ended, or this cannot be changed of it
      + CreditExceedsInvoice         a change whose credit is more than the next invoice
      + InvoiceNotChangeable         not in this status
      + RegionNotSupported           another region than the platform's
      + TransactionNotRefundable     nothing was paid, or nothing is left
      + RefundExceedsRest            more than is left, counting refunds under way
      + LineExceedsRest              more of a line item than is left
      + MerchantShort                a merchant cannot cover its part, and the policy is to refuse
      + TooManyRefunds
      + TooManyMovements             of one merchant's share
      + TransferNotReversible        on its way, or nothing of it is with the merchant
      + ReversalExceedsRest          more than is with the merchant
      + DisputeNotAnswerable         it was answered, it is closed, or its deadline is over
      + InvalidFile                  no document that a bank reads, or too large
      + DebtNotOpen                  settled or written off, or being collected right now
      + NoExpressDashboard           the account has another dashboard, or none
      + ComponentNotAvailable        an embedded component or a feature that is not offered
      + InvalidPayoutSchedule        a schedule that Stripe knows none of
      + PayoutExceedsBalance         more than is available
      + InstantPayoutUnavailable     Stripe or the bank does not take it
      + PayoutNotItemized            it was asked for by amount
      + PayoutsNotAllowed            Stripe has stopped the account's payouts
      + NothingHeld                  no share, or no part of it, waits for a release
      + ReleaseExceedsHeld           more than is held
      + InvalidReleaseDate           over, or later than money may be held
      + InvalidPeriod                ahead, or ending before it begins
      + NotCapturable                nothing is authorized, or not any more
      + CaptureExceedsAuthorized
      + DeadLetterUnreadable         no event: no try can apply it
      + IdempotencyKeyRequired
      + IdempotencyKeyReused         the same key with another request
      + RequestUnderWay              the same key, its first use not finished
      + StripeRefused                Stripe's definite no
    * Unavailable                    nobody yet: Stripe or AWS did not answer; a command that was recorded goes on
      + OutcomeUnknown               recorded and perhaps done; it is finished without the caller
    """


class Refused(MarketplaceError):
    """The request cannot be granted; repeating it unchanged gives the same answer."""


class NotFound(Refused):
    """Absent, or not the caller's. ``what`` is a noun, never an id that the caller did not name."""

    def __init__(self, what: str) -> None:
        super().__init__(f"no such {what}")
        self.what = what


class NotAllowed(Refused):
    """The caller's role may not do this."""


class InvalidAmount(Refused):
    """Not a payable amount: negative, zero, huge, or no multiple of the currency's smallest payable unit."""


class UnknownCurrency(Refused):
    """No currency that Stripe presents."""


class CurrencyNotAccepted(Refused):
    """A currency that this merchant does not take."""


class InvalidBasket(Refused):
    """Line items that do not make one sale: of several merchants or currencies, or too many."""


class InvalidFeePolicy(Refused):
    """A fee policy that no amount could follow."""


class FeeExceedsAmount(Refused):
    """A fee over the amount that it is taken from."""


class InvalidReturnUrl(Refused):
    """A URL whose origin is not on the allow-list."""


class InvalidCursor(Refused):
    """A cursor that this list did not give out."""


class FilterRequired(Refused):
    """A list of more than one owner at once, or of none where there is no list of all."""


class MerchantNotReady(Refused):
    """The merchant cannot receive transfers yet, or not be the settlement merchant."""


class ImpossibleAccount(Refused):
    """Responsibilities that Stripe refuses, or that no sale could be made with; the text says which and why."""


class InvalidCustomer(Refused):
    """A customer that names nobody."""


class CustomerExists(Refused):
    """There is a customer of this id already."""


class CustomerNotReady(Refused):
    """There is no customer at Stripe yet, or Stripe refused to make it."""


class LinkExpired(Refused):
    """An onboarding link that is unknown or too old; the operator mints another."""


class PriceNotForSale(Refused):
    """A price that is archived, or of an archived product, or recurs where things are sold once, or the other way."""


class InvalidPrice(Refused):
    """An interval that Stripe does not bill in, or a change of what never changes."""


class CheckoutSessionNotOpen(Refused):
    """Complete or expired already; the race has one winner and it was not this request."""


class SubscriptionNotChangeable(Refused):
    """A subscription that has not begun or has ended, or that cannot be changed in this way."""


class CreditExceedsInvoice(Refused):
    """A change whose credit is more than the next invoice: the rest would lower what other merchants sell."""

    def __init__(self, rest: int) -> None:
        super().__init__(f"the change leaves a credit of {rest} (minor units)")
        self.rest = rest


class InvoiceNotChangeable(Refused):
    """An invoice whose status does not allow what is asked."""


class RegionNotSupported(Refused):
    """A merchant that cannot be the settlement merchant: it is in another region than the platform."""


class TransactionNotRefundable(Refused):
    """Nothing was paid, or everything was refunded already."""


class RefundExceedsRest(Refused):
    """More than is left to refund, counting refunds under way."""

    def __init__(self, asked: int, rest: int) -> None:
        super().__init__(f"{asked} asked, {rest} left to refund (minor units)")
        self.asked = asked
        self.rest = rest


class LineExceedsRest(Refused):
    """More of a line item than is left of it, counting refunds under way; or none."""

    def __init__(self, line: int, asked: int, rest: int) -> None:
        super().__init__(f"{asked} of line {line} asked, {rest} left")
        self.line = line
        self.asked = asked
        self.rest = rest


class MerchantShort(Refused):
    """A merchant's balance at Stripe does not cover its part of a refund, and the policy is to refuse then."""

    def __init__(self, merchant_id: str, shortfall: int) -> None:
        super().__init__(f"{merchant_id} lacks {shortfall} (minor units)")
        self.merchant_id = merchant_id
        self.shortfall = shortfall


class InvalidCoupon(Refused):
    """A coupon or promotion code that no sale could be made with."""


class CodeTaken(Refused):
    """A code that buyers know another promotion by."""


class DiscountNotUsable(Refused):
    """A coupon or promotion code that is not active, or not good for this sale."""


class CombinationRefused(Refused):
    """A way to charge, a tax mode and a discount that do not go together, and why."""


class TooManyRefunds(Refused):
    """The limit of refunds of one transaction is reached."""


class TooManyMovements(Refused):
    """The limit of transfers and reversals of one share is reached."""


class TransferNotReversible(Refused):
    """A transfer that has not arrived, or of which nothing is with the merchant."""


class ReversalExceedsRest(Refused):
    """More than is with the merchant of the transfer (minor units)."""

    def __init__(self, asked: int, rest: int) -> None:
        super().__init__(f"{asked} asked, {rest} with the merchant (minor units)")
        self.asked = asked
        self.rest = rest


class DisputeNotAnswerable(Refused):
    """A dispute that waits for no answer: it was given, or the dispute is closed, or its deadline is over."""


class InvalidFile(Refused):
    """A file of another kind than banks read, or a too large one."""


class DebtNotOpen(Refused):
    """A debt of which nothing is open: settled, written off, or on its way at Stripe."""


class NoExpressDashboard(Refused):
    """An account whose owner uses another dashboard than Express, or none."""


class ComponentNotAvailable(Refused):
    """An embedded component, or a feature of one, that is none of those that are offered to the caller."""


class InvalidPayoutSchedule(Refused):
    """A payout schedule that Stripe would refuse."""


class PayoutExceedsBalance(Refused):
    """A payout of more than is available on the merchant's balance."""


class InstantPayoutUnavailable(Refused):
    """An instant payout that the account, its bank or Stripe's limits do not allow."""


class PayoutNotItemized(Refused):
    """A payout of which Stripe does not say what it is made of: one that was asked for by its amount."""


class PayoutsNotAllowed(Refused):
    """Stripe has stopped the payouts of the account, or has a limit on them."""


class NothingHeld(Refused):
    """No share of this sale waits for a release."""


class ReleaseExceedsHeld(Refused):
    """More than is held of the share (minor units)."""

    def __init__(self, asked: int, held: int) -> None:
        super().__init__(f"{asked} asked, {held} held (minor units)")
        self.asked = asked
        self.held = held


class InvalidReleaseDate(Refused):
    """A date that is over, or later than money may be held."""


class InvalidPeriod(Refused):
    """A moment or a period that the ledger cannot tell of: ahead, or ending before it begins."""


class NotCapturable(Refused):
    """Nothing is authorized: not yet, not any more, or it was captured."""


class CaptureExceedsAuthorized(Refused):
    """More than the buyer's bank authorized (minor units)."""

    def __init__(self, asked: int, authorized: int) -> None:
        super().__init__(f"{asked} asked, {authorized} authorized (minor units)")
        self.asked = asked
        self.authorized = authorized


class DeadLetterUnreadable(Refused):
    """A message that is no event: put back, it would be set aside again."""


class IdempotencyKeyRequired(Refused):
    """Money moves here: the request must name its Idempotency-Key."""


class IdempotencyKeyReused(Refused):
    """The key was used for another request."""


class RequestUnderWay(Refused):
    """The first request with this key has not finished; its answer comes with a later retry."""


class StripeRefused(Refused):
    """Stripe said a definite no; nothing moved. ``code`` is Stripe's, for example ``balance_insufficient``."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Stripe refused the request ({code})")
        self.code = code


class Unavailable(MarketplaceError):
    """Stripe or AWS did not answer in time; nothing is known to have failed."""


class OutcomeUnknown(Unavailable):
    """Recorded, perhaps done at Stripe; the same Idempotency-Key later gives the answer."""
