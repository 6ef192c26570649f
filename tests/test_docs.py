"""The documentation says what the code does: generated parts, names, links, commands, messages, words."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

import indexer
from explorer.api import operations, v1
from indexer import errors
from indexer.store.schema import CHAIN_DERIVED, COLLECTIONS
from tests import generated_docs
from tests.generated_docs import DOCS, PART, PARTS, ROOT
from tests.mutants.test_money_rules import ADDRESSES, COINBASES, SUPPLY

PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
RENEW = "renew with: python -m tests.generated_docs"
SOURCES = sorted(p for top in ("indexer", "explorer", "cython_ext") for p in (ROOT / top).rglob("*.py*"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


@cache
def read(page: Path) -> str:
    """The text of a page."""
    return page.read_text()


def doc(name: str) -> str:
    """The text of a page of ``docs``."""
    return read(DOCS / name)


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^( *)```.*?^\1```", "", text, flags=re.DOTALL | re.MULTILINE)


def code_blocks(text: str) -> str:
    """The blocks of code of a page."""
    return "\n".join(m[2] for m in re.finditer(r"^( *)```\w*\n(.*?)^\1```", text, re.DOTALL | re.MULTILINE))


def spans(text: str) -> list[str]:
    """What stands in code type in the prose of a page."""
    return re.findall(r"`([^`\n]+)`", prose(text))


def table_rows(text: str) -> Iterator[list[str]]:
    """The rows of all tables, without their heads."""
    lines = text.splitlines()
    for above, line in zip(lines, lines[1:], strict=False):
        if line.startswith("|") and not set(line) <= set("|- ") and above.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


# --- generated parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda p: p.name)
def test_generated_parts_are_what_the_code_says(page: Path) -> None:
    assert read(page) == generated_docs.renewed(read(page)), f"{page.name} is outdated; {RENEW}"


def test_every_generated_part_stands_once() -> None:
    found = [match["name"] for page in DOCS.glob("*.md") for match in PART.finditer(read(page))]
    assert sorted(found) == sorted(PARTS)
    assert sum(read(page).count("<!-- generated:") for page in PAGES) == len(PARTS)


def test_renewing_changes_nothing_but_the_parts() -> None:
    text = "a\n<!-- generated: settings -->\nwhat it was\n<!-- end -->\nb\n"
    new = generated_docs.renewed(text)
    assert new.startswith("a\n<!-- generated: settings -->\n")
    assert new.endswith("\n<!-- end -->\nb\n")
    assert "what it was" not in new
    assert "`daemon.url`" in new
    assert generated_docs.renewed(new) == new


# --- schema -------------------------------------------------------------------------------------------------


def test_every_collection_has_its_section_in_order() -> None:
    assert re.findall(r"^### (\w+)$", doc("schema.md"), re.MULTILINE) == [c.name for c in COLLECTIONS]


def test_every_type_of_the_schema_is_in_its_grammar() -> None:
    grammar = doc("schema.md").split("## Grammar of types")[1].split("\n## ")[0]
    defined = {span for row in table_rows(grammar) for span in re.findall(r"`(\w+)`", row[0])}
    used = {re.match(r"\w+", field.type)[0] for c in COLLECTIONS for field in c.fields}  # type: ignore[index]
    assert used - defined == set()


def test_sizes_on_disk_are_given_for_every_collection_of_the_chain() -> None:
    sizes = doc("schema.md").split("in bytes per row on disk")[1]
    assert [row[0].strip("`") for row in table_rows(sizes)] == [c.name for c in CHAIN_DERIVED]


# --- operations ---------------------------------------------------------------------------------------------


@cache
def texts_of_the_source() -> str:
    """Every text in the source, fields of messages as "…", one a line."""
    found = []
    for path in SOURCES:
        if path.suffix == ".py":
            tree = ast.parse(path.read_text())
            found += [_text(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.Constant)]
    return "\n".join(found)


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    return str(node.value) if isinstance(node, ast.Constant) else "…"


def error_rows() -> list[list[str]]:
    """The rows of the table of messages."""
    part = doc("operations.md").split("## When something is wrong")[1].split("\n## ")[0]
    return list(table_rows(part))


def test_every_error_is_in_the_table_of_messages() -> None:
    part = doc("operations.md").split("## When something is wrong")[1].split("\n## ")[0]
    named = {span for span in spans(part) if isinstance(getattr(errors, span, None), type)}
    classes = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert named == classes - {"annotations"}


@pytest.mark.parametrize("message", [row[0] for row in error_rows() if row[0].startswith("`")])
def test_every_message_is_one_of_ours(message: str) -> None:
    text = message.strip("`")
    assert text in texts_of_the_source() or _loosely(text, texts_of_the_source())


def _loosely(text: str, source: str) -> bool:
    """Whether a message is there, a "…" standing for anything in its line."""
    pattern = "[^\n]*".join(map(re.escape, text.split("…")))
    return re.search(pattern, source) is not None


def variables_of_the_source() -> set[str]:
    """Every variable of the environment that source, build or tests read, sections of the settings aside."""
    files = [*SOURCES, ROOT / "setup.py", ROOT / "tests" / "conftest.py"]
    found = {v for f in files if f.suffix == ".py" for v in re.findall(r"\"(FLUX_[A-Z_]+)\"", f.read_text())}
    return {v for v in found if v not in generated_docs.settings_part()}


def test_every_variable_is_documented() -> None:
    documented = set(re.findall(r"^\| `(FLUX_[A-Z_]+)`", doc("operations.md"), re.MULTILINE))
    assert documented == variables_of_the_source()


def test_every_sample_is_one_that_metrics_gives() -> None:
    modules = ("api/operations.py", "metrics.py", "counts.py", "parallel/gauges.py", "queries/gauges.py")
    source = "".join((ROOT / "explorer" / module).read_text() for module in modules)
    forms = ('"{}"', "'{}{{", "flux_explorer_{}")  # a gauge, one with labels, a count of requests
    samples = re.findall(r"`flux_explorer_(\w+)`", doc("operations.md"))
    assert len(samples) > 5
    assert [name for name in samples if not any(form.format(name) in source for form in forms)] == []


# --- API ----------------------------------------------------------------------------------------------------


def test_every_route_has_its_section() -> None:
    routes = [generated_docs.route_name(endpoint) for endpoint in v1.api.endpoints]
    routes += [f"GET {route.path}" for route in operations.routes() if isinstance(route, Route)]
    assert sorted(re.findall(r"^### (\w+ /.*)$", doc("api.md"), re.MULTILINE)) == sorted(routes)


def test_every_route_has_an_example() -> None:
    sections = re.split(r"^### ", doc("api.md"), flags=re.MULTILINE)[1:]
    assert [section.splitlines()[0] for section in sections if "curl " not in section] == []


def test_every_page_says_what_it_is() -> None:
    assert [row[0] for row in table_rows(generated_docs.pages_part()) if not row[1]] == []


def test_the_codes_of_errors_are_those_of_the_explorer() -> None:
    from explorer import app
    from explorer import errors as explorer_errors

    given = {
        (str(kind.status), kind.code)
        for kind in vars(explorer_errors).values()
        if isinstance(kind, type) and issubclass(kind, explorer_errors.ExplorerError) and "code" in vars(kind)
    }
    given |= {(str(status), code) for status, code in app.CODES.items()}
    part = doc("api.md").split("## Errors")[1].split("\n## ")[0]
    assert {(row[0], row[1].strip("`")) for row in table_rows(part)} == given


# --- glossary -----------------------------------------------------------------------------------------------


def words() -> list[str]:
    """The words of the glossary."""
    return re.findall(r"^\| \*\*(.+?)\*\* \|", doc("glossary.md"), re.MULTILINE)


def test_words_are_in_order_and_stand_once() -> None:
    assert len(words()) > 50
    assert words() == sorted(words(), key=str.casefold)
    assert len({word.casefold() for word in words()}) == len(words())


def test_every_word_is_used() -> None:
    used = "\n".join(read(page) for page in PAGES if page.name != "glossary.md")
    used = (used + "\n".join(path.read_text() for path in SOURCES)).casefold().replace("_", " ")
    assert [word for word in words() if not re.search(rf"\b{re.escape(word.casefold())}", used)] == []


# --- chain rules --------------------------------------------------------------------------------------------

FOLDERS = ("indexer.chain.", "indexer.", "")


def resolve(module: str, name: str = "") -> Any:
    """A module of the chain rules (a name, or a path below ``indexer``), or what it has under a name."""
    dotted = module.removesuffix(".py").replace("/", ".")
    for folder in FOLDERS:
        try:
            found: Any = importlib.import_module(folder + dotted)
        except ModuleNotFoundError:
            continue
        for part in filter(None, name.split(".")):
            found = getattr(found, part)
        return found
    raise LookupError(f"no module {module}")


def rule_rows() -> list[list[str]]:
    """The rows of the tables of rules."""
    return [row for row in table_rows(doc("chain-rules.md")) if len(row) == 4]


def test_there_are_rules() -> None:
    assert len(rule_rows()) > 40


@pytest.mark.parametrize("row", rule_rows(), ids=lambda row: row[0][:60])
def test_a_rule_names_code_that_exists(row: list[str]) -> None:
    module = ""
    for span in re.findall(r"`([^`]+)`", row[1]):
        for place in re.split(r"[;,]\s*", span):
            before, colon, after = place.partition(":")
            if colon:
                module, name = before, after
            elif module and not place.endswith(".py") and _has(module, place):
                name = place
            else:
                module, name = place, ""
            assert resolve(module, name) is not None


def _has(module: str, name: str) -> bool:
    try:
        resolve(module, name)
    except AttributeError:
        return False
    return True


@pytest.mark.parametrize("row", rule_rows(), ids=lambda row: row[0][:60])
def test_a_rule_names_tests_that_exist(row: list[str]) -> None:
    named = re.findall(r"([\w/]+\.py)|\b(test_\w+)|(mutants:)", row[3])
    assert named, "a rule without a test"
    source = ""
    for path, test, _ in named:
        if path:
            source = (ROOT / "tests" / path).read_text()
        elif test:
            assert f"def {test}(" in source


@pytest.mark.parametrize("row", [r for r in rule_rows() if "test_money_rules.py:" in r[3]], ids=lambda row: row[0][:60])
def test_a_rule_names_mutants_that_exist(row: list[str]) -> None:
    rules = [terms(str(mutant)) for mutant in (*COINBASES, *SUPPLY, *ADDRESSES)]
    (cases,) = re.findall(r"test_money_rules\.py: ([^;]+)", row[3])
    assert [case for case in cases.split(", ") if not any(terms(case) <= rule for rule in rules)] == []


def terms(text: str) -> set[str]:
    """The words of a text."""
    return set(re.split(r"[\s/()]+", text.casefold()))


def test_every_module_of_rules_has_a_rule() -> None:
    no_rules = {"__init__", "keys", "networks", "params_file", "ripemd160"}
    modules = {path.stem for path in (ROOT / "indexer" / "chain").glob("*.py")} - no_rules
    named = " ".join(row[1] for row in rule_rows())
    assert [module for module in sorted(modules) if not re.search(rf"\b{module}\b", named)] == []


# --- all pages ----------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", prose(read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", prose(read(page))):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page not in seen:
            seen.add(page)
            targets = re.findall(r"\]\(([^)#]+\.md)", read(page))
            todo += [(page.parent / target).resolve() for target in targets if "://" not in target]
    assert [page.name for page in PAGES if page not in seen] == []


@each_page
def test_paths_in_code_type_exist(page: Path) -> None:
    top = ("indexer/", "explorer/", "cython_ext/", "tests/", "bench/", "docs/")
    paths = [span for span in spans(read(page)) if span.startswith(top) and " " not in span]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@each_page
def test_dotted_names_in_code_type_exist(page: Path) -> None:
    for span in spans(read(page)):
        if re.fullmatch(r"(indexer|explorer)(\.\w+)+(\(\))?", span) and span not in _setting_keys():
            module, _, name = span.removesuffix("()").rpartition(".")
            assert _is_module(span) or hasattr(importlib.import_module(module), name), span


def _is_module(dotted: str) -> bool:
    path = ROOT / dotted.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


@cache
def _setting_keys() -> frozenset[str]:
    return frozenset(re.findall(r"^\| `([\w.]+)`", generated_docs.settings_part(), re.MULTILINE))


@each_page
def test_settings_in_code_type_exist(page: Path) -> None:
    sections = {key.partition(".")[0] for key in _setting_keys()} - {"indexer", "explorer"}
    named = [span for span in spans(read(page)) if re.fullmatch(rf"({'|'.join(sections)})\.[a-z_]+", span)]
    assert [name for name in named if name not in _setting_keys()] == []


@each_page
def test_commands_exist(page: Path) -> None:
    text = code_blocks(read(page)) + "\n".join(spans(read(page)))
    named = re.findall(r"flux-explorer(?: --config \S+)? ([a-z]+)\b", text)
    assert [name for name in named if name not in generated_docs.commands()] == []
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [target for target in re.findall(r"\bmake ([a-z-]+)\b", text) if target not in targets] == []


@each_page
def test_python_modules_that_are_run_exist(page: Path) -> None:
    for module in re.findall(r"python -m ((?:tests|bench|indexer)[\w.]*)", read(page)):
        assert _is_module(module), module


def test_readme_runs_with_two_commands_and_three_settings() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", read(ROOT / "README.md"), re.DOTALL)
    assert len(blocks[0].splitlines()) == 2
    variables = re.findall(r"^export (\w+)=", blocks[1], re.MULTILINE)
    assert len(variables) == 3
    assert [variable for variable in variables if variable not in generated_docs.settings_part()] == []


def test_readme_asks_for_the_python_and_mongodb_that_are_needed() -> None:
    from indexer.store.mongod import LIBRARY_PACKAGES
    from indexer.store.setup import MINIMUM_SERVER

    needed = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert needed is not None
    assert f"Python {needed[1]} or later" in read(ROOT / "README.md")
    assert f"Python {needed[1]} or later" in doc("operations.md")
    assert f"MongoDB {'.'.join(map(str, MINIMUM_SERVER))} or later" in doc("operations.md")
    for library in ("libcurl4", "libssl3", "liblzma5"):
        assert library in LIBRARY_PACKAGES.values()
        assert library in read(ROOT / "README.md")


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert versions[0] == indexer.__version__


def test_decisions_are_listed_in_order() -> None:
    folder = DOCS / "decisions"
    listed = re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", read(folder / "README.md"))
    assert listed == sorted(path.name for path in folder.glob("[0-9]*.md"))


@pytest.mark.parametrize("page", sorted((DOCS / "decisions").glob("[0-9]*.md")), ids=lambda p: p.name)
def test_a_decision_has_its_four_parts(page: Path) -> None:
    parts = re.findall(r"^\*\*(\w+)\.\*\*", read(page), re.MULTILINE)
    assert parts == ["Question", "Choice", "Why", "Cost"]


FORBIDDEN = r"/work\b|/home/|/root/|\.\./shared|pypi|crates\.io|TODO|FIXME|\bspec:|\b(?:gitlab|jenkins)\b"


@each_page
def test_pages_speak_of_the_project_only(page: Path) -> None:
    assert re.findall(FORBIDDEN, read(page), re.IGNORECASE) == []


@each_page
def test_lines_of_prose_are_short(page: Path) -> None:
    outside = prose(PART.sub("", read(page)))
    long = [line for line in outside.splitlines() if len(line) > 130 and not line.startswith("|") and "](" not in line]
    assert long == []
