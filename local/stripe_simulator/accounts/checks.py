"""What a payment may ask of a connected account, checked where it is asked: at a charge, a transfer, or a session."""

from ..context import Context
from ..errors import InvalidRequestError, ResourceMissingError
from ..values import Object
from . import standing
from .record import ACCOUNTS, CARD_PAYMENTS, MERCHANT, RECIPIENT, TRANSFERS
from .responsibilities import APPLICATION, LOSSES


def can_receive_transfers(context: Context, account: str) -> bool:
    """Whether money can be transferred to the account now: it exists, is open, and its capability is active."""
    record = _find(context, account)
    return record is not None and standing.is_active(record, RECIPIENT, TRANSFERS)


def check_destination(context: Context, account: str, param: str = "destination") -> None:
    """Refuse an account as the destination of a transfer or a destination charge.

    Raises:
        ResourceMissingError: the platform has no such account.
        InvalidRequestError: its transfers capability is not active, or Stripe would bear its losses.
    """
    record = _find(context, account)
    if record is None:
        raise ResourceMissingError("destination", account, param=param)
    if record["responsibilities"].get("losses_collector") == "stripe":
        raise InvalidRequestError(
            "Stripe collects the losses of this connected account, so it cannot be the destination of a destination "
            "charge or of a transfer. Use direct charges, or an account with `losses_collector` `application`.",
            param=param,
        )
    if not standing.is_active(record, RECIPIENT, TRANSFERS):
        raise InvalidRequestError(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers, "
            "crypto_transfers, legacy_payments",
            code="insufficient_capabilities_for_transfer",
            param=param,
        )


def check_settlement_merchant(context: Context, account: str, param: str = "on_behalf_of") -> None:
    """Refuse an account as the settlement merchant of a charge.

    Raises:
        ResourceMissingError: the platform has no such account.
        InvalidRequestError: its card payments are not active.
    """
    record = check_connected(context, account, param)
    if not standing.is_active(record, MERCHANT, CARD_PAYMENTS):
        raise InvalidRequestError(
            f"The account referenced in the '{param}' parameter is missing the required capabilities: card_payments.",
            param=param,
        )


def check_connected(context: Context, account: str, param: str) -> Object:
    """Refuse what is no account of the platform's; its record. To be liable for tax it needs no capability.

    https://docs.stripe.com/tax/tax-for-platforms

    Raises:
        ResourceMissingError: the platform has no such account.
    """
    record = _find(context, account)
    if record is None:
        raise ResourceMissingError("account", account, param=param)
    return record


def platform_bears_losses(seller: Context) -> bool:
    """Whether the platform answers for what the context's account owes."""
    record = _find(seller, seller.account)
    return record is not None and record["responsibilities"].get(LOSSES) == APPLICATION


def country_of(context: Context, account: str) -> str:
    """Where an account is, the platform among them."""
    record = _find(context, account)
    known: str | None = record["identity"].get("country") if record else None
    return known or context.settings.country


def _find(context: Context, account: str) -> Object | None:
    stored = context.on_platform().state.find(ACCOUNTS, account)
    return stored.get("_record") if stored and not stored.get("_closed") else None
