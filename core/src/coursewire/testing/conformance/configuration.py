"""Configurations: every field is kept as it was given, checked in words, and secrets are write-only."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from coursewire.configurations.fields import FieldInfo, FieldKind, describe, in_words
from coursewire.errors import ConfigurationError
from coursewire.model.configuration import ChannelConfig
from coursewire.testing.conformance.checks import Fault, check, demand, demand_equal
from coursewire.testing.conformance.made_up import ACME
from coursewire.testing.conformance.needs import EVERY

if TYPE_CHECKING:
    from coursewire.testing.conformance.bench import Bench

CANARY = "canary-5d1f-planted"


class ConfigurationChecks:
    """Checks of the fields that operators fill in."""

    @check("every field survives being stored, edited, shown and read", EVERY)
    def test_every_field_survives(self, bench: Bench) -> None:
        """Generated from the model: no field is accepted and dropped.

        A ``mode="before"`` validator that answers with something else than it was given is fine; one
        that drops a field is not.
        """
        store, model = bench.installation.configurations, bench.channel.config
        uuid = store.add(bench.channel, ACME, bench.fields(), actor="conformance").uuid
        for info in describe(model):
            value = another_value(bench, info)
            if value is None:
                continue
            shown = store.edit(uuid, bench.channel, {info.name: value}, actor="conformance")
            if info.secret:
                demand(
                    info.name in shown.secrets_set,
                    f"the secret {info.name} was not kept",
                    seen=shown.secrets_set,
                )
                continue
            kept = json.loads(json.dumps(dict(store.get(uuid).fields)))
            demand(
                info.name in kept,
                f"the field {info.name} was taken and not kept",
                seen=sorted(kept),
                expected=info.name,
            )
            demand_equal(
                kept[info.name],
                json.loads(json.dumps(value)),
                f"the field {info.name} was kept as something else",
            )
            noted = store.history(uuid)[-1].changes
            demand(info.name in noted, f"the history does not tell that {info.name} changed", seen=noted)

    @check("a complete configuration reads back as it was given", EVERY)
    def test_a_complete_configuration_reads_back(self, bench: Bench) -> None:
        """Validated, stored, encrypted, read and validated again: the same."""
        uuid = bench.configure()
        read = bench.installation.configurations.load(uuid, bench.channel)
        # The sample may make keys of its own each time, so that what was stored is compared with itself.
        stored = dict(bench.installation.configurations.get(uuid).fields)
        plain = json.loads(read.model_dump_json(exclude=set(bench.channel.config.secret_fields())))
        for name, value in stored.items():
            again = TypeAdapter(Any).dump_python(value, mode="json")
            demand(
                plain[name] == again
                or str(plain[name]).rstrip("/") == str(again).rstrip("/")
                or isinstance(again, str),
                f"the field {name} reads back as something else",
                seen=plain[name],
                expected=again,
            )
        for name in bench.channel.config.secret_fields():
            secret = getattr(read, name)
            if name in bench.fields() and secret is not None:
                demand(secret.get_secret_value(), f"the secret {name} is gone")

    @check("a draft may be incomplete, and says what is missing", EVERY)
    def test_a_draft_says_what_is_missing(self, bench: Bench) -> None:
        """Each required field left out in turn: kept as a draft, not let loose."""
        store = bench.installation.configurations
        for info in describe(bench.channel.config):
            if not info.required:
                continue
            fields = {name: value for name, value in bench.fields().items() if name != info.name}
            uuid = store.add(bench.channel, ACME, fields, actor="conformance").uuid
            validity = store.validity(uuid, bench.channel)
            demand(
                info.name in validity.missing,
                f"nothing says that {info.name} is missing",
                seen=validity,
                expected=info.name,
            )
            try:
                store.activate(uuid, bench.channel, actor="conformance")
            except ConfigurationError as error:
                demand(info.name in str(error), f"the refusal does not name {info.name}", seen=str(error))
            else:
                raise Fault(f"a configuration without {info.name} became active", expected="a refusal")

    @check("a field that does not exist is refused by name", EVERY)
    def test_unknown_fields_are_refused(self, bench: Bench) -> None:
        """A misspelt field is not ignored."""
        try:
            bench.configure(no_such_field_exists="x")
        except ConfigurationError as error:
            demand(
                "no_such_field_exists" in str(error), "the refusal does not name the field", seen=str(error)
            )
            return
        raise Fault("a field that does not exist was taken", expected="a ConfigurationError that names it")

    @check("an address of the LMS is checked as one: https, public, without a password in it", EVERY)
    def test_addresses_are_checked(self, bench: Bench) -> None:
        """Each field whose sample value is the simulator's address.

        Give every field that holds an address the type ``LmsUrl``.
        """
        sample, model = bench.fields(), bench.channel.config
        types = {info.name: info.type for info in describe(model)}
        own = bench.simulator.url
        mine = [name for name, value in sample.items() if isinstance(value, str) and value.startswith(own)]
        for name in mine:
            demand(
                name in types and types[name].holds(FieldKind.URL),
                f"the field {name} holds an address and is not of the type LmsUrl",
                seen=in_words(types[name]) if name in types else "no such field",
                expected=FieldKind.URL.value,
            )
            for wrong in (
                "http://lms.example.com",
                "https://10.0.0.1",
                "https://user:pw@lms.example.com",
                "lms",
            ):
                try:
                    model.model_validate({**sample, name: wrong})
                except ValidationError as error:
                    at = {str(each["loc"][0]) for each in error.errors() if each["loc"]}
                    demand(
                        name in at, f"{wrong!r} in {name} is refused in the name of another field", seen=at
                    )
                else:
                    raise Fault(f"the field {name} takes {wrong!r}", expected="a refusal")

    @check("every field of the channel's own has its help", EVERY)
    def test_every_field_is_explained(self, bench: Bench) -> None:
        """The docstring below a field is what forms and the command line show."""
        silent = [
            info.name
            for info in describe(bench.channel.config)
            if info.name not in ChannelConfig.model_fields and not info.help.strip()
        ]
        demand(
            not silent,
            f"fields without a docstring below them: {', '.join(silent)}",
            expected="one sentence each",
        )

    @check("what is a secret by its name is one by its type", EVERY)
    def test_secrets_are_declared(self, bench: Bench) -> None:
        """Only ``SecretStr`` is encrypted, masked and write-only.

        A field whose name ends in secret, password, token or the like has the type ``SecretStr``.
        """
        model = bench.channel.config
        words = ("secret", "password", "passphrase", "token", "private_key", "api_key")
        plain = [
            info.name
            for info in describe(model)
            if info.type.kind is FieldKind.TEXT and info.name.endswith(words)
        ]
        demand(
            not plain,
            f"fields that hold secrets and are plain text: {', '.join(plain)}",
            expected="SecretStr",
        )

    @check("secrets can be written and not read: no list, repr, history, table or error shows them", EVERY)
    def test_secrets_are_write_only(self, bench: Bench) -> None:
        """A canary in each secret, in good configurations and in refused ones."""
        store, model = bench.installation.configurations, bench.channel.config
        names = sorted(model.secret_fields())
        shown: list[str] = []
        with bench.listening() as log:
            uuid = store.add(bench.channel, ACME, bench.fields(), actor="conformance").uuid
            for name in names:
                shown.append(repr(store.edit(uuid, bench.channel, {name: CANARY}, actor="conformance")))
            for wrong in (
                {**dict.fromkeys(names, CANARY), "no_such_field": CANARY},
                {name: [CANARY] for name in names},
            ):
                try:
                    shown.append(
                        repr(
                            store.add(
                                bench.channel,
                                ACME,
                                {**bench.fields(), **wrong},
                                active=True,
                                actor="conformance",
                            )
                        )
                    )
                except ConfigurationError as error:
                    shown += [str(error), repr(error), repr(vars(error))]
            shown += [
                repr(store.get(uuid)),
                repr(store.list()),
                repr(store.history(uuid)),
                repr(store.validity(uuid, bench.channel)),
            ]
        demand(
            not [text for text in [*shown, *log] if CANARY in text],
            "a secret shows where configurations are shown",
            seen="(not repeated here)",
            expected="*** in its place",
        )
        for suffix in ("", "-wal"):
            file = bench.database.with_name(bench.database.name + suffix)
            if file.exists():
                demand(
                    CANARY.encode() not in file.read_bytes(),
                    "a secret stands in the database in clear",
                    expected="ciphertext",
                )


@cache
def _schema(model: type[ChannelConfig]) -> dict[str, Any]:
    return model.model_json_schema(mode="validation")


def another_value(bench: Bench, info: FieldInfo) -> Any:
    """A value for a field that differs from its default and its sample, as JSON has it; None where none is known."""
    if info.secret:
        return CANARY
    now = bench.fields().get(info.name, info.default)
    schema = _schema(bench.channel.config)
    return _another(schema["properties"][info.name], schema.get("$defs", {}), now)


def _another(schema: dict[str, Any], definitions: dict[str, Any], now: Any) -> Any:
    if "$ref" in schema:
        return _another(definitions[schema["$ref"].rpartition("/")[2]], definitions, now)
    if "const" in schema:
        return None
    if "enum" in schema:
        return next((value for value in schema["enum"] if value != now), None)
    if "anyOf" in schema:
        options = [_another(each, definitions, now) for each in schema["anyOf"] if each.get("type") != "null"]
        return next((value for value in options if value is not None), None)
    match schema.get("type"):
        case "boolean":
            return not now
        case "integer" | "number":
            least = schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
            return least + 1 if least == now else least
        case "array":
            inner = _another(schema.get("items", {}), definitions, None)
            return None if inner is None else [inner]
        case "string" if schema.get("format") == "uuid":
            return "3fb0ec2c-9b0a-4d3b-8a55-6a0c2b3e3333"
        case "string" if schema.get("format") == "uri":
            return "https://another.example.com"
        case "string" if not schema.get("pattern") and schema.get("maxLength", 100) >= len("made up"):
            return "made up"
    return None
