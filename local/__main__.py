"""`make run`: a local cloud in the foreground, until Ctrl-C."""

import os
import sys
import time
from typing import Final, Never

from local.cloud import CannotRun, Ports, Stack, StripeAccount, own_account, running_cloud
from local.cloud.places import LOCAL, STACK_FILE
from local.cloud.ports import is_listening
from local.cloud.processes import stop_in_order
from marketplace.domain.events import THIN_EVENTS

FOLDER: Final = LOCAL / "run"
WATCH_SECONDS: Final = 1.0


def main() -> int:
    """Run until told to stop. The exit code is 1 when it could not start, or went down by itself."""
    stop_in_order()
    try:
        ports, account = Ports.of(os.environ), own_account(os.environ)
        print("Starting the local cloud ...", flush=True)
        with running_cloud(FOLDER, ports, account) as stack:
            _serve(stack, ports, account)
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except CannotRun as problem:
        print(problem, file=sys.stderr)
        return 1


def _serve(stack: Stack, ports: Ports, account: StripeAccount | None) -> Never:
    """Tell what is where, and wait. Raises CannotRun when a part goes down."""
    stack.save()
    try:
        print(_greeting(stack) + (_how_webhooks_come(stack, account) if account else ""), flush=True)
        while is_listening(ports.aws) and (account or is_listening(ports.stripe)):
            time.sleep(WATCH_SECONDS)
    finally:
        STACK_FILE.unlink(missing_ok=True)
    raise CannotRun(f"A part went down; the logs are in {FOLDER}.")


def _greeting(stack: Stack) -> str:
    stripe = "Stripe simulator" if stack.stripe_key else "Stripe (test mode)"
    return f"""
The marketplace is running; Ctrl-C stops it, and forgets all that is in it.

  API               {stack.api}
  {stripe:<17} {stack.stripe}
  AWS (MiniStack)   {stack.aws_endpoint}
  for scripts       {STACK_FILE.relative_to(LOCAL.parent)}
  logs              {FOLDER.relative_to(LOCAL.parent)}

In another terminal:

  make demo
  curl {stack.api}/health
  curl {stack.api}/merchants -H "Authorization: Bearer $(.venv/bin/python -m local.token operator)"
"""


def _how_webhooks_come(stack: Stack, account: StripeAccount) -> str:
    unsigned = """
Until its secret is known here its events are refused: `stripe listen --print-secret` shows it. Stop, and start again
with it in STRIPE_WEBHOOK_SECRET.
"""
    return f"""
Stripe's command line tool brings its events:

  stripe listen --forward-to {stack.api}/webhooks/stripe/account \\
    --forward-connect-to {stack.api}/webhooks/stripe/connect \\
    --thin-events {",".join(THIN_EVENTS)} \\
    --forward-thin-to {stack.api}/webhooks/stripe/connect
{"" if account.listen_secret else unsigned}"""


if __name__ == "__main__":
    sys.exit(main())
