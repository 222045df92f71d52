"""Every problem that the API answers with, by the exception that it comes of. `docs/errors.md` is written from it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from marketplace.domain import errors
from marketplace.edge import bodies
from marketplace.edge.principal import NotAuthenticated
from marketplace.edge.refusals import InvalidRequest, MethodNotAllowed, RouteNotFound
from marketplace.ports import Conflict


class Problem(NamedTuple):
    """A kind of problem: ``slug`` never changes. ``detail`` says what happened; ``{error}`` is the error's own words.

    Only errors whose words are ours and about the caller's own request may be quoted.
    """

    slug: str
    status: HTTPStatus
    title: str
    why: str
    action: str
    detail: str = "{error}"
    retry_after_seconds: int | None = None


PROBLEMS: Final[Mapping[type[Exception], Problem]] = {
    bodies.MalformedJson: Problem(
        slug="malformed-json", status=HTTPStatus.BAD_REQUEST, title="The body is not a JSON object",
        why="The body could not be read as one JSON object in UTF-8, with each name once.",
        action="Send one JSON object.",
    ),
    bodies.NotJson: Problem(
        slug="not-json", status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, title="The body has another content type",
        why="The API reads JSON only.",
        detail="The content type is not application/json.",
        action="Send JSON with the header `Content-Type: application/json`.",
    ),
    bodies.BodyTooLarge: Problem(
        slug="body-too-large", status=HTTPStatus.CONTENT_TOO_LARGE, title="The body is too large",
        why="A body has at most 256 KB, that of a file for a dispute 5 MB.",
        detail="The body is larger than this route takes.",
        action="Send less, for example fewer line items.",
    ),
    InvalidRequest: Problem(
        slug="invalid-request", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The request is not valid",
        why="A field or parameter is missing, unknown, of another type, or too long. Amounts are integers.",
        detail="Not valid: {error}",
        action="Correct the fields that `errors` names; docs/openapi.json describes each.",
    ),
    NotAuthenticated: Problem(
        slug="not-authenticated", status=HTTPStatus.UNAUTHORIZED, title="No valid token",
        why="The request came without a token that the API's authorizer has checked.",
        detail="The request carries no claims of a valid token.",
        action="Send a current token of the configured issuer as `Authorization: Bearer ...`.",
    ),
    errors.NotAllowed: Problem(
        slug="not-allowed", status=HTTPStatus.FORBIDDEN, title="Not for this role",
        why="The role that the token names may not ask this, or a merchant's token names no merchant. Browsers name "
        "catalog prices: amounts, fees and other customers are for operators.",
        action="Use a token of a role that may, or leave out what only operators may name.",
    ),
    RouteNotFound: Problem(
        slug="route-not-found", status=HTTPStatus.NOT_FOUND, title="No such path",
        why="The API serves nothing under this path.",
        detail="Nothing is served under this path.",
        action="Compare the path with docs/openapi.json.",
    ),
    MethodNotAllowed: Problem(
        slug="method-not-allowed", status=HTTPStatus.METHOD_NOT_ALLOWED, title="Another method",
        why="The path exists, and is served for other methods.",
        detail="This path is served for: {error}.",
        action="Use a method that the `Allow` header names.",
    ),
    errors.NotFound: Problem(
        slug="not-found", status=HTTPStatus.NOT_FOUND, title="Not found",
        why="It does not exist, or it belongs to somebody else: the answer is the same.",
        action="Check the id, and whose token the request carries.",
    ),
    errors.InvalidAmount: Problem(
        slug="invalid-amount", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Not a payable amount",
        why="An amount is positive, has at most eight digits of minor units, and is a multiple of what the currency "
        "can pay (100 for ISK and UGX, 10 for BHD, JOD, KWD, OMR and TND).",
        action="Send an amount in minor units of the currency.",
    ),
    errors.UnknownCurrency: Problem(
        slug="unknown-currency", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No such currency",
        why="Currencies are the ISO 4217 codes that Stripe presents, in lower case.",
        detail="Stripe presents no such currency: {error}.",
        action="Send a code like `usd`.",
    ),
    errors.CurrencyNotAccepted: Problem(
        slug="currency-not-accepted", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The currency is not taken",
        why="A merchant is sold for in the currencies that it was made with, and the platform in those that it names.",
        action="Sell in a currency that both take.",
    ),
    errors.InvalidBasket: Problem(
        slug="invalid-basket", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The line items make no sale",
        why="The line items of a sale have one merchant, one currency and sensible quantities; inline amounts name "
        "their merchant.",
        action="Split the basket, or name `merchant_id`.",
    ),
    errors.InvalidFeePolicy: Problem(
        slug="invalid-fee-policy", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No fee can be taken so",
        why="A fee policy is a percent from 0 to 100 with at most four decimals, given as a string, and amounts by "
        "currency.",
        action='Send a policy like `{"percent": "12.5", "fixed": {"usd": 30}}`.',
    ),
    errors.FeeExceedsAmount: Problem(
        slug="fee-exceeds-amount", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The fee does not fit the amount",
        why="A fee is from zero to the whole amount, in steps that the currency can pay.",
        action="Send a smaller `application_fee_amount`, or none.",
    ),
    errors.InvalidReturnUrl: Problem(
        slug="invalid-return-url", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Nobody is sent there",
        why="Buyers and merchants are sent back to listed origins only (`ReturnOrigins` of the stack).",
        action="Use a URL of a listed origin, or have the operator list this one.",
    ),
    errors.InvalidCursor: Problem(
        slug="invalid-cursor", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Not a cursor of this list",
        why="A cursor continues the list that gave it out, with the same filter.",
        action="Start again without a cursor.",
    ),
    errors.FilterRequired: Problem(
        slug="filter-required", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Whose list?",
        why="A list is of one merchant, one customer or one transaction, not of two of them; only some are of all.",
        action="Name exactly one of the parameters that the detail names.",
    ),
    errors.MerchantNotReady: Problem(
        slug="merchant-not-ready", status=HTTPStatus.CONFLICT, title="The merchant cannot be sold for yet",
        why="Stripe does not let its account receive transfers: onboarding is not finished, something is missing, or "
        "the account was rejected, closed or taken off the platform. Or it is to be the settlement merchant "
        "(`on_behalf_of`), and its card payments are not active.",
        action="Read the merchant: `restriction` says why, `requirements` what is missing. Send it an onboarding link.",
    ),
    errors.ImpossibleAccount: Problem(
        slug="impossible-account", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="There can be no such account",
        why="Who pays Stripe's fees, who bears losses and which dashboard there is do not go together in every way, "
        "and not every way allows the charges that sales here are made of; see docs/merchants.md.",
        action="Ask for a combination of the table, or leave the deployment's own.",
    ),
    errors.InvalidCustomer: Problem(
        slug="invalid-customer", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No customer is named",
        why="A customer is a buyer of the marketplace. A buyer's token says who he is; an operator has to name him.",
        action="Name the customer by the subject of the buyer's token.",
    ),
    errors.CustomerExists: Problem(
        slug="customer-exists", status=HTTPStatus.CONFLICT, title="The customer exists",
        why="There is one customer for each buyer, and one at Stripe for each of those.",
        action="Read the customer, or change it by `PATCH /customers/{id}`.",
    ),
    errors.CustomerNotReady: Problem(
        slug="customer-not-ready", status=HTTPStatus.CONFLICT, title="No customer at Stripe",
        why="Payment details are saved with a customer at Stripe, which there is not: Stripe has not answered yet, "
        "or refused to make it, or nobody asked for it.",
        action="Read the customer: where its status is `refused` or there is none, send `POST /customers`.",
    ),
    errors.LinkExpired: Problem(
        slug="link-expired", status=HTTPStatus.GONE, title="This link has ended",
        why="An onboarding link works for seven days.",
        action="Ask the marketplace for a new link.",
    ),
    errors.PriceNotForSale: Problem(
        slug="price-not-for-sale", status=HTTPStatus.CONFLICT, title="The price is not for sale",
        why="It or its product is archived; or it recurs and the sale is a single one, or the other way round.",
        action="Choose a current price of the catalog, of the kind that is sold here.",
    ),
    errors.InvalidPrice: Problem(
        slug="invalid-price", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The price cannot be so",
        why="It recurs more seldom than every three years, its trial is too long, or it would change what never does.",
        action="Make another price and archive this one.",
    ),
    errors.CheckoutSessionNotOpen: Problem(
        slug="checkout-session-not-open", status=HTTPStatus.CONFLICT, title="The session is not open",
        why="Only an open session can be expired; the buyer was faster, or it never was open.",
        action="Read the transaction. What was paid can be refunded.",
    ),
    errors.SubscriptionNotChangeable: Problem(
        slug="subscription-not-changeable", status=HTTPStatus.CONFLICT, title="The subscription cannot be changed so",
        why="It has not begun, it has ended, or what is asked is not possible as it stands.",
        action="Read the subscription; `status` and `waits_for` say where it is.",
    ),
    errors.CreditExceedsInvoice: Problem(
        slug="credit-exceeds-invoice", status=HTTPStatus.CONFLICT, title="The change leaves a credit",
        why="More would be credited for the rest of the period than the next invoice charges. Stripe would keep it for "
        "the customer's other invoices, which other merchants send.",
        action="Change without proration, or cancel with proration, which refunds, and subscribe anew.",
    ),
    errors.InvoiceNotChangeable: Problem(
        slug="invoice-not-changeable", status=HTTPStatus.CONFLICT, title="Not in this status",
        why="An invoice is changed while it is a draft, paid or given up when it is open, and never after its end.",
        action="Read the invoice; its `status` says what is possible.",
    ),
    errors.RegionNotSupported: Problem(
        slug="region-not-supported", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Another region",
        why="Of invoices and separate charges a merchant can be the settlement merchant (`on_behalf_of`) only in the "
        "platform's region.",
        action="Leave `on_behalf_of` out, or ask for a destination charge.",
    ),
    errors.TransactionNotRefundable: Problem(
        slug="transaction-not-refundable", status=HTTPStatus.CONFLICT, title="There is nothing to refund",
        why="Nothing was paid yet, or everything was refunded or is being refunded.",
        action="Read the transaction and its refunds.",
    ),
    errors.RefundExceedsRest: Problem(
        slug="refund-exceeds-rest", status=HTTPStatus.CONFLICT, title="Less is left than was asked",
        why="Refunds under way count as refunded, so that two can never have the same money.",
        action="Refund at most what is left, or leave out `amount` to refund all of it.",
    ),
    errors.LineExceedsRest: Problem(
        slug="line-exceeds-rest", status=HTTPStatus.CONFLICT, title="Less is left of a line item",
        why="Items of a line are refunded at most as often as they were sold, refunds under way counted.",
        action="Read the transaction's refunds; leave out `quantity` to refund all that is left of the line.",
    ),
    errors.MerchantShort: Problem(
        slug="merchant-short", status=HTTPStatus.CONFLICT, title="A merchant cannot cover its part",
        why="What the merchant would have to give back is more than its balance at Stripe, and this deployment's "
        "`shortfall` policy is to refuse then.",
        action="Refund when the merchant has sold more, refund less, or have the operator choose another policy.",
    ),
    errors.TooManyRefunds: Problem(
        slug="too-many-refunds", status=HTTPStatus.CONFLICT, title="Too many refunds",
        why="A transaction has at most 100 refunds.",
        action="Refund the rest in Stripe's Dashboard.",
    ),
    errors.TooManyMovements: Problem(
        slug="too-many-movements", status=HTTPStatus.CONFLICT, title="Too many transfers of this share",
        why="A merchant's share of one sale is moved to and fro at most a hundred times.",
        action="Release the rest of the share at once.",
    ),
    errors.TransferNotReversible: Problem(
        slug="transfer-not-reversible", status=HTTPStatus.CONFLICT, title="Nothing of it can be taken back",
        why="A transfer is reversed when it has arrived, and as far as it is with the merchant: refunds, disputes and "
        "earlier reversals have taken their part.",
        action="Read the transfer: its status, and what is `reversible`.",
    ),
    errors.ReversalExceedsRest: Problem(
        slug="reversal-exceeds-rest", status=HTTPStatus.CONFLICT, title="Less is with the merchant than was asked",
        why="Reversals under way and what refunds took back count as reversed.",
        action="Reverse at most what is `reversible`, or leave out `amount` to reverse all of it.",
    ),
    errors.DisputeNotAnswerable: Problem(
        slug="dispute-not-answerable", status=HTTPStatus.CONFLICT, title="The dispute waits for no answer",
        why="A dispute is answered once, by evidence or by accepting it, until `evidence_due_by`.",
        action="Read the dispute: its status says what became of it.",
    ),
    errors.InvalidFile: Problem(
        slug="invalid-file", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Not a file that a bank reads",
        why="Evidence is a PDF, a JPEG or a PNG of at most 3.5 MB, whatever its name says, sent as base64.",
        action="Convert or shrink the file.",
    ),
    errors.DebtNotOpen: Problem(
        slug="debt-not-open", status=HTTPStatus.CONFLICT, title="Nothing of the debt is open",
        why="It is settled or written off already, or its rest is on its way from the merchant's balance right now.",
        action="Read the merchant's debts; where `collecting` is not 0, try again in a minute.",
    ),
    errors.NoExpressDashboard: Problem(
        slug="no-express-dashboard", status=HTTPStatus.CONFLICT, title="No Express dashboard",
        why="Login links lead into the Express dashboard, and the merchant's account has another one, or none.",
        action="Show it embedded components instead: POST /merchants/{merchant_id}/component-sessions.",
    ),
    errors.ComponentNotAvailable: Problem(
        slug="component-not-available", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No such component",
        why="The embedded component, or a feature of it, is not offered to this caller. Refunds by merchants are never "
        "on: they would go to the platform, not to the buyer.",
        action="Ask for components and features that the detail names; the operator's `MerchantRights` says which.",
    ),
    errors.InvalidPayoutSchedule: Problem(
        slug="invalid-payout-schedule", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No possible payout schedule",
        why="Payouts leave daily, weekly on weekdays, monthly on days from 1 to 31, or when they are asked for; the "
        "delay has at most 31 days.",
        action="Send a schedule as the detail says.",
    ),
    errors.PayoutExceedsBalance: Problem(
        slug="payout-exceeds-balance", status=HTTPStatus.CONFLICT, title="More than is available",
        why="The merchant's balance at Stripe has less available in this currency, or owes more than it has.",
        action="Read GET /merchants/{merchant_id}/balance, and ask for what is available with a new Idempotency-Key.",
    ),
    errors.InstantPayoutUnavailable: Problem(
        slug="instant-payout-unavailable", status=HTTPStatus.CONFLICT, title="No instant payout",
        why="The bank account or card, the currency or Stripe's limits do not allow an instant payout now.",
        action="Ask for a standard payout with a new Idempotency-Key, or for less.",
    ),
    errors.PayoutNotItemized: Problem(
        slug="payout-not-itemized", status=HTTPStatus.CONFLICT, title="The payout is not itemized",
        why="Stripe says of automatic payouts which balance transactions they are made of; one that was asked for is "
        "an amount off the balance, and of no transactions.",
        action="Read GET /merchants/{merchant_id}/statement: the payout is one movement among the others.",
    ),
    errors.PayoutsNotAllowed: Problem(
        slug="payouts-not-allowed", status=HTTPStatus.CONFLICT, title="Payouts are stopped",
        why="Stripe lets this account pay nothing out now: something is due from the merchant, or a limit is reached.",
        action="Read the merchant's `requirements_due`, and send it to a new onboarding link.",
    ),
    errors.NothingHeld: Problem(
        slug="nothing-held", status=HTTPStatus.CONFLICT, title="Nothing is held",
        why="Shares are held when the sale was made so, while a merchant is not ready, or during a dispute; what was "
        "sent is no longer held.",
        action="Read the transaction: its legs say what is held and why.",
    ),
    errors.ReleaseExceedsHeld: Problem(
        slug="release-exceeds-held", status=HTTPStatus.CONFLICT, title="More than is held",
        why="A release is at most what is held of the merchant's share.",
        action="Release less, or leave out `amount` to release all of it.",
    ),
    errors.InvalidReleaseDate: Problem(
        slug="invalid-release-date", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No date to release at",
        why="Money may be held for at most 90 days.",
        action="Send a date that is ahead and within 90 days, or none to release by hand.",
    ),
    errors.InvalidPeriod: Problem(
        slug="invalid-period", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="No such time in the ledger",
        why="The ledger tells of moments that are over; a period ends after it begins.",
        action="Send times in ISO 8601 with a zone, for example `2026-11-23T00:00:00Z`, none of them ahead.",
    ),
    errors.InvalidCoupon: Problem(
        slug="invalid-coupon", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The coupon or code is not valid",
        why="A coupon takes off a percentage or an amount, within the limits that Stripe has, for all products or for "
            "those of one merchant.",
        action="Correct what the detail names.",
    ),
    errors.CodeTaken: Problem(
        slug="code-taken", status=HTTPStatus.CONFLICT, title="The code is taken",
        why="Buyers enter a code by itself, so that it can stand for one promotion at a time.",
        detail="Another promotion code with these letters is active.",
        action="Choose another code, or deactivate the promotion code that has it.",
    ),
    errors.DiscountNotUsable: Problem(
        slug="discount-not-usable", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The discount cannot be used here",
        why="A coupon or code can be inactive or expired, or be good for other products than those of this sale.",
        action="Sell without it, or with one that is good for these line items.",
    ),
    errors.CombinationRefused: Problem(
        slug="combination-refused", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="These terms do not go together",
        why="Not every charge type can be taxed and discounted in every way: docs/combinations.md has the table.",
        action="Change one of the terms that the detail names.",
    ),
    errors.NotCapturable: Problem(
        slug="not-capturable", status=HTTPStatus.CONFLICT, title="Nothing to capture or cancel",
        why="Only a payment that is authorized can be captured or canceled; an authorization lapses at "
        "`capture_before`.",
        action="Read the transaction: its status says what became of the payment. What was captured is refunded.",
    ),
    errors.CaptureExceedsAuthorized: Problem(
        slug="capture-exceeds-authorized", status=HTTPStatus.CONFLICT, title="More than was authorized",
        why="A capture is at most what the buyer's bank authorized.",
        action="Capture less, or leave out `amount` to capture all of it.",
    ),
    errors.DeadLetterUnreadable: Problem(
        slug="dead-letter-unreadable", status=HTTPStatus.CONFLICT, title="The dead letter is no event",
        why="It has not the shape of an event of Stripe's, so no try can apply it; put back, it would be set aside "
        "again.",
        action="Read its body. What the code cannot read today a later version may; what is none of Stripe's goes by "
        "itself after 14 days.",
    ),
    errors.IdempotencyKeyRequired: Problem(
        slug="idempotency-key-required", status=HTTPStatus.BAD_REQUEST, title="No Idempotency-Key",
        why="Money moves here, and requests get lost: only with a key can one be repeated without doing it twice.",
        detail="The request needs an Idempotency-Key of 1 to 255 characters.",
        action="Send a header `Idempotency-Key`, new for each intent and the same for each repetition.",
    ),
    errors.IdempotencyKeyReused: Problem(
        slug="idempotency-key-reused", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="The key was used before",
        why="The same Idempotency-Key came before with another body. Keys are kept for seven days.",
        action="Use a new key for a new intent; repeat a request unchanged.",
    ),
    errors.RequestUnderWay: Problem(
        slug="request-under-way", status=HTTPStatus.CONFLICT, title="The first request is still at it",
        why="A request with the same key, or about the same thing, has not finished.",
        action="Repeat the request unchanged after the time in `Retry-After`.",
        retry_after_seconds=5,
    ),
    errors.StripeRefused: Problem(
        slug="stripe-refused", status=HTTPStatus.UNPROCESSABLE_CONTENT, title="Stripe refused it",
        why="Stripe said a definite no, and nothing moved. Its code is `stripe_code`.",
        action="Do what the code's entry below says; a new request needs a new Idempotency-Key.",
    ),
    errors.OutcomeUnknown: Problem(
        slug="outcome-unknown", status=HTTPStatus.SERVICE_UNAVAILABLE, title="Not known yet",
        why="The request is recorded and perhaps done at Stripe, which did not answer. It is finished without you.",
        detail="The request is recorded; Stripe has not answered yet.",
        action="Repeat it unchanged, with the same Idempotency-Key, after the time in `Retry-After`.",
        retry_after_seconds=60,
    ),
    errors.Unavailable: Problem(
        slug="unavailable", status=HTTPStatus.SERVICE_UNAVAILABLE, title="No answer in time",
        why="Stripe or AWS did not answer in time. Nothing is known to have failed.",
        detail="A service that is needed for this did not answer in time.",
        action="Repeat the request unchanged, with the same Idempotency-Key, after the time in `Retry-After`.",
        retry_after_seconds=5,
    ),
    Exception: Problem(
        slug="internal-error", status=HTTPStatus.INTERNAL_SERVER_ERROR, title="A fault of ours",
        why="Something happened that nobody foresaw. It is in the logs under the `request_id`.",
        detail="The request failed for a reason that is not yours.",
        action="Repeat it unchanged, with the same Idempotency-Key; if it fails again, report the `request_id`.",
    ),
}  # fmt: skip
# The records moved on under a write in a way that no use case expects; a repetition reads them anew.
ALIASES: Final[Mapping[type[Exception], type[Exception]]] = {Conflict: errors.Unavailable}


def problem_of(error: Exception) -> Problem:
    """The problem of an exception, or of the nearest kind of exception that has one."""
    kind = next(kind for kind in type(error).__mro__ if kind in PROBLEMS or kind in ALIASES)
    return PROBLEMS[ALIASES.get(kind, kind)]
