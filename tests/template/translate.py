"""Prints the template as CloudFormation gets it after the SAM transform, as JSON. Runs where the translator is."""

import json
import sys
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-not-found]  # in another environment
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]  # as above


class NoManagedPolicies:
    def load(self) -> dict[str, str]:
        return {}


def packaged(template: dict[str, Any]) -> dict[str, Any]:
    """With addresses of code that look uploaded, which the translator insists on."""
    for resource in template["Resources"].values():
        for name in {"CodeUri", "ContentUri"} & set(resource.get("Properties", {})):
            resource["Properties"][name] = "s3://bucket/key"
    return template


if __name__ == "__main__":
    template = packaged(yaml_parse(Path(sys.argv[1]).read_text()))
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    json.dump(transform(template, defaults, NoManagedPolicies()), sys.stdout)
