"""Writes `docs/stripe-keys.md`, what each restricted key must be able to do: `python -m local.stripe_keys_page`."""

from typing import Final

from cli.stripe_keys import BY_ENDPOINT, BY_OBJECT, FUNCTIONS_OF, RESOURCES, Group, Right, rights_of, rights_of_all
from local.cloud.places import PROJECT

PAGE: Final = PROJECT / "docs" / "stripe-keys.md"
INTRODUCTION: Final = """# Stripe keys

One restricted key for all functions, or one for each group of functions that do alike things at Stripe: then whoever
gets hold of the key that guests' checkouts use can make Checkout Sessions, and moves no money. The parameter
`StripeKeys` says which.

| `StripeKeys` | secrets | a function uses | its role may read |
|---|---|---|---|
| `shared` (the default) | `StripeKeySecretArn` | the shared key | the shared key |
| `prepared` | also `MerchantsStripeKeySecretArn` and so on, empty at first | the shared key | both |
| `switched` | the same | its group's key | both |
| `separate` | the same | its group's key | its group's key |

A new stack begins with `shared` or with `separate`. One that sells already takes every step, there or back, each a
deploy, and nothing is interrupted: CloudFormation changes roles before functions, so that a function that is about to
be replaced needs what its new role lets it read. Before `switched`, `doctor` must find every group's key well.

```console
$ sam deploy --parameter-overrides StripeKeys=prepared ...
$ aws secretsmanager put-secret-value --secret-id $(output CheckoutStripeKeySecretArn) --secret-string rk_live_...
$ bin/marketplace doctor --stack $STACK
$ sam deploy --parameter-overrides StripeKeys=switched ...
$ sam deploy --parameter-overrides StripeKeys=separate ...
```

A key that is put into a secret later is used within five minutes, and at once where Stripe does not know the old one
any more. In `switched` and `separate` no function uses the shared key: it is the one of `bin/marketplace webhooks`
and `doctor`, and needs what [going live](going-live.md#the-operators-key) says. A right that is missing loses
nothing: what Stripe refuses for it waits, as if Stripe had not answered, and the `OldestCommand` alarm rings.

## Rights

Stripe's Dashboard, Developers, API keys, Create restricted key. The level under *Permissions*; in parentheses the one
under *Connect permissions*, for what is asked of connected accounts. `one` is a key for all.

"""
NAMES: Final = f"""
## Stripe's names

Stripe lists its permissions [by endpoint]({BY_ENDPOINT})
and [by object]({BY_OBJECT}), and a refusal names the one that
is lacking.

"""
UNCONFIRMED: Final = """
What is *not confirmed* was found on neither list, of which the one by endpoint could be read in part only:
`v2_account_storer` is what refusals say that others publish, the rest is a guess from the path. Accounts may need *KYC*
rights too ([stripe-node#2246](https://github.com/stripe/stripe-node/issues/2246)). Before you make a key:

- Ask Stripe's command line which permissions an endpoint needs
  ([stripe-cli#1604](https://github.com/stripe/stripe-cli/pull/1604)):
  `stripe keys permissions "GET /v1/balance_settings" "GET /v1/invoice_payments"`.
- `bin/marketplace doctor` reads once with each key whatever it must be able to read, and says what Stripe refuses.
- To write cannot be tried without writing: play a sale, a refund and a payout in test mode with the same rights. What
  Stripe refuses then is in the functions' log with its request, and waits.

Some permissions imply others, by Stripe's list by object: *Transfers* also *Payouts*, to write; *Checkout sessions* to
read PaymentIntents, Products and SetupIntents; *Invoices* to read Credit notes, and the other way round; *Balance
transaction sources* to read Application fees, the Balance and Transfers. A key can do that much more than its column
says. What is expanded in an answer needs the right to read it, and is in the table.
"""
END: Final = """
This page is written by `python -m local.stripe_keys_page` from what is found in the functions' code (`python -m
local.stripe_use`). The tests hold it against what they ask: none may ask more, and the simulator gives each group a
key with these rights and refuses the rest.
"""


def text() -> str:
    """The page as it is committed."""
    groups = "".join(f"- **{group}**: {', '.join(f'`{name}`' for name in FUNCTIONS_OF[group])}\n" for group in Group)
    return f"{INTRODUCTION}{_table()}\n{groups}{NAMES}{_names()}{UNCONFIRMED}{END}"


def _table() -> str:
    columns = {group.value: rights_of(group) for group in Group} | {"one": rights_of_all()}
    by_name = {name: {each.resource.name: each for each in rights} for name, rights in columns.items()}
    used = [resource.name for resource in RESOURCES if resource.name in by_name["one"]]
    rows = [[name, *(_cell(rights.get(name)) for rights in by_name.values())] for name in used]
    return _lines(["right", *columns], rows)


def _names() -> str:
    said = {BY_ENDPOINT: "by endpoint", BY_OBJECT: "by object", None: "not confirmed"}
    used = {right.resource for right in rights_of_all()}
    rows = [[each.name, f"`{each.permission}`", said[each.source]] for each in RESOURCES if each in used]
    return _lines(["right", "Stripe's name", "confirmed by Stripe's list"], rows)


def _lines(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(right: Right | None) -> str:
    if right is None:
        return ""
    return " ".join([*([right.own] if right.own else []), *([f"({right.connect})"] if right.connect else [])])


if __name__ == "__main__":
    PAGE.write_text(text())
