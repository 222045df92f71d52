"""Balances and what moved them. https://docs.stripe.com/api/balance https://docs.stripe.com/api/balance_transactions"""

from ..accounts import ACCOUNTS
from ..context import Context
from ..funds import balance_view, balances
from ..funds.balances import BALANCE_TRANSACTIONS, BALANCES, RESERVES, WAITING_REFUNDS
from ..funds.collections import COLLECTION_TRANSFERS, collect
from ..lists import list_object
from ..routing import Routes
from ..values import Object

routes = Routes(BALANCE_TRANSACTIONS, BALANCES, RESERVES, WAITING_REFUNDS, COLLECTION_TRANSFERS)


@routes.api("GET", "/v1/balance")
def retrieve_balance(context: Context) -> Object:
    """The account's balance now."""
    return _balance(context)


@routes.api("GET", "/v1/balance_transactions/{balance_transaction}")
def retrieve(context: Context, balance_transaction: str) -> Object:
    """The balance transaction with its status of now."""
    return balances.shown(context.state.get(BALANCE_TRANSACTIONS, balance_transaction), context.clock.now())


@routes.api("GET", "/v1/balance_transactions")
def list_balance_transactions(context: Context) -> Object:
    """Balance transactions, newest first."""
    names = ("type", "source", "currency", "payout")
    found = context.list(BALANCE_TRANSACTIONS, {name: context.params.get(name) for name in names})
    now = context.clock.now()
    data = [balances.shown(each, now) for each in found["data"]]
    return list_object(data, found["url"], has_more=found["has_more"])


@routes.due("balance.mature")
def mature(context: Context, currency: str, moment: int) -> None:
    """Pending money becomes available."""
    balances.mature(context, currency, moment)
    context.emit("balance.available", _balance(context))


@routes.due("balance.collect")
def collect_debt(context: Context, currency: str) -> None:
    """The platform pays what an account has owed for long enough."""
    collect(context, currency)


def _balance(context: Context) -> Object:
    account = context.on_platform().state.find(ACCOUNTS, context.account)
    own = account and account.get("default_currency")
    return balance_view.balance(context, default_currency=own or context.settings.default_currency)
