"""Connected accounts at Stripe: made by a command, and read, by the API that the merchant's account is of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, NamedTuple, override

from marketplace.domain.account_facts import PARTS
from marketplace.domain.commands import Command, CommandKind
from marketplace.domain.deferred import dataclass
from marketplace.domain.errors import NotFound
from marketplace.domain.fees import FeePolicy
from marketplace.domain.merchant_states import MerchantStatus
from marketplace.domain.merchants import Merchant, as_at_stripe, refused
from marketplace.domain.responsibilities import AccountsApi, Collector, Responsibilities
from marketplace.operations import Operation
from marketplace.ports import Change, Ports, Ref, Replace, one
from marketplace.services.commands import Handler, find_made


@dataclass(frozen=True, kw_only=True)
class NewMerchant:
    """A seller to be. ``country`` is ISO 3166 in lower case; without a fee policy the platform's default holds.

    ``card_payments`` asks Stripe to let it be the settlement merchant of charges as well.
    """

    name: str
    contact_email: str
    country: str
    currencies: tuple[str, ...]
    fee_policy: FeePolicy | None = None
    responsibilities: Responsibilities = field(default_factory=Responsibilities)
    card_payments: bool = False


class CreateAccount(Handler[Merchant]):
    """The account of a merchant (`/v2/core/accounts`)."""

    api = AccountsApi.V2
    operation = Operation.CREATE_ACCOUNT

    @override
    def load(self, ports: Ports, command: Command) -> Merchant:
        return get_merchant(ports, command.subject)

    @override
    def succeeded(self, ports: Ports, subject: Merchant, command: Command, made: Mapping[str, Any]) -> Sequence[Change]:
        # A repeated request gets the answer of long ago: where an event has brought the account already, it is newer.
        if subject.account_id is not None:
            return []
        return [Replace(subject, as_at_stripe(subject, made, ports.clock.now()))]

    @override
    def refused(self, ports: Ports, subject: Merchant, command: Command, code: str) -> Sequence[Change]:
        if subject.status is not MerchantStatus.REQUESTED:
            return []
        return [Replace(subject, refused(subject, code, ports.clock.now()))]

    @override
    def look_up(self, ports: Ports, command: Command) -> Mapping[str, Any] | None:
        found = find_made(self.listed(ports), command)
        return None if found is None else read_account(ports, self.api, found["id"])

    def listed(self, ports: Ports) -> Iterator[Mapping[str, Any]]:
        """The accounts among which the command's is looked for."""
        return ports.stripe.each(Operation.LIST_ACCOUNTS, params={"limit": 100})


class CreateV1Account(CreateAccount):
    """The same for a platform that is still on API v1 (`/v1/accounts`)."""

    api = AccountsApi.V1
    operation = Operation.CREATE_V1_ACCOUNT

    @override
    def listed(self, ports: Ports) -> Iterator[Mapping[str, Any]]:
        return ports.stripe.each(Operation.LIST_V1_ACCOUNTS, params={"limit": 100})


CREATE_ACCOUNT: Final = CreateAccount()
CREATE_V1_ACCOUNT: Final = CreateV1Account()


class Creation(NamedTuple):
    """How an API makes an account."""

    kind: CommandKind
    handler: CreateAccount


CREATIONS: Final[Mapping[AccountsApi, Creation]] = {
    AccountsApi.V2: Creation(CommandKind.CREATE_ACCOUNT, CREATE_ACCOUNT),
    AccountsApi.V1: Creation(CommandKind.CREATE_V1_ACCOUNT, CREATE_V1_ACCOUNT),
}


def account_params(api: AccountsApi, wanted: NewMerchant, merchant_id: str, command_id: str) -> dict[str, Any]:
    """What Stripe is asked for. Transfers always; card payments where the merchant is to be a settlement merchant."""
    metadata = {"merchant_id": merchant_id, "command_id": command_id}
    return {**(_params_v1(wanted) if api is AccountsApi.V1 else _params_v2(wanted)), "metadata": metadata}


def read_account(ports: Ports, api: AccountsApi, account_id: str) -> Mapping[str, Any]:
    """The account as it stands. Raises StripeUnavailable, StripeRefused."""
    if api is AccountsApi.V1:
        return ports.stripe.read(Operation.READ_V1_ACCOUNT, account_id)
    return ports.stripe.read(Operation.READ_ACCOUNT, account_id, params={"include": list(PARTS)})


def get_merchant(ports: Ports, merchant_id: str) -> Merchant:
    """A merchant that is known to be there. Raises NotFound."""
    merchant = one(ports.store, Ref(Merchant, merchant_id))
    if merchant is None:
        raise NotFound("merchant")
    return merchant


def _params_v2(wanted: NewMerchant) -> dict[str, Any]:
    asked = wanted.responsibilities
    transfers = {"stripe_balance": {"stripe_transfers": {"requested": True}}}
    as_merchant = {"merchant": {"capabilities": {"card_payments": {"requested": True}}}}
    return {
        "contact_email": wanted.contact_email,
        "display_name": wanted.name,
        "dashboard": asked.dashboard.value,
        "identity": {"country": wanted.country},
        "defaults": {
            "currency": wanted.currencies[0],
            "responsibilities": {
                "fees_collector": asked.fees_collector.value,
                "losses_collector": asked.losses_collector.value,
            },
        },
        "configuration": {
            "recipient": {"capabilities": transfers},
            **(as_merchant if wanted.card_payments else {}),
        },
        "include": list(PARTS),
    }


def _params_v1(wanted: NewMerchant) -> dict[str, Any]:
    """As `_params_v2`; API v1 calls an account that pays Stripe's fees by itself their ``payer``."""
    asked = wanted.responsibilities
    capabilities = {"transfers": {"requested": True}}
    return {
        "email": wanted.contact_email,
        "business_profile": {"name": wanted.name},
        "country": wanted.country.upper(),
        "default_currency": wanted.currencies[0],
        "controller": {
            "stripe_dashboard": {"type": asked.dashboard.value},
            "fees": {"payer": "account" if asked.fees_collector is Collector.STRIPE else "application"},
            "losses": {"payments": asked.losses_collector.value},
            "requirement_collection": "application" if asked.platform_collects_requirements else "stripe",
        },
        "capabilities": {**capabilities, **({"card_payments": {"requested": True}} if wanted.card_payments else {})},
    }
