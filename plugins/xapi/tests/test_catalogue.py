"""The catalogue as files: from an installation, from a bundle; what is left out; what cannot be written."""

import json
import os
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import typer

from coursewire.cli import main
from coursewire.errors import NotExportableError
from coursewire.sources.sample import sample_bundle
from coursewire_xapi.catalogue import CatalogueExport, CatalogueFile

COURSE = "RiverU+BOAT101"
BLUE_FERRY = "eaaffd2c-1a7a-59f4-996c-54660ff708a4"
FIELDS = {
    "endpoint": "https://lrs.example.com",
    "key": "k",
    "secret": {"env": "NOT_SET"},
    "site_domain": "learn.example.org",
}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "a" / "new folder"


@pytest.fixture
def a_file(tmp_path):
    """A configuration file; no customer, so that it is for the whole bundle."""
    file = tmp_path / "xapi.json"
    file.write_text(json.dumps({"channel": "XAPI", **FIELDS}))
    return file


def keys_of(bundle):
    lines = (bundle / "content.jsonl").read_text().splitlines()
    return {row.get("key") or row.get("uuid") for row in map(json.loads, lines)}


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment that knows nothing of the developer's installation."""
    for name in list(os.environ):
        if name.startswith("COURSEWIRE_") and not name.startswith("COURSEWIRE_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COURSEWIRE_DATA_DIR", str(tmp_path / "home"))
    monkeypatch.setenv("COURSEWIRE_ALLOW_INSECURE_URLS", "1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(environment, capfd):
    """The command ``coursewire`` in this process: it gives the lines of stdout, and stderr."""

    def run(*arguments, status=0):
        capfd.readouterr()
        ended = main([str(each) for each in arguments])
        out, err = capfd.readouterr()
        assert ended == status, out + err
        return SimpleNamespace(out=out, err=err)

    return run


@pytest.fixture
def cmi5(command):
    """``coursewire xapi cmi5`` with these arguments; ``rows`` are the lines of JSON."""

    def run(*arguments, status=0):
        said = command("xapi", "cmi5", *arguments, status=status)
        said.rows = [json.loads(line) for line in said.out.splitlines()] if "--json" in arguments else []
        return said

    return run


class TestOfAnInstallation:
    @pytest.fixture
    def added(self, command, store, tmp_path):
        """The id of a configuration in an installation that has the sample bundle."""
        command("init")
        command("load", sample_bundle())
        file = tmp_path / "add.json"
        given = {"channel": "XAPI", "customer": BLUE_FERRY, "active": True, **store.sample_config()}
        file.write_text(json.dumps(given))
        return command("config", "add", "--file", file).out.strip()

    def test_every_item_of_the_catalogs_has_a_file_or_a_reason(self, cmi5, added, store, out):
        said = cmi5("--config", added, "--output", out, "--json", status=1)
        named = [row["key"] for row in said.rows]
        assert len(named) == len(set(named)) > 1
        assert sum("file" in row for row in said.rows) == len(list(out.iterdir())) > 1
        assert all("file" in row or row["reason"] for row in said.rows)
        assert set(named) <= keys_of(sample_bundle())
        assert not store.seen

    def test_one_structure_is_named_by_the_customer(self, cmi5, added, out):
        cmi5("--config", added[:8], "--output", out, "--whole", "--key", COURSE)
        root = ElementTree.parse(out / "cmi5.xml").getroot()
        assert f"/catalog/{BLUE_FERRY}" in root[0].get("id")

    def test_a_configuration_that_nobody_knows(self, cmi5, added, out):
        said = cmi5("--config", "ffff", "--output", out, status=2)
        assert "ffff" in said.err
        assert not out.exists()


class TestOfABundle:
    def test_without_a_customer_it_is_everything_in_the_bundle(self, cmi5, a_file, out):
        arguments = ("--config", a_file, "--bundle", sample_bundle(), "--output", out)
        rows = cmi5(*arguments, "--json", status=1).rows
        assert {row["key"] for row in rows} == keys_of(sample_bundle())
        cmi5(*arguments, "--whole", status=1)
        root = ElementTree.parse(out / "cmi5.xml").getroot()
        assert root[0].get("id").endswith("/catalog/all")

    def test_people_are_told_how_many(self, cmi5, a_file, out):
        arguments = ("--config", a_file, "--bundle", sample_bundle(), "--output", out)
        said = cmi5(*arguments, "--key", COURSE, "--key", "Nothing", status=1)
        assert said.out.startswith(f"1 file in {out}, with ")
        assert "Nothing: no catalog holds it" in said.err

    def test_what_cannot_be_written(self, cmi5, a_file, tmp_path):
        (tmp_path / "taken").write_text("")
        arguments = ("--config", a_file, "--bundle", sample_bundle(), "--output", tmp_path / "taken")
        said = cmi5(*arguments, status=2)
        assert "cannot be written" in said.err
        assert "--output DIR" in said.err

    def test_a_file_of_another_channel(self, cmi5, a_file, out):
        a_file.write_text(json.dumps({"channel": "SAP"}))
        arguments = ("--config", a_file, "--bundle", sample_bundle(), "--output", out)
        assert "the file is for channel SAP" in cmi5(*arguments, status=2).err


class TestOfAnyFormat:
    """With a mapping of its own."""

    @pytest.fixture
    def bundle(self, tmp_path):
        folder = tmp_path / "bundle"
        folder.mkdir()
        items = [{"content_type": "course", "key": key, "title": key} for key in ("A+1", "B/2", "C 3")]
        (folder / "content.jsonl").write_text("".join(json.dumps(each) + "\n" for each in items))
        customer = {"uuid": "11111111-1111-4111-8111-111111111111", "name": "Acme"}
        (folder / "customers.jsonl").write_text(json.dumps(customer))
        catalog = {
            "uuid": "22222222-2222-4222-8222-222222222222",
            "customer": customer["uuid"],
            "content_keys": ["A+1", "B/2", "Gone"],
        }
        (folder / "catalogs.jsonl").write_text(json.dumps(catalog))
        return SimpleNamespace(path=folder, customer=customer["uuid"])

    @staticmethod
    def titles(_config, item, _moment):
        if item.content_key == "A+1":
            raise NotExportableError("title", "it is not to be")
        return item.title

    @staticmethod
    def text(_config, key, parts):
        return CatalogueFile(f"{key}: {' '.join(parts)}".encode(), ".txt", {"lines": len(parts)})

    @pytest.mark.usefixtures("environment")
    def test_files_and_reasons(self, bundle, a_file, out):
        export = CatalogueExport(self.titles, self.text, out)
        with pytest.raises(typer.Exit) as ended:
            export.run(str(a_file), bundle.path, json=True)
        assert ended.value.exit_code == 1
        assert {path.name: path.read_text() for path in out.iterdir()} == {
            "B%2F2.txt": "B/2: B/2",
            "C%203.txt": "C 3: C 3",
        }
        assert list(export.left) == ["A+1"]
        assert "it is not to be" in export.left["A+1"]

    @pytest.mark.usefixtures("environment")
    def test_what_a_catalog_holds_and_nobody_has_is_named(self, bundle, a_file, out):
        a_file.write_text(json.dumps({"channel": "XAPI", "customer": bundle.customer, **FIELDS}))
        export = CatalogueExport(self.titles, self.text, out, together="all")
        with pytest.raises(typer.Exit):
            export.run(str(a_file), bundle.path, json=True)
        assert (out / "all.txt").read_text() == f"{bundle.customer}: B/2"
        assert set(export.left) == {"A+1", "Gone"}
        assert "the source does not have it" in export.left["Gone"]

    @pytest.mark.usefixtures("environment")
    def test_all_is_well(self, bundle, a_file, out, capfd):
        CatalogueExport(self.titles, self.text, out).run(str(a_file), bundle.path, ["C 3"])
        assert capfd.readouterr().out == f"1 file in {out}, with 1 line.\n"
