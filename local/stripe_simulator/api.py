"""The way of a request: authenticate, route, recall, validate, execute in one transaction, expand, keep, answer."""

import json
import logging
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from . import idempotency, pages, parameters
from .context import Context
from .errors import AccountAccessError, ApiError, CardError, StripeError
from .events import Origin
from .expand import expand
from .faults.requests import HEADER, RequestFault, meet_request
from .idempotency import Attempt, Kept
from .limits import Limits
from .messages import Request, Response, account_named, authenticate, json_response
from .restricted_keys import RestrictedKeys, right_to, right_to_see
from .routing import Document, Html, Kind, Redirect, Route, Router
from .sdk import Operation
from .state import State, Store, public
from .values import Object
from .versions import check_version, lifted, lowered, moved, renamed
from .world import World

_logger = logging.getLogger(__name__)
_REQUEST_ID_LENGTH: Final = 14
_CONTROLS: Final = "/_simulator/"  # answered in JSON, errors too


class _Call(NamedTuple):
    """A request that was let in."""

    request: Request
    key: str
    route: Route
    placeholders: Mapping[str, str]
    account: str
    params: dict[str, Any]
    api_version: str
    origin: Origin
    attempt: Attempt | None


class Api:
    """Answers requests, one at a time; nothing here knows HTTP's connections or threads."""

    def __init__(self, world: World, store: Store, router: Router, keys: RestrictedKeys) -> None:
        self._world = world
        self._keys = keys
        self._store = store
        self._router = router
        self._limits = Limits(world.clock, world.settings.requests_per_second)

    def refuse(self, request: Request, error: StripeError) -> Response:
        """The answer to a request that is not even looked at."""
        return json_response(error.http_status, _body(request, error), {**self._headers(request), **error.headers})

    def answer(self, request: Request) -> Response:
        """The response, errors included.

        Only a hosted page's broken code gets past this as an exception, and ``NotReached`` and ``NotAnswered``, where
        that was ordered.
        """
        headers = self._headers(request)
        try:
            version = self._version(request)
            route, placeholders = self._router.find(*moved(version, request.method, request.path))
            if route.kind is Kind.PAGE:
                return self._visit(request, route, placeholders)
            call = self._admit(request, route, placeholders, headers["Request-Id"])
            return self._answer_once(call, headers)
        except StripeError as error:
            return json_response(error.http_status, _body(request, error), {**headers, **error.headers})

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Request-Id": self._world.ids.new("req", _REQUEST_ID_LENGTH),
            "Stripe-Version": self._version(request),
        }
        if "idempotency-key" in request.headers:
            headers["Idempotency-Key"] = request.headers["idempotency-key"]
        return headers

    def _version(self, request: Request) -> str:
        return request.headers.get("stripe-version", self._world.settings.api_version)

    def _admit(self, request: Request, route: Route, placeholders: Mapping[str, str], request_id: str) -> _Call:
        key = authenticate(request.headers)
        version = self._version(request)
        check_version(version)
        account = self._account(request)
        is_connect = account != self._world.platform
        self._keys.require(key, right_to(request.method, route.template, is_connect=is_connect), account)
        self._limits.count(account, request.path)
        used = idempotency.key_of(request)
        idempotency.check_key(used)
        params = request.read_params()
        attempt = Attempt(used, request.method, request.path, params) if used else None
        origin = Origin(request_id, used)
        return _Call(request, key, route, placeholders, account, params, version, origin, attempt)

    def _account(self, request: Request) -> str:
        """The platform, or an account that is connected to it: one that its collection ``account`` holds."""
        named = account_named(request.headers)
        platform = self._world.platform
        if named is None or named == platform:
            return platform
        found = self._store.peek(platform, "account", named)
        if found is None or found.get("_closed"):
            raise AccountAccessError(
                f"The provided key does not have access to account '{named}' (or that account does not exist). "
                "Application access may have been revoked.",
                code="account_invalid",
            )
        return named

    def _answer_once(self, call: _Call, headers: dict[str, str]) -> Response:
        kept = self._recall(call)
        fault = self._meet(call, is_replay=kept is not None)
        if fault:
            headers[HEADER] = fault.id
            fault.on_arrival()
        if kept:
            replayed = {"Idempotent-Replayed": "true", "Original-Request": kept.request_id}
            response = _response(kept, headers | replayed)
        else:
            response = _response(self._execute(call, fault), headers)
        return fault.on_leaving(response) if fault else response

    def _recall(self, call: _Call) -> Kept | None:
        if call.attempt is None:
            return None
        with self._store.transaction() as transaction:
            return idempotency.recall(State(transaction, call.account), call.attempt, self._world.clock.now())

    def _meet(self, call: _Call, *, is_replay: bool) -> RequestFault | None:
        with self._store.transaction() as transaction:
            platform = State(transaction, self._world.platform)
            request, key = call.request, call.attempt.key if call.attempt else None
            return meet_request(platform, call.account, request.method, request.path, key=key, is_replay=is_replay)

    def _execute(self, call: _Call, fault: RequestFault | None) -> Kept:
        try:
            return self._execute_in_transaction(call, fault)
        except StripeError as error:
            if not error.stored_under_key:
                raise
            return self._keep_failure(call, error)
        except Exception:  # a fault in the simulator answers as Stripe's own faults do, and is kept as they are
            _logger.exception("%s %s failed", call.request.method, call.request.path)
            return self._keep_failure(call, ApiError("An unexpected error occurred in the Stripe simulator."))

    def _execute_in_transaction(self, call: _Call, fault: RequestFault | None) -> Kept:
        with self._store.transaction() as transaction:
            state = State(transaction, call.account)
            try:
                answer = self._kept(call, HTTPStatus.OK, self._run(call, state, fault))
            except CardError as error:  # an attempt that was declined has been made: its charge and events stay
                answer = self._kept(call, error.http_status, error.body())
            if fault and fault.hides_work:
                return self._hide(call, state, answer, fault.server_error())
            self._keep(call, state, answer)
        return answer

    def _hide(self, call: _Call, state: State, answer: Kept, error: ApiError) -> Kept:
        """A 500 for work that was done; API v2 remembers the work, API v1 what it answered."""
        told = self._kept(call, error.http_status, _body(call.request, error))
        self._keep(call, state, answer if call.attempt and call.attempt.api == "v2" else told)
        return told

    def _run(self, call: _Call, state: State, fault: RequestFault | None) -> Object:
        operation = call.route.operation
        if operation is None:
            raise LookupError(f"{call.route.template} is no operation of the API")
        params = self._read(call, operation)
        if fault:
            fault.instead_of_work()
        paths = params.pop("expand", ())
        path = call.request.path
        context = Context(self._world, state, params, path, call.api_version, call.origin)
        answer: Object = call.route.handler(context, **call.placeholders)  # type: ignore[assignment]  # an API handler
        shown = public(expand(state, answer, paths, partial(self._require_shown, call)) if paths else answer)
        lower: Object = lowered(call.api_version, shown, state)
        return lower

    def _require_shown(self, call: _Call, kind: str) -> None:
        right = right_to_see(kind, is_connect=call.account != self._world.platform)
        if right is not None:
            self._keys.require(call.key, right, call.account)

    def _read(self, call: _Call, operation: Operation) -> dict[str, Any]:
        """The parameters, of whatever version they are, as the pinned version has them."""
        path = call.request.path
        given = lifted(call.api_version, path, call.params) if call.route.method == "POST" else call.params
        try:
            return parameters.read(operation, given, call.request.wire)
        except StripeError as error:
            error.param = renamed(call.api_version, path, error.param)
            raise

    def _keep_failure(self, call: _Call, error: StripeError) -> Kept:
        answer = self._kept(call, error.http_status, _body(call.request, error))
        with self._store.transaction() as transaction:
            self._keep(call, State(transaction, call.account), answer)
        return answer

    def _kept(self, call: _Call, status: int, value: Object) -> Kept:
        return Kept(status, json.dumps(value), call.origin.request_id or "")

    def _keep(self, call: _Call, state: State, answer: Kept) -> None:
        if call.attempt:
            idempotency.keep(state, call.attempt, answer, self._world.clock.now())

    def _visit(self, request: Request, route: Route, placeholders: Mapping[str, str]) -> Response:
        try:
            answer = self._show(request, route, placeholders)
        except StripeError as error:
            if request.path.startswith(_CONTROLS):
                raise
            answer = pages.notice("This page is not available", error.message, status=error.http_status)
        if isinstance(answer, Html):
            return Response(answer.status, answer.text.encode(), {"Content-Type": "text/html; charset=utf-8"})
        if isinstance(answer, Document):
            return Response(HTTPStatus.OK, answer.content, {"Content-Type": answer.kind})
        if isinstance(answer, Redirect):
            return Response(HTTPStatus.SEE_OTHER, b"", {"Location": answer.url})
        return json_response(HTTPStatus.OK, public(answer))

    def _show(
        self, request: Request, route: Route, placeholders: Mapping[str, str]
    ) -> Html | Redirect | Document | Object:
        with self._store.transaction() as transaction:
            state = State(transaction, self._world.platform)
            version = self._world.settings.api_version
            context = Context(self._world, state, request.read_params(), request.path, version)
            return route.handler(context, **placeholders)


def _body(request: Request, error: StripeError) -> Object:
    return error.body_v2() if request.path.startswith("/v2/") else error.body()


def _response(answer: Kept, headers: Mapping[str, str]) -> Response:
    return Response(answer.status, answer.body.encode(), {"Content-Type": "application/json", **headers})
