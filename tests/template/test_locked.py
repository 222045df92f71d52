"""S14: what is installed is what was locked, and the static check covers all that is deployed."""

import re
import tomllib
from pathlib import Path

import pytest

from local.cloud.places import PROJECT

LOCKS = [PROJECT / "shared" / "requirements.txt", *sorted((PROJECT / "requirements").glob("*.txt"))]
SECURITY = "S"  # ruff's name for bandit's rules


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_package_is_locked_to_a_version_and_its_hashes(lock: Path) -> None:
    packages = re.split(r"\n(?=\S)", "\n" + lock.read_text().replace("\\\n", " "))
    packages = [each for each in packages if each.strip() and not each.startswith("#")]
    assert packages
    for package in packages:
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", package), package
        assert "--hash=sha256:" in package, package


def test_every_lock_is_made_of_what_is_asked_for() -> None:
    asked = {PROJECT / "shared" / "requirements.in", *(PROJECT / "requirements").glob("*.in")}
    assert {path.with_suffix(".txt") for path in asked} == set(LOCKS)
    named = re.findall(r"^LOCKED := (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)[0].split()
    assert {path.stem for path in (PROJECT / "requirements").glob("*.in")} - {"openapi"} == set(named)


def test_the_security_rules_are_on_for_all_that_is_deployed() -> None:
    lint = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert SECURITY in lint["select"]
    assert not [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)]
    for place, rules in lint["per-file-ignores"].items():
        if any(re.fullmatch(r"S\d*", rule) for rule in rules):
            assert place in {"tests/**", "bench/**", "local/**"}, place


def test_a_finding_is_let_pass_only_with_its_reason() -> None:
    for path in [*(PROJECT / "shared/marketplace").rglob("*.py"), *(PROJECT / "functions").rglob("*.py")]:
        for line in path.read_text().splitlines():
            if re.search(r"# noqa: .*\bS\d{3}", line):
                assert re.search(r"# noqa: [\w, ]+ - \w", line), f"{path}: {line}"
