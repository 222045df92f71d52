"""How the laboratory's page is drawn. It only looks: it uses up no id and no fault, and is in no log."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from .accounts import ACCOUNTS
from .context import Context
from .events import EVENTS, THIN_EVENTS
from .faults.orders import DELIVERY, REQUEST, Effect, kind_of
from .funds.balance_view import balance
from .laboratory_parts import amount, code, items, link, moment, options, table, words
from .money import amount_text
from .pages import Markup, alert, fill, joined, page
from .routing import Html
from .simulator import Simulator
from .state import State
from .values import Object

UNITS: Final = {"minutes": 60, "hours": 3_600, "days": 24 * 3_600}
MORE_OF_FAULTS: Final[Mapping[str, str]] = {
    "method": "Only this method",
    "account": "Only this account",
    "skip": "How many go well before",
    "probability": "Probability (0 to 1)",
    "seed": "Seed of chance",
    "status": "Status of the answer",
    "type": "Type of the error",
    "code": "Its code",
    "decline_code": "Its decline code",
    "param": "Its parameter",
    "message": "Its message",
    "done": "Is the work done? (true or false)",
    "copies": "Copies of a delivery",
}
"""Fields of the fault form beyond those that most orders need, and their labels."""
_ACCOUNTS_SHOWN: Final = 20
_ROWS_SHOWN: Final = 12
_EVENT_COLLECTIONS: Final = (EVENTS.name, THIN_EVENTS.name)

_CLOCK: Final = """
<section><h2>Clock</h2>
<p><strong><time datetime="{machine}">{shown}</time></strong> UTC. {manner}</p>
<form class="row" method="post" action="/_simulator/page/clock">
<div><label for="amount">Move it by</label>
<input id="amount" name="amount" type="number" min="1" value="1" required></div>
<div><label for="unit">Unit</label><select id="unit" name="unit">{units}</select></div>
<button>Move the clock</button>
</form>
<form class="row" method="post" action="/_simulator/page/clock">
<div><label for="until">Move it to (UTC)</label>
<input id="until" name="until" type="datetime-local" step="1" min="{local}" value="{local}" required></div>
<button>Move it there</button>
</form></section>
"""
_FIND: Final = """
<section><h2>Objects</h2>
<form class="row" method="get" action="/_simulator/objects">
<div><label for="id">Find by id</label><input id="id" name="id" placeholder="ch_..." required></div>
<button>Show it</button>
</form>
<form class="row" method="get" action="/_simulator/objects">
<div><label for="collection">All of a kind</label><select id="collection" name="collection">{collections}</select></div>
<button class="quiet">List them</button>
</form></section>
"""

_SNAPSHOTS: Final = """
<section><h2>Snapshots</h2>
{kept}
<form class="row" method="post" action="/_simulator/page/snapshots">
<div><label for="name">Save this state as</label>
<input id="name" name="name" pattern="[\\w.\\-]{{1,100}}" required></div>
<button>Save</button>
</form>
<form class="row" method="post" action="/_simulator/page/reset"><button class="quiet">Start again</button></form>
</section>
"""
_SNAPSHOT: Final = """
<li><form class="row" method="post" action="/_simulator/page/snapshots/{name}">
<span><code>{name}</code><br>{objects} objects, {at}</span>
<button class="small quiet" name="action" value="load" aria-label="Load {name}">Load</button>
<button class="small quiet" name="action" value="delete" aria-label="Delete {name}">Delete</button></form></li>
"""
_FAULTS: Final = """
<section><h2>Faults</h2>
{ordered}
<form method="post" action="/_simulator/page/faults">
<label for="effect">What goes wrong</label>
<select id="effect" name="effect"><optgroup label="Requests">{requests}</optgroup>
<optgroup label="Deliveries of events">{deliveries}</optgroup></select>
<div class="pair">
<div><label for="path">Requests to</label><input id="path" name="path" value="/v1/*"></div>
<div><label for="event_type">Events of type</label><input id="event_type" name="event_type" value="*"></div>
<div><label for="count">How often</label>
<input id="count" name="count" type="number" min="1" value="1"></div>
<div><label for="seconds">Seconds</label>
<input id="seconds" name="seconds" type="number" min="0"></div>
</div>
<details><summary>More</summary>
<p class="soft">What the chosen fault has no use for is left out.</p>
<div class="pair">{more}</div>
</details>
<button>Order it</button>
</form></section>
"""
_FAULT_FIELD: Final = '<div><label for="{name}">{label}</label><input id="{name}" name="{name}"></div>'
_FAULT: Final = """
<li><form class="row" method="post" action="/_simulator/page/faults/{id}/cancel">
<span>{effect} <code>{what}</code><br>met {met} of {count}</span>
<button class="small quiet" aria-label="Take back {effect} {what}">Take back</button></form></li>
"""


def draw(simulator: Simulator, problem: str, status: int) -> Html:
    """The whole page, with what went wrong with the last form."""
    left = joined([_clock(simulator), _snapshots(simulator)])
    left = joined([left, _find(simulator)])
    top = fill('<div class="sides"><div>{left}</div><div>{right}</div></div>', left=left, right=_faults(simulator))
    tables = (_accounts, _objects, _events, _deliveries, _requests)
    parts = [alert(problem), top, *(table(simulator) for table in tables)]
    return page("Stripe simulator", joined(parts), heading="Laboratory", status=status, wide=True)


def _clock(simulator: Simulator) -> Markup:
    clock = simulator.clock
    manner = "It stands until it is moved." if clock.is_standing else "It runs."
    units = options((unit, unit) for unit in ("hours", *(each for each in UNITS if each != "hours")))
    shown = moment(clock.now())
    local = shown.replace(" ", "T")
    return fill(_CLOCK, machine=clock.timestamp(), shown=shown, local=local, manner=manner, units=units)


def _find(simulator: Simulator) -> Markup:
    names = sorted(name for name in simulator.store.collections if name[0] != "_")
    return fill(_FIND, collections=options((name, words(name)) for name in names))


def _snapshots(simulator: Simulator) -> Markup:
    saved = simulator.snapshots.saved()
    return fill(
        _SNAPSHOTS, kept=items(fill(_SNAPSHOT, **each, at=each["clock"][:19].replace("T", " ")) for each in saved)
    )


def _faults(simulator: Simulator) -> Markup:
    ordered = items(_fault(each) for each in simulator.faults.ordered()[:_ROWS_SHOWN])
    requests, deliveries = (
        options((each.value, words(each)) for each in Effect if kind_of(each) == kind) for kind in (REQUEST, DELIVERY)
    )
    more = joined(fill(_FAULT_FIELD, name=name, label=label) for name, label in MORE_OF_FAULTS.items())
    return fill(_FAULTS, ordered=ordered, requests=requests, deliveries=deliveries, more=more)


def _fault(order: Object) -> Markup:
    what = order["event_type"] if order["kind"] == DELIVERY else f"{order['method'] or ''} {order['path']}".strip()
    count = order["count"] or "any number"
    return fill(_FAULT, id=order["id"], effect=words(order["effect"]), what=what, met=order["met"], count=count)


def _accounts(simulator: Simulator) -> Markup:
    with simulator.store.transaction() as transaction:
        world = simulator.world
        platform = Context(world, State(transaction, world.platform), {}, "", world.settings.api_version)
        connected = list(islice(platform.state.select(ACCOUNTS), _ACCOUNTS_SHOWN))
        rows = [_account(platform, "The platform", world.settings.default_currency)]
        for each in connected:
            name = each.get("_record", {}).get("display_name") or ""
            currency = each.get("default_currency") or world.settings.default_currency
            rows.append(_account(platform.on(each["id"]), name, currency))
    return table("Accounts", ("Name", "Account", "Available", "Pending"), rows, amounts=(2, 3))


def _account(context: Context, name: str, currency: str) -> Sequence[object]:
    found = balance(context, default_currency=currency)
    sums = [
        ", ".join(amount_text(each["amount"], each["currency"]) for each in found[n]) for n in ("available", "pending")
    ]
    return (name, link(context.account), *sums)


def _objects(simulator: Simulator) -> Markup:
    newest = simulator.store.newest(_ROWS_SHOWN, lambda name: name[0] != "_" and name not in _EVENT_COLLECTIONS)
    rows = [
        (
            moment(row.position[0]),
            row.collection,
            link(row.object_id),
            link(row.account),
            words(str(row.item.get("status") or "")),
            amount(row.item),
        )
        for row in newest
    ]
    return table("Newest objects", ("Created", "Object", "Id", "On account", "Status", "Amount"), rows, amounts=(5,))


def _events(simulator: Simulator) -> Markup:
    newest = simulator.store.newest(_ROWS_SHOWN, lambda name: name in _EVENT_COLLECTIONS)
    rows = [(moment(row.position[0]), row.item["type"], link(row.object_id), link(row.account)) for row in newest]
    return table("Newest events", ("Created", "Type", "Id", "On account"), rows)


def _deliveries(simulator: Simulator) -> Markup:
    rows = [
        (
            each["event_type"],
            link(each["event"]),
            words(each["status"]),
            len(each["attempts"]),
            _last(each),
            _fault_of(each),
        )
        for each in simulator.delivery_log(_ROWS_SHOWN)
    ]
    return table("Newest deliveries", ("Event", "Id", "Status", "Attempts", "Last answer", "Fault"), rows)


def _last(delivery: Object) -> str:
    if not delivery["attempts"]:
        return ""
    last = delivery["attempts"][-1]
    return str(last["status"] or last["error"])


def _fault_of(entry: Object) -> str:
    return words(entry.get("effect") or "")


def _requests(simulator: Simulator) -> Markup:
    rows = [
        (
            moment(each["at"]),
            each["method"],
            code(each["path"]),
            each["status"] or words(each["outcome"]),
            link(each["object_id"] or ""),
            each["fault"] or "",
        )
        for each in simulator.log.newest(_ROWS_SHOWN)
    ]
    return table("Newest requests", ("At", "Method", "Path", "Answer", "Object", "Fault"), rows)
