"""Stripe by stripe-python: asked under idempotency keys, within the time left, with no answer taken for a no.

The SDK's own retries are off: they leave out 429, know nothing of the time that is left, and cannot be counted.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, Final, Protocol, override
from urllib.parse import parse_qs, urlsplit

import requests
import stripe
from requests.adapters import BaseAdapter
from stripe._base_address import BaseAddresses

from marketplace.adapters.stripe_exchange import exchange
from marketplace.domain.commands import Doubt
from marketplace.domain.errors import StripeRefused, Unavailable
from marketplace.operations import Exchange, Operation
from marketplace.ports import Answer, Done, NoAnswer, Refusal, StripeUnavailable

LONGEST_CALL_SECONDS: Final = 12.0  # Stripe's own writes take about one; the SDK's default of 80 outlives the function
SHORTEST_CALL_SECONDS: Final = 1.0  # with less than this no call is started
CONNECT_SECONDS: Final = 2.0
KEPT_SECONDS: Final = 6.0  # to write the outcome, also when DynamoDB needs a second try, and to answer
MOST_TRIES: Final = 3  # of one call, under one key
FIRST_PAUSE_SECONDS: Final = 0.3
LONGEST_PAUSE_SECONDS: Final = 2.0
MOST_PAGES: Final = 100

# Answers that are no decision: the configuration is wrong (401, 403), the key is in use (409), a party behind Stripe
# failed (424), too much at once (429). https://docs.stripe.com/api/errors
UNDECIDED: Final = frozenset({401, 403, 408, 409, 424, 425, 429})
TRIED_AGAIN: Final = frozenset({401, 409, 429})  # 401 with the key read anew: it may have been rotated
NOT_NOW: Final = frozenset({"lock_timeout", "rate_limit"})
# A 403 that is Stripe's word all the same: the key is good, and this account is not the platform's any more.
DECIDED: Final = frozenset({"account_invalid"})
CLIENT_ERRORS: Final = range(400, 500)
PAYMENT_REQUIRED: Final = 402  # declined

# The SDK logs every URL and Stripe's messages at INFO, and adds the machine's facts to what it sends.
logging.getLogger("stripe").setLevel(logging.WARNING)
stripe.enable_telemetry = False


class ApiKey(Protocol):
    """Stripe's API key, which may be rotated."""

    def value(self) -> str:
        """The key. Raises Unavailable."""

    def forget(self) -> None:
        """Stripe did not accept it: read it anew before the next call."""


