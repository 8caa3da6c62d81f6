"""The same packages whichever way the suite is installed."""

import re
import tomllib
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ASKED = [
    Requirement(text)
    for text in [
        *PROJECT["project"]["dependencies"],
        *PROJECT["project"]["optional-dependencies"]["dev"],
        *PROJECT["build-system"]["requires"],
    ]
]


def pins():
    """Versions in the lock by name; a package may be pinned twice, for different versions of Python."""
    found = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)(?:\[([^]]+)\])?==([^ ]+)", line):
            found.setdefault(canonicalize_name(match[1]), []).append(match[3])
    return found


def requires(name):
    """What an installed package asks for; nothing for one that is for another system."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.requires(name) or []
    return []


@pytest.mark.parametrize("requirement", ASKED, ids=str)
def test_the_lock_holds_what_the_project_asks_for(requirement):
    versions = pins().get(canonicalize_name(requirement.name), [])
    assert versions, f"{requirement.name} is not in the lock; run make lock"
    assert all(version in requirement.specifier for version in versions)


def test_every_pin_has_a_hash_and_names_no_host():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(blocks) > 100
    assert [block.split("\n")[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "://" not in text


def test_what_is_held_back_is_pinned_with_the_extras_that_others_ask_for():
    """Or pip, told to check hashes, takes the newest one for `jsonschema[format-nongpl]` and stops."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    held = [one for one in ASKED if any(part.operator in ("<", "<=", "!=", "==") for part in one.specifier)]
    assert held
    for one in held:
        extras = {
            extra
            for name in pins()
            for asked in requires(name)
            if (needed := Requirement(asked)).name == one.name
            and (not needed.marker or needed.marker.evaluate({"extra": ""}))
            for extra in needed.extras
        }
        assert f"\n{one.name}[{','.join(sorted(extras))}]==" in lock or not extras


def test_the_conda_environment_installs_the_lock_and_nothing_else():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *programs, packages = environment["dependencies"]
    assert packages == {"pip": ["--require-hashes", "-r requirements.lock"]}
    assert {program.split("=")[0] for program in programs} == {"python", "make", "git", "pip"}
    [python] = [program.split("=")[1] for program in programs if program.startswith("python=")]
    assert f"{python}.0" in SpecifierSet(PROJECT["project"]["requires-python"])


def test_the_makefile_checks_the_versions_of_python_that_the_project_asks_for():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    low, high = re.search(r"\((3, \d+)\) <= sys.version_info\[:2\] <= \((3, \d+)\)", makefile).groups()
    allowed = SpecifierSet(PROJECT["project"]["requires-python"])
    versions = [f"3.{minor}.0" for minor in range(int(low.split()[1]), int(high.split()[1]) + 1)]
    assert all(version in allowed for version in versions)
    assert f"3.{int(high.split()[1]) + 1}.0" not in allowed


def test_make_lists_every_verb():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.findall(r"^\.PHONY: (\w+)", makefile, flags=re.MULTILINE)
    assert {"help", "report", "plan", "test", "lab", "data", "lock", "clean"} <= set(verbs)
    for verb in verbs:
        assert re.search(rf"^{verb}:.*## \w+", makefile, flags=re.MULTILINE), f"{verb} has no sentence"
