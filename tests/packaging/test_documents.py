"""What the documents say can be typed, read and found."""

import os
import pathlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest
import yaml

import protocol_reference
from plane import __main__ as program
from plane import config
from plane.wire import documents, reading
from tests.packaging import charts

PAGES = (charts.ROOT / "README.md", *sorted((charts.ROOT / "docs").glob("*.md")))
WRITTEN = tuple(page for page in PAGES if page.name != "cli.md")  # that one is made from the commands themselves
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
KINDS = {one.__name__: one for one in documents.KINDS}


def blocks(page: pathlib.Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)


def commands(page: pathlib.Path) -> Iterator[list[str]]:
    """The words after `plane` of every command in the page's shell blocks and in its text."""
    shell = "\n".join(blocks(page, "sh")).replace("\\\n", " ")
    spoken = re.findall(r"`(plane [a-z][^`]*)`", page.read_text())
    for line in (*shell.splitlines(), *spoken):
        found = re.search(r"(?:^|\| *)plane ([a-z].*?)(?: [|<>] .*)?$", line)
        if found and "|" not in found[1].partition("`")[0]:
            yield shlex.split(found[1], comments=True)


def wrong(words: list[str]) -> str:
    """What of a command does not exist, or the empty string."""
    command: click.Command = program.main
    left = list(words)
    with click.Context(command) as ctx:
        while left and isinstance(command, click.Group) and not left[0].isupper():  # `try STEP` names no one step
            found = command.get_command(ctx, left[0])
            if found is None:
                return f"no command {left[0]}"
            command = found
            left.pop(0)
        known = {name for one in command.get_params(ctx) for name in (*one.opts, *one.secondary_opts)}
    return ", ".join(word for word in left if word.startswith("-") and len(word) > 1 and word.partition("=")[0] not in known)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_every_command_in_a_document_exists(page: pathlib.Path) -> None:
    assert {" ".join(words): wrong(words) for words in commands(page) if wrong(words)} == {}


def test_the_search_for_commands_finds_them() -> None:
    found = [" ".join(words) for page in WRITTEN for words in commands(page)]
    assert {"up", "app explain web", "db migrate --login plane"} <= set(found)
    assert wrong(["app", "explain", "--nonsense"]) == "--nonsense"


def test_every_command_that_the_program_names_exists() -> None:
    spoken = (each for file in (charts.ROOT / "plane").rglob("*.py") for each in re.findall(r"`plane ([a-z][^`\n|]*)`", file.read_text()))
    found = {each: wrong(shlex.split(each)) for each in spoken if not each.split()[-1].endswith("\\")}
    assert len(found) > 100
    assert {each: why for each, why in found.items() if why} == {}


@pytest.mark.parametrize("page", ["architecture.md", "development.md"])
def test_every_module_and_folder_that_is_named_exists(page: str) -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[\w.-]*)`", (charts.ROOT / "docs" / page).read_text())
    places = {one: [charts.ROOT / above / f"{one}{end}" for above in ("", "plane") for end in ("", ".py")] for one in named}
    assert [one for one, possible in places.items() if not any(place.exists() for place in possible)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: pathlib.Path) -> None:
    for file, heading in LINK.findall(page.read_text()):
        target = page.parent / file if file else page
        assert target.exists(), file
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def yaml_documents() -> list[dict[str, Any]]:
    text = "\n---\n".join(block for page in WRITTEN for block in blocks(page, "yaml"))
    return [one for one in yaml.safe_load_all(text) if one and one.get("apiVersion") == documents.API_VERSION]


@pytest.mark.parametrize("body", yaml_documents(), ids=lambda body: f"{body['kind']} {body['metadata']['name']}")
def test_every_document_in_a_document_is_one(body: dict[str, Any]) -> None:
    assert reading.convert(body, KINDS[body["kind"]]).metadata.name == body["metadata"]["name"]


def test_every_setting_is_described_with_its_default() -> None:
    text = (charts.ROOT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `((?:PLANE_|DATABASE_)[A-Z_]+)` \| (.*?) ?\|", text, re.MULTILINE))
    names = {"database_url": "DATABASE_URL", "migration_url": "PLANE_MIGRATION_URL"}
    settings = config.Settings()
    wanted = {names.get(name, f"PLANE_{name.upper()}"): getattr(settings, name) for name in settings.__struct_fields__}
    assert rows == {name: f"`{default}`" if default != "" else "" for name, default in wanted.items()}


def test_the_agents_messages_are_described_as_they_are() -> None:
    written = protocol_reference.PAGE.read_text()
    assert written == protocol_reference.page(written), "run: python tools/protocol_reference.py"


@pytest.mark.usefixtures("database")
def test_the_first_admin_is_made_as_described(database_url: str) -> None:
    assert "plane db admin > admin.token" in (charts.ROOT / "docs" / "operations.md").read_text()
    environment = os.environ | {"DATABASE_URL": database_url}
    command = [sys.executable, "-m", "plane", "db", "admin"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60, cwd=charts.ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("gp_user_")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_no_folder_of_whoever_wrote_it(page: pathlib.Path) -> None:
    assert re.findall(r"(?<![\w.])/(?:root|home|work|tmp)/\S+", page.read_text()) == []
