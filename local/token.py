"""Prints an ID token for the running local cloud: `python -m local.token operator`, `... merchant MERCHANT_ID`."""

import argparse
import sys

from local.cloud import CannotRun, Stack


def main() -> int:
    """Exit code 1 when no local cloud is running."""
    parser = argparse.ArgumentParser(prog="python -m local.token", description="Print an ID token.")
    parser.add_argument("role", choices=["operator", "merchant", "buyer"])
    parser.add_argument("merchant_id", nargs="?", help="whose user the token's merchant is")
    asked = parser.parse_args()
    try:
        stack = Stack.running()
    except CannotRun as problem:
        print(problem, file=sys.stderr)
        return 1
    print(stack.merchant_token(asked.merchant_id) if asked.merchant_id else stack.tokens[asked.role])
    return 0


if __name__ == "__main__":
    sys.exit(main())