class StripeGateway:
    """The StripeApi port.

    ``time_left_seconds`` is how long the function may still run. ``on_call`` hears of each request that is sent,
    repetitions included, ``on_answer`` of how it ended. ``jitter`` gives numbers from 0 to 1. ``transport`` carries the
    requests in place of sockets.
    """

    def __init__(
        self,
        *,
        api_key: ApiKey,
        api_base: str,
        time_left_seconds: Callable[[], float],
        jitter: Callable[[], float],
        on_call: Callable[[Operation], None] = lambda _: None,
        on_answer: Callable[[Exchange], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        transport: BaseAdapter | None = None,
    ) -> None:
        self._api_key = api_key
        self._api_base = api_base
        self._time_left_seconds = time_left_seconds
        self._jitter = jitter
        self._on_call = on_call
        self._on_answer = on_answer
        self._sleep = sleep
        self._session = _Session()
        if transport is not None:
            self._session.mount(api_base, transport)
        self._clients: dict[str, stripe.StripeClient] = {}

    def ask(
        self, operation: Operation, *ids: str, params: Mapping[str, Any], key: str, account: str | None = None
    ) -> Answer:
        """Change something, of a connected ``account`` where one is named, under an idempotency key.

        It is tried again under the same key where that may help.
        """
        of = {"stripe_account": account} if account else {}
        return self._call(operation, ids, params, {"idempotency_key": key, **of})

    def read(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Mapping[str, Any]:
        """Read an object, of a connected ``account`` where one is named, as JSON data; decimals are strings, as sent.

        Raises:
            StripeUnavailable, StripeRefused.
        """
        match self._call(operation, ids, params or {}, {"stripe_account": account} if account else {}):
            case Done(found):
                return found
            case Refusal(code):
                raise StripeRefused(code)
            case NoAnswer(doubt):
                raise StripeUnavailable(f"{operation}: {doubt}")

    def each(
        self, operation: Operation, *ids: str, params: Mapping[str, Any] | None = None, account: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """The objects of a list, page after page.

        Raises:
            StripeUnavailable: also where the list goes on after MOST_PAGES: what is looked for may be behind them.
            StripeRefused.
        """
        wanted = dict(params or {})
        for _ in range(MOST_PAGES):
            page = self.read(operation, *ids, params=wanted, account=account)
            yield from page["data"]
            following = _following(page)
            if following is None:
                return
            wanted |= following
        raise StripeUnavailable(f"{operation}: over {MOST_PAGES} pages")

    def _call(
        self, operation: Operation, ids: tuple[str, ...], params: Mapping[str, Any], options: Mapping[str, str]
    ) -> Answer:
        answer: Answer = NoAnswer(Doubt.NO_ANSWER)
        for tries, pause in enumerate((0.0, *self._pauses()), start=1):
            if self._seconds_for_a_call() < pause + SHORTEST_CALL_SECONDS:
                return answer
            self._sleep(pause)
            try:
                return self._send(operation, ids, params, options, tries)
            except stripe.StripeError as error:
                answer = _meaning(error, operation)
                if not self._may_help(error):
                    return answer
            except Unavailable:  # the key cannot be read: nothing was sent
                return answer
        return answer

    def _send(
        self,
        operation: Operation,
        ids: tuple[str, ...],
        params: Mapping[str, Any],
        options: Mapping[str, str],
        tries: int,
    ) -> Answer:
        method = attrgetter(operation.value)(self._client())
        seconds = self._seconds_for_a_call()
        if seconds < SHORTEST_CALL_SECONDS:  # reading the key took what was left
            return NoAnswer(Doubt.NO_ANSWER)
        self._session.allow(min(seconds, LONGEST_CALL_SECONDS))
        self._on_call(operation)
        told = partial(exchange, operation, params, options, tries, time.monotonic())
        try:
            made = method(*ids, dict(params), dict(options))
        except stripe.StripeError as error:
            self._on_answer(told(_meaning(error, operation), error.http_status, error.request_id))
            raise
        answer: Answer = NoAnswer(Doubt.NO_ANSWER)  # JSON, but not Stripe's
        if isinstance(made, stripe.StripeObject):
            answer = Done(made.to_dict(for_json=True))
        heard = getattr(made, "last_response", None)
        self._on_answer(told(answer, getattr(heard, "code", None), getattr(heard, "request_id", None)))
        return answer

    def _seconds_for_a_call(self) -> float:
        return self._time_left_seconds() - KEPT_SECONDS

    def _client(self) -> stripe.StripeClient:
        """The client of the key as it is now."""
        key = self._api_key.value()
        if key not in self._clients:
            http_client = stripe.RequestsClient(session=self._session)
            client = stripe.StripeClient(
                key, base_addresses=_addresses(self._api_base), http_client=http_client, max_network_retries=0
            )
            self._clients = {key: client}
        return self._clients[key]

    def _pauses(self) -> Iterator[float]:
        """Growing, and spread: those who failed together must not come back together."""
        for again in range(MOST_TRIES - 1):
            yield min(FIRST_PAUSE_SECONDS * 4**again, LONGEST_PAUSE_SECONDS) * (0.5 + self._jitter() / 2)

    def _may_help(self, error: stripe.StripeError) -> bool:
        """Whether the same request again can end otherwise."""
        if isinstance(error, stripe.AuthenticationError):
            self._api_key.forget()
        advice = (error.headers or {}).get("Stripe-Should-Retry")
        if advice is not None:
            return advice == "true"
        if isinstance(error, stripe.APIConnectionError):
            return error.should_retry
        return error.http_status in TRIED_AGAIN


class _Session(requests.Session):
    """Connections that are kept, with a time-out for each call; the SDK knows only one for all."""

    def __init__(self) -> None:
        super().__init__()
        self._timeout = (CONNECT_SECONDS, SHORTEST_CALL_SECONDS)

    def allow(self, seconds: float) -> None:
        """The time that the next call may take, to connect and to answer."""
        connect = min(CONNECT_SECONDS, seconds / 2)
        self._timeout = (connect, seconds - connect)

    @override
    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        return super().send(request, **{**kwargs, "timeout": self._timeout})


def _meaning(error: stripe.StripeError, operation: Operation) -> Answer:
    """What an error says of the request: that nothing was done only where Stripe itself decided so.

    A PaymentIntent whose payment is declined is made all the same; its ``last_payment_error`` says why.
    """
    status, said = error.http_status, _said(error)
    made = said.get("payment_intent")
    if operation is Operation.CREATE_PAYMENT_INTENT and status == PAYMENT_REQUIRED and isinstance(made, Mapping):
        return Done(made)
    code, kind = said.get("code"), said.get("type")
    if status is None or (status in UNDECIDED and code not in DECIDED) or code in NOT_NOW:
        return NoAnswer(Doubt.NO_ANSWER)
    # Other parameters under a used key: what was first asked with it may have been done.
    if status >= CLIENT_ERRORS.stop or kind == "idempotency_error":
        return NoAnswer(Doubt.STRIPE_FAILED)
    if status in CLIENT_ERRORS and kind:
        return Refusal(code or kind)
    return NoAnswer(Doubt.NO_ANSWER)  # a body that is not Stripe's: cut short, or of somebody in between


def _addresses(api_base: str) -> BaseAddresses:
    """Where requests go. Stripe takes files at another address than all else; a simulator takes them at its own."""
    if api_base == stripe.DEFAULT_API_BASE:
        return {"api": api_base}
    return {"api": api_base, "files": api_base}


def _said(error: stripe.StripeError) -> Mapping[str, Any]:
    """The ``error`` of Stripe's body, where it is one."""
    body = error.json_body
    said = body.get("error") if isinstance(body, Mapping) else None
    return said if isinstance(said, Mapping) else {}


def _following(page: Mapping[str, Any]) -> dict[str, str] | None:
    """The parameters of the next page, of a v2 list or a v1 list; None at the end."""
    url = page.get("next_page_url")
    if url:
        return {"page": parse_qs(urlsplit(url).query)["page"][0]}
    return {"starting_after": page["data"][-1]["id"]} if page.get("has_more") and page["data"] else None
