"""What the pages for operators say of the commands, the rights and the stack is so."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from cli.__main__ import _parser
from local.cloud.places import PROJECT

DOCS = PROJECT / "docs"
PAGES = [
    PROJECT / "README.md",
    *(DOCS / f"{name}.md" for name in ("operations", "going-live", "runbooks", "errors", "stripe-keys")),
]
LINKED = [PROJECT / "README.md", PROJECT / "local" / "stripe_simulator" / "README.md", *sorted(DOCS.rglob("*.md"))]
GROUPS = [["dead-letters"], ["commands"], ["webhooks"]]
COMMAND = re.compile(r"bin/marketplace ([^`#\n|;&]+)")


def commands() -> list[tuple[str, str]]:
    return [(page.name, found.strip()) for page in PAGES for found in COMMAND.findall(page.read_text())]


@pytest.mark.parametrize(("page", "command"), commands(), ids=" ".join)
def test_every_command_that_is_written_down_is_one(page: str, command: str) -> None:
    words = shlex.split(command.rstrip(".,"))
    if words not in GROUPS:
        _parser().parse_args(words)  # ends the process where it is none


def test_every_output_of_the_stack_that_is_named_is_there() -> None:
    class IntrinsicsAsNone(yaml.SafeLoader):
        pass

    IntrinsicsAsNone.add_multi_constructor("!", lambda _loader, _tag, _node: None)
    outputs = yaml.load((PROJECT / "template.yaml").read_text(), IntrinsicsAsNone)["Outputs"]
    named = {name for page in PAGES for name in re.findall(r"\$\(output (\w+)\)", page.read_text())}
    assert named
    assert named <= outputs.keys()


def anchors(page: Path) -> set[str]:
    """What a link can lead to within a page: its headings as GitHub names them, and what it names itself."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    named = re.findall(r'<a id="([^"]+)"', page.read_text())
    return {*named, *(re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings)}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.stem)
def test_links_between_the_pages_lead_somewhere(page: Path) -> None:
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)]+))?\)", page.read_text()):
        there = page.parent / path if path else page
        assert there.exists(), path
        assert not anchor or anchor in anchors(there), f"{path}#{anchor}"
