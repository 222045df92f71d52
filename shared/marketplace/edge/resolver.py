"""Routes of one function: Powertools' HTTP resolver, with every end of a request a model or one problem.

Powertools validates parameters and bodies against the routes' types. Its own habits are kept from the callers: it would
take a form or the first element of a list for a body, and answer in shapes of its own.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, override

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.depends import Depends
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.request import Request
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from marketplace.domain.errors import IdempotencyKeyRequired, NotAllowed, Unavailable
from marketplace.domain.principals import Principal
from marketplace.edge.access import ACCESS, OPEN
from marketplace.edge.bodies import LARGEST_BODY_BYTES, UnreadableBody, parse_object, require_json
from marketplace.edge.fields import CATALOG, INLINE
from marketplace.edge.idempotency import HEADER
from marketplace.edge.invocation import Invocation
from marketplace.edge.logging import facts_of, logger
from marketplace.edge.principal import NotAuthenticated, principal_of
from marketplace.edge.refusals import InvalidRequest, MethodNotAllowed, RouteNotFound
from marketplace.edge.settings import Settings
from marketplace.edge.tokens import claims_of

if TYPE_CHECKING:
    from marketplace.edge.problems import ProblemAnswer

INTERNAL_ERROR: Final = 500
LONGEST_FIELD: Final = 100  # characters of a field's name in a problem: the caller may have made it up
_CALLER: Final = "caller"
_MADE: Final = frozenset({201, 202})
_TRANSACTION: Final = re.compile(r"transaction-[0-9a-z]{26}")


class Api(APIGatewayHttpResolver):
    """The routes of a function, and its Lambda handler.

    ``served`` has the function of each (method, path), the path as API Gateway writes it: ``/merchants/{merchant_id}``.
    """

    def __init__(self, settings: Settings, invocation: Invocation, *, largest_body: int = LARGEST_BODY_BYTES) -> None:
        super().__init__(
            enable_validation=True,
            # A wrong answer of ours is a fault of ours; without this Powertools would blame the request.
            response_validation_error_http_code=INTERNAL_ERROR,
            json_body_deserializer=parse_object,
        )
        self._claim_names = (str(settings.role_claim), str(settings.merchant_claim))
        self._claims_of = claims_of(settings)
        self._invocation = invocation
        self._largest_body = largest_body
        self.served: dict[tuple[str, str], Callable[..., Any]] = {}
        self._log = logger()
        self.exception_handler(Exception)(self._refuse)
        self.not_found(self._refuse_route)

    @override
    def route(self, rule: str, method: str | list[str] | tuple[str], *args: Any, **kwargs: Any) -> Callable[..., Any]:
        register = super().route(rule, method, *args, **kwargs)
        path = rule.replace("<", "{").replace(">", "}")

        methods = [method] if isinstance(method, str) else method
        unlisted = [f"{each} {path}" for each in methods if (each, path) not in ACCESS and (each, path) not in OPEN]
        if unlisted:
            raise LookupError(f"{', '.join(unlisted)}: who may call it is not in marketplace.edge.access")

        def remember(function: Callable[..., Any]) -> Callable[..., Any]:
            self.served |= {(each, path): function for each in methods}
            return register(function)

        return remember

    @property
    def own_url(self) -> str:
        """Where the request reached the API, as API Gateway says, not as a header does."""
        context = self.current_event.raw_event["requestContext"]
        stage = context["stage"]
        return f"https://{context['domainName']}" + ("" if stage == "$default" else f"/{stage}")

    @override
    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer an event. Each gets a log line with its route and status, and none of its contents."""
        self._invocation.begin(context)
        self._log.set_correlation_id(_request_id(event))
        try:
            self.context[_CALLER] = self._caller(event)
            require_json(event, self._largest_body)
            answer = super().resolve(event, context)
        except (NotAuthenticated, NotAllowed, Unavailable, UnreadableBody) as error:
            refused = self._problem(error, event)
            answer = {
                "statusCode": refused.problem.status.value,
                "headers": dict(refused.headers),
                "body": refused.body,
            }
        answer["headers"]["Cache-Control"] = "no-store"
        self._log.info(
            "answered",
            route=event.get("routeKey"),
            status=answer["statusCode"],
            transaction_id=_transaction_in(event, answer),
        )
        return answer

    def _caller(self, event: Mapping[str, Any]) -> Principal | None:
        """Who asks, before anything else is looked at; None where the route is open, or there is none.

        Raises:
            NotAuthenticated, NotAllowed, Unavailable.
        """
        asked = APIGatewayProxyEventV2(dict(event))
        for served, path in self.served:
            if served == asked.http_method and (served, path) not in OPEN and _matches(path, asked.path):
                role_claim, merchant_claim = self._claim_names
                claims = self._claims_of(event)
                caller = principal_of(claims, role_claim=role_claim, merchant_claim=merchant_claim)
                caller.require(*ACCESS[served, path])
                return caller
        return None

    def _refuse(self, error: Exception) -> Response[str]:
        if isinstance(error, RequestValidationError):
            error = _invalid(error)
        refused = self._problem(error, self.current_event.raw_event)
        return Response(refused.problem.status.value, body=refused.body, headers=refused.headers)

    def _refuse_route(self, _error: NotFoundError) -> Response[str]:
        asked = self.current_event.path
        allowed = tuple(sorted({method for method, path in self.served if _matches(path, asked)}))
        # Of a method that is served it is the path after all: Powertools takes no control characters for an id.
        is_other = bool(allowed) and self.current_event.http_method not in allowed
        return self._refuse(MethodNotAllowed(allowed) if is_other else RouteNotFound())

    def _problem(self, error: Exception, event: Mapping[str, Any]) -> "ProblemAnswer":
        from marketplace.edge.problems import answer_to  # noqa: PLC0415 - no cold start pays for the table of refusals

        refused = answer_to(error, request_id=_request_id(event))
        if refused.problem.status >= INTERNAL_ERROR:
            self._log.error("failed", problem=refused.problem.slug, **facts_of(error))
        else:
            self._log.info("refused", problem=refused.problem.slug)
        return refused


def caller_of(request: Request) -> Principal:
    """The caller of the request that is being answered, whose role may call its route."""
    caller: Principal = request.context[_CALLER]
    return caller


Caller = Annotated[Principal, Depends(caller_of)]


def _invalid(error: RequestValidationError) -> Exception:
    """The fields that Powertools found wrong, without what they held."""
    found = [(_field(each["loc"]), each) for each in error.errors()]
    if any(each["type"] == "missing" and field.lower() == HEADER.lower() for field, each in found):
        return IdempotencyKeyRequired()
    return InvalidRequest(tuple((field[:LONGEST_FIELD], each["msg"]) for field, each in found))


def _matches(path: str, asked: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), asked) is not None


def _field(place: Sequence[str | int]) -> str:
    """``line_items.0.quantity`` of ("body", "line_items", 0, "catalog", "quantity")."""
    return ".".join(str(part) for part in place[1:] if part not in {CATALOG, INLINE}) or str(place[0])


def _transaction_in(event: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
    """The transaction that a request is about, by its path, or that it made, by its answer."""
    made = answer.get("body") if answer["statusCode"] in _MADE else None
    found = _TRANSACTION.search(str(event.get("rawPath", ""))) or _TRANSACTION.search(made or "")
    return found[0] if found else None


def _request_id(event: Mapping[str, Any]) -> str:
    return str((event.get("requestContext") or {}).get("requestId", ""))
