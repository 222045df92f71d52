"""Writes `docs/merchants.md`: states and combinations from their tables: `python -m local.merchants_page`."""

from collections.abc import Mapping
from typing import Final

from local.cloud.places import PROJECT
from marketplace.domain.merchant_states import TRANSITIONS, MerchantStatus
from marketplace.domain.responsibilities import AccountPolicy, RefusedBy, every_combination, rule_against

PAGE: Final = PROJECT / "docs" / "merchants.md"
INTRODUCTION: Final = """# Merchants

A merchant is a seller with a connected account at Stripe. `POST /merchants` makes both; `POST
/merchants/{id}/onboarding-links` sends it to Stripe's onboarding: a link of Stripe's is good once and for minutes, ours
behind it makes the next, for seven days. `GET /merchants/{id}` says what the merchant can do (`can_receive_transfers`,
`can_be_paid_out`), each of the `requirements` with its deadline and what it restricts, and the `restriction` where it
cannot. `PATCH /merchants/{id}` changes its name here, its currencies and its fee policy for sales from then on.

What it can do is read from the account itself whenever an event says that something changed, never from the event, and
is written only where nobody has written since the merchant was read. However late, doubled or mixed events come, the
merchant ends as its account is.

## States

| state | what it means | may become |
|---|---|---|
"""
MEANINGS: Final[Mapping[MerchantStatus, str]] = {
    MerchantStatus.REQUESTED: "There is no account yet.",
    MerchantStatus.REFUSED: "Stripe refused to make the account; `restriction` has its code.",
    MerchantStatus.PENDING: "Stripe is checking.",
    MerchantStatus.RESTRICTED: "It cannot receive transfers now; `restriction` and `requirements` say why.",
    MerchantStatus.READY: "It can receive transfers: it is sold for.",
    MerchantStatus.REJECTED: "Stripe, or the platform in Stripe's Dashboard, will not have it.",
    MerchantStatus.DEAUTHORIZED: "Its owner took the account off the platform, which cannot reach it any more.",
    MerchantStatus.CLOSED: "The account is no more.",
}
STATES_END: Final = """
`refused`, `rejected`, `deauthorized` and `closed` merchants are lost: nothing is sold for them, not with
`hold_until_ready` either.
"""
COMBINATIONS: Final = """
## Who answers for an account

`dashboard`, `fees_collector` and `losses_collector` are chosen for each merchant when it is made; what is left out is
as the template's parameter `AccountPolicy` says. Of {count} combinations these are possible:

| `dashboard` | `fees_collector` | `losses_collector` | who collects requirements |
|---|---|---|---|
{possible}
The others are refused before Stripe is asked, with the reason:

| `dashboard` | `fees_collector` | `losses_collector` | refused by | why |
|---|---|---|---|---|
{impossible}
Where the platform collects requirements it may send links of the type `account_update`; every other merchant is asked
for what will be required later by an onboarding link with `"collect": "eventually_due"`.
"""
POLICY: Final = """
## `AccountPolicy`

A JSON object; what it leaves out is as here. A name or a value that is none of these, or a combination that is
impossible, lets no function start.

| name | default | what it decides |
|---|---|---|
"""
WORDS: Final = {
    "api": "`v2` makes accounts by `/v2/core/accounts`, `v1` by `/v1/accounts` with controller properties, for "
    "platforms that are still on it. A merchant keeps the API that it was made by. Only API v2 says what a requirement "
    "restricts.",
    "dashboard": "What of Stripe merchants can log in to: `express`, `full`, or `none`.",
    "fees_collector": "Who collects Stripe's fees from the account: `application` or `stripe`.",
    "losses_collector": "Who bears what the account cannot pay back: `application` or `stripe`.",
    "card_payments": "Whether merchants are to be settlement merchants (`on_behalf_of`) as well, for which Stripe "
    "requires more of them. Transfers are asked for always.",
}
END: Final = """
This page is written by `python -m local.merchants_page` from the tables in `shared/marketplace/domain`:
`merchant_states.py` and `responsibilities.py`.
"""
BY: Final = {RefusedBy.STRIPE: "Stripe", RefusedBy.CHARGES: "the charge types here"}


def text() -> str:
    """The page as it is committed."""
    combinations = COMBINATIONS.format(
        count=len(list(every_combination())), possible=_possible(), impossible=_refused()
    )
    return INTRODUCTION + _states() + STATES_END + combinations + POLICY + _policy() + END


def _states() -> str:
    return "".join(
        f"| `{state}` | {MEANINGS[state]} | {', '.join(f'`{after}`' for after in sorted(TRANSITIONS[state]))} |\n"
        for state in MerchantStatus
    )


def _possible() -> str:
    return "".join(
        f"| `{each.dashboard}` | `{each.fees_collector}` | `{each.losses_collector}` | "
        f"{'the platform' if each.platform_collects_requirements else 'Stripe'} |\n"
        for each in every_combination()
        if rule_against(each) is None
    )


def _refused() -> str:
    return "".join(
        f"| `{each.dashboard}` | `{each.fees_collector}` | `{each.losses_collector}` | {BY[rule.refused_by]} "
        f"| {rule.reason} |\n"
        for each in every_combination()
        if (rule := rule_against(each)) is not None
    )


def _policy() -> str:
    defaults = AccountPolicy()._asdict()
    return "".join(f"| `{name}` | `{_json(defaults[name])}` | {WORDS[name]} |\n" for name in defaults)


def _json(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'


if __name__ == "__main__":
    PAGE.write_text(text())
