"""Hosted pages: HTML that works without scripts and other resources, and that holds no HTML of a visitor's.

``fill`` escapes whatever it puts into a template, unless that is ``Markup`` already.
"""

from collections.abc import Iterable, Mapping
from html import escape
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from .errors import InvalidParameterError
from .routing import Html, Redirect

_STYLE = """
:root{color-scheme:light;--ink:#1a1f36;--soft:#4f566b;--line:#c1c9d2;--accent:#4338ca;--bad:#a3113a;--good:#0b6b3a}
*{box-sizing:border-box}
body{margin:0;background:#f6f8fb;color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:34rem;margin:0 auto;padding:1.5rem 1rem 3rem}main.wide{max-width:76rem}
header{background:#fff3c4;color:#4a3a00;padding:.5rem 1rem;text-align:center;font-size:.875rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0 1rem;overflow-wrap:anywhere}h2{font-size:1.0625rem;margin:0 0 .5rem}
h2:not(:first-child){margin-top:1.5rem}
section,form{background:#fff;border:1px solid #e3e8ee;border-radius:.5rem;padding:1.25rem;margin:0 0 1rem}
form form,section form{border:0;padding:0;margin:0}
label{display:block;font-weight:600;margin:.75rem 0 .25rem}
input:not([type=radio]):not([type=checkbox]),select{
width:100%;font:inherit;padding:.55rem .7rem;border:1px solid var(--line);border-radius:.375rem;
background:#fff;color:var(--ink)}
fieldset{border:0;padding:0;margin:0}legend{font-weight:600;padding:0;margin:.75rem 0 .25rem}
.choice{display:flex;gap:.6rem;align-items:flex-start;font-weight:400;margin:.35rem 0}.choice input{margin-top:.35rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
button,.button{
display:inline-block;width:100%;margin-top:.75rem;padding:.7rem 1rem;font:inherit;font-weight:600;cursor:pointer;
text-align:center;text-decoration:none;border:1px solid var(--accent);
border-radius:.375rem;background:var(--accent);color:#fff}
button.quiet,.button.quiet{background:#fff;color:var(--ink);border-color:var(--line)}
button.small{
flex:none;white-space:nowrap;width:auto;margin:0;padding:.3rem .6rem;
font-size:.875rem;font-variant-numeric:tabular-nums}
:focus-visible{outline:3px solid #8b83f5;outline-offset:2px}
a{color:var(--accent)}p{margin:.25rem 0 .75rem}.soft{color:var(--soft);font-size:.9rem}
.bad,.good{border-left:4px solid;border-radius:.25rem;padding:.6rem .8rem;margin:0 0 1rem}
.bad{border-color:var(--bad);background:#fdecf1;color:var(--bad)}
.good{border-color:var(--good);background:#e8f6ee;color:var(--good)}
table{width:100%;border-collapse:collapse}
th,td{text-align:left;padding:.4rem 0;vertical-align:top;overflow-wrap:anywhere}
.amount{text-align:right;white-space:nowrap;padding-left:1rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
tfoot td,tfoot th{border-top:1px solid #e3e8ee;font-weight:700;padding-top:.6rem}
ul.plain{list-style:none;padding:0;margin:0}ul.plain li{display:flex;gap:.75rem;align-items:baseline;padding:.3rem 0}
.wide section>form{max-width:34rem}
.wide td,.wide th{padding:.35rem 1rem .35rem 0;white-space:nowrap;overflow-wrap:normal;font-size:.9rem}
.wide .amount{padding-left:0}.scroll{overflow-x:auto}.wide code{font-size:.8125rem}
.wide thead th{color:var(--soft);font-weight:600;border-bottom:1px solid #e3e8ee}
.row{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:flex-end;margin-top:.75rem}
.row>div{flex:1 1 9rem;min-width:0}.row>span{flex:1 1 11rem;min-width:0;overflow-wrap:anywhere}
.row label{margin-top:0}.row input,.row select{height:2.75rem}.row button{width:auto;flex:none;margin:0}
pre{margin:0;font-size:.8125rem}summary{cursor:pointer;font-weight:600;margin-top:.75rem}
li .row{width:100%;margin:0;align-items:center}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:0 1rem;align-items:start}.sides>*{min-width:0}
@media(max-width:56rem){.sides{grid-template-columns:1fr}}
@media(max-width:26rem){.pair{grid-template-columns:1fr;gap:0}
ul.plain li{flex-direction:column;gap:.15rem;padding:.45rem 0}}
"""
_DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>Test mode of the Stripe simulator. No money moves.</header>
<main{kind}>
<h1>{heading}</h1>
{body}
</main>
</body>
</html>
"""
_SAFE_IN_URLS = "%/:=&?~#+!$,;'@()*[]"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


CARD_FIELDS = Markup("""<label for="card">Card number</label>
<input id="card" name="card" inputmode="numeric" autocomplete="cc-number" placeholder="1234 1234 1234 1234">
<div class="pair">
<div><label for="expiry">Expiry, MM / YY</label>
<input id="expiry" name="expiry" inputmode="numeric" autocomplete="cc-exp" placeholder="MM / YY"></div>
<div><label for="cvc">Security code</label>
<input id="cvc" name="cvc" inputmode="numeric" autocomplete="cc-csc" placeholder="CVC"></div>
</div>""")


def fill(template: str, **values: object) -> Markup:
    """The template with each ``{name}`` in it, escaped for text and quoted attributes unless it is markup."""
    safe = {name: each if isinstance(each, Markup) else escape(str(each)) for name, each in values.items()}
    return Markup(template.format_map(safe))


def joined(parts: Iterable[Markup]) -> Markup:
    """Parts of a page, one after the other."""
    return Markup("\n".join(parts))


def page(
    title: str, body: Markup, *, heading: str | None = None, status: int = HTTPStatus.OK, wide: bool = False
) -> Html:
    """A whole page; a wide one is for tables."""
    kind = Markup(' class="wide"' if wide else "")
    document = fill(_DOCUMENT, title=title, style=Markup(_STYLE), kind=kind, heading=heading or title, body=body)
    return Html(document, int(status))


def notice(title: str, text: str, *, status: int = HTTPStatus.OK, link: tuple[str, str] | None = None) -> Html:
    """A page that says one thing; ``link`` is where to go on, and what the link says."""
    way_on = fill('<a class="button" href="{url}">{says}</a>', url=link[0], says=link[1]) if link else Markup()
    return page(title, fill("<section><p>{text}</p>{way_on}</section>", text=text, way_on=way_on), status=status)


def alert(text: str) -> Markup:
    """What went wrong, announced to screen readers too; nothing when there is no text."""
    return fill('<p class="bad" role="alert">{text}</p>', text=text) if text else Markup()


def leave_for(url: str) -> Redirect:
    """Send the visitor to the caller's own site."""
    return Redirect(quote(url, safe=_SAFE_IN_URLS))


def checked_link(url: str, param: str) -> str:
    """A URL that a page may lead to: of HTTP, and without what would end a header or a line.

    Raises:
        InvalidParameterError: it is none.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or any(each.isspace() or each < " " for each in url):
        raise InvalidParameterError("Not a valid URL", code="url_invalid", param=param)
    return url


def text_of(params: Mapping[str, object], name: str) -> str:
    """A field of a posted form; empty when it is absent or no text."""
    value = params.get(name, "")
    return value.strip() if isinstance(value, str) else ""
