"""Whether the API answers."""

import json
import sys
from typing import Any


def handler(_event: object, _context: object) -> dict[str, Any]:
    """Answer, without asking anything else: what this proves is that requests reach code."""
    sys.stdout.write('{"message":"answered","route":"GET /health","status":200}\n')
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps({"status": "ok"})}
