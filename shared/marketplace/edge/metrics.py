"""Counts for CloudWatch, as lines of its embedded metric format. Standard library only.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
import os
import sys
import time
from collections.abc import Mapping

from marketplace.edge.telling import told


def count(counts: Mapping[str, int], *, reason: str | None = None, facts: Mapping[str, str] | None = None) -> None:
    """Add to the counts of this function.

    They are counted for the function, and once more for the ``reason``, which is from a short list: each value is a
    metric. A name that ends with ``_seconds`` is a time. ``facts`` stand in the line, where they
    may be told, and are counted by nobody.
    """
    service = {"service": os.environ.get("POWERTOOLS_SERVICE_NAME", "unknown")}
    dimensions = service if reason is None else {**service, "reason": reason}
    directive = {
        "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "marketplace"),
        "Dimensions": [list(service)] if reason is None else [list(service), list(dimensions)],
        "Metrics": [{"Name": name, "Unit": "Seconds" if name.endswith("_seconds") else "Count"} for name in counts],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    line = json.dumps({**told(facts or {}), **dimensions, **counts, "_aws": about}, separators=(",", ":"))
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
