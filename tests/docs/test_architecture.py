"""The page about the architecture says how the tree is: its rooms, its arrows, and the files on an item's way."""

import re
import tomllib

import pytest

PAGE = "docs/explanation/architecture.md"
HOUSE = "core/src/coursewire"
PIPELINE = f"{HOUSE}/pipeline"


@pytest.fixture(scope="module")
def page(pages):
    return pages[PAGE]


@pytest.fixture(scope="module")
def contracts(root):
    found = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return {each["name"]: each for each in found["tool"]["importlinter"]["contracts"]}


def section(text, heading):
    """The text below a heading, up to the next one of its level or above."""
    level = heading.split(" ")[0]
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"\n#{{1,{len(level)}}} ", after, maxsplit=1)[0]


def first_cells(text):
    """The names in code in the first cell of every row."""
    return [
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([^`]+)`", line.split("|")[1])
    ]


def arrows(text):
    (block,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    return [sorted(line.split(" : ")) for line in block.splitlines()]


def rooms(folder):
    """The packages and modules of a folder, by name."""
    found = {each.stem for each in folder.glob("*.py")}
    found |= {each.parent.name for each in folder.glob("*/__init__.py")}
    return {name for name in found if not name.startswith("_")}


def test_every_room_is_on_the_page_and_no_other(page, root):
    listed = first_cells(section(page, "## The house").split("###")[0])
    assert len(listed) == len(set(listed))
    assert set(listed) == rooms(root / HOUSE)
    of_pipeline = first_cells(section(page, "### The pipeline"))
    assert set(of_pipeline) == rooms(root / PIPELINE)


def test_the_arrows_are_those_that_the_checker_holds(page, contracts):
    house = contracts["Arrows point down"]["layers"]
    bare = [sorted(re.sub(r"^coursewire\.", "", name) for name in line.split(" : ")) for line in house]
    assert arrows(section(page, "### Arrows")) == bare
    pipeline = [sorted(line.split(" : ")) for line in contracts["The rooms of the pipeline"]["layers"]]
    assert arrows(section(page, "### The pipeline")) == pipeline


@pytest.mark.parametrize(
    "heading",
    [
        "### One content item, file by file",
        "### One completion, file by file",
        "## One place for each decision",
        "### A new kind of outcome",
    ],
)
def test_every_file_on_the_way_exists(page, root, heading):
    named = re.findall(r"`([\w/]+\.pyi?)`", section(page, heading))
    assert len(named) > 5
    beside = {"background.py": f"{PIPELINE}/runners/background.py"}
    missing = [
        name
        for name in named
        if not (root / name).is_file()
        and not (root / HOUSE / name).is_file()
        and not (root / beside.get(name, "-")).is_file()
    ]
    assert missing == []


def test_the_way_of_an_item_goes_down_and_comes_back_once(page):
    rows = [
        line.split("|")[1:3]
        for line in section(page, "### One content item, file by file").splitlines()
        if line.startswith("| ")
    ]
    numbered = [(int(number), file.strip()) for number, file in rows if number.strip().isdecimal()]
    assert [number for number, _file in numbered] == list(range(1, len(numbered) + 1))
    files = [file for _number, file in numbered]
    assert len(files) == len(set(files)), "a file is on the way twice"
