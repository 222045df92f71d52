"""What a function is told by its environment, checked when it starts. A function names the parts that it needs."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from marketplace.domain.errors import InvalidFeePolicy
from marketplace.domain.fees import FeePolicy
from marketplace.domain.payment_templates import PaymentTemplate
from marketplace.domain.policies import MoneyPolicy
from marketplace.domain.return_urls import is_origin

if TYPE_CHECKING:
    from marketplace.domain.merchant_rights import MerchantRights
    from marketplace.domain.responsibilities import AccountPolicy


class InvalidEnvironment(RuntimeError):
    """Variables that are missing or malformed, each with what is wrong with it: the function must not start."""


class Part(Enum):
    """What a function uses, and the variables that tell it where that is."""

    TABLE = ("TABLE_NAME",)
    STRIPE = ("STRIPE_SECRET_ARN", "STRIPE_API_BASE", "LIVEMODE")
    CALLERS = ("ROLE_CLAIM", "MERCHANT_CLAIM", "TOKEN_ISSUER", "TOKEN_AUDIENCE", "TOKEN_KEYS_URL")
    RETURNS = ("RETURN_ORIGINS",)
    SALES = ("FEE_POLICY",)
    OWN_URL = ("API_BASE_URL",)
    WEBHOOKS = ("QUEUE_URL", "WEBHOOK_SECRET_ARN")
    RECONCILIATION = ("SETTLED_AFTER_SECONDS",)
    RIGHTS = ("MERCHANT_RIGHTS",)
    MONEY = ("MONEY_POLICY", "PAYMENT_TEMPLATE")
    EVENTS = ("EVENT_BUS_NAME",)
    PARTNER_EVENTS = ("QUEUE_URL", "PARTNER_EVENT_SOURCE")
    DEAD_LETTERS = ("QUEUE_URL", "DEAD_LETTER_QUEUE_URL")
    ACCOUNTS = ("ACCOUNT_POLICY",)


class Settings(NamedTuple):
    """The environment of a function. A field of a part that was not asked for is None.

    ``api_base_url`` is empty where the API has no domain of its own; ``return_origins`` may be empty. ``token_...`` are
    empty where API Gateway checks tokens.
    """

    table_name: str | None = None
    stripe_secret_arn: str | None = None
    stripe_api_base: str | None = None
    livemode: bool | None = None
    role_claim: str | None = None
    merchant_claim: str | None = None
    token_issuer: str | None = None
    token_audience: str | None = None
    token_keys_url: str | None = None
    return_origins: frozenset[str] | None = None
    fee_policy: FeePolicy | None = None
    api_base_url: str | None = None
    queue_url: str | None = None
    webhook_secret_arn: str | None = None
    settled_after_seconds: int | None = None
    money_policy: MoneyPolicy | None = None
    merchant_rights: "MerchantRights | None" = None
    payment_template: PaymentTemplate | None = None
    event_bus_name: str | None = None
    partner_event_source: str | None = None
    dead_letter_queue_url: str | None = None
    account_policy: "AccountPolicy | None" = None

    @classmethod
    def of(cls, environment: Mapping[str, str], *parts: Part) -> Self:
        """The settings of the parts, whatever else the environment holds.

        Raises:
            InvalidEnvironment: naming every variable that is missing or malformed.
        """
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for name in (name for part in parts for name in part.value):
            text = environment.get(name)
            if text is None:
                wrong.append(f"{name} is missing")
                continue
            try:
                values[name.lower()] = PARSERS.get(name, _text)(text)
            except (ValueError, InvalidFeePolicy) as error:
                wrong.append(f"{name}: {error}")
        if wrong:
            raise InvalidEnvironment("; ".join(wrong))
        return cls(**values)


def _text(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("is true or false")
    return text == "true"


def _origins(text: str) -> frozenset[str]:
    origins = frozenset(filter(None, text.split(",")))
    wrong = sorted(origin for origin in origins if not is_origin(origin))
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: an origin is written as https://shop.example")
    return origins


def _fee_policy(text: str) -> FeePolicy:
    return FeePolicy.of(_object(text))


def _money_policy(text: str) -> MoneyPolicy:
    return MoneyPolicy.of(_object(text))


def _merchant_rights(text: str) -> "MerchantRights":
    from marketplace.domain.merchant_rights import MerchantRights  # noqa: PLC0415 - for one function only

    return MerchantRights.of(_object(text))


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("is a JSON object")  # noqa: TRY004 - of a text, as json's own errors are
    return found


def _payment_template(text: str) -> PaymentTemplate | None:
    """None of an empty object."""
    template = _object(text)
    return PaymentTemplate.of(template) if template else None


def _account_policy(text: str) -> "AccountPolicy":
    from marketplace.domain.responsibilities import AccountPolicy  # noqa: PLC0415 - for one function only

    return AccountPolicy.of(_object(text))


PARSERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "LIVEMODE": _boolean,
    "RETURN_ORIGINS": _origins,
    "FEE_POLICY": _fee_policy,
    "API_BASE_URL": str,
    "TOKEN_ISSUER": str,
    "TOKEN_AUDIENCE": str,
    "TOKEN_KEYS_URL": str,
    "SETTLED_AFTER_SECONDS": int,
    "MONEY_POLICY": _money_policy,
    "MERCHANT_RIGHTS": _merchant_rights,
    "PAYMENT_TEMPLATE": _payment_template,
    "ACCOUNT_POLICY": _account_policy,
}
