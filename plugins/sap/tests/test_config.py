"""What a configuration takes and refuses, and at which field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat, PublicFormat
from pydantic import SecretStr, ValidationError

from coursewire.model.channel import Rate
from coursewire_sap import plugin
from coursewire_sap.config import SapConfig
from coursewire_sap.keys import load_signing_key

SELF_SIGNED = {"auth_type": "self_signed_assertion", "secret": ...}


def pem_of(key, password=None, form=PrivateFormat.PKCS8):
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption

    encryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, form, encryption).decode()


def faults(make, **changes) -> dict[str, str]:
    """Field to type of error; empty when the configuration is valid."""
    try:
        make(**changes)
    except ValidationError as error:
        return {error["loc"][0]: error["type"] for error in error.errors()}
    return {}


@pytest.fixture
def encrypted(rsa_key):
    return pem_of(rsa_key, "pw ")


def test_an_empty_configuration_lacks_five_fields_in_order(make_config):
    blank = dict.fromkeys(("key", "secret", "sapsf_base_url", "sapsf_company_id", "sapsf_user_id"), ...)

    assert list(faults(make_config, **blank).items()) == [
        (name, "missing") for name in ("key", "sapsf_base_url", "sapsf_company_id", "sapsf_user_id", "secret")
    ]


@pytest.mark.parametrize("blank", ["", "  ", None])
@pytest.mark.parametrize("field", ["key", "sapsf_base_url", "sapsf_company_id", "sapsf_user_id"])
def test_blank_is_missing(field, blank, make_config):
    assert faults(make_config, **{field: blank}) == {field: "missing"}


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"secret": ...}, {"secret"}),
        ({"secret": " "}, {"secret"}),
        (SELF_SIGNED, {"private_key"}),
        ({**SELF_SIGNED, "saml_assertion_audience": " "}, {"private_key", "saml_assertion_audience"}),
        ({"saml_assertion_audience": ""}, set()),
        ({"auth_type": "other", "secret": ...}, None),
    ],
)
def test_what_is_required_depends_on_the_way_to_a_token(changes, missing, make_config):
    if missing is None:
        assert set(faults(make_config, **changes)) == {"auth_type"}
    else:
        assert faults(make_config, **changes) == dict.fromkeys(missing, "missing")


def test_a_self_signed_configuration_needs_no_secret(make_config, rsa_key):
    assert faults(make_config, **SELF_SIGNED, private_key=pem_of(rsa_key)) == {}


def test_missing_and_incorrect_are_told_together(make_config):
    found = faults(
        make_config, **SELF_SIGNED, sapsf_company_id=..., private_key="no key", sapsf_base_url="sad"
    )

    assert found == {
        "sapsf_company_id": "missing",
        "sapsf_base_url": "value_error",
        "private_key": "value_error",
    }


@pytest.mark.parametrize(
    "url", ["sad", "http://acme.example.com", "ftp://acme.example.com", "https://127.0.0.1"]
)
@pytest.mark.parametrize("field", ["sapsf_base_url", "sapsf_token_base_url"])
def test_urls_must_be_https_and_public(url, field, make_config):
    assert faults(make_config, **{field: url}) == {field: "value_error"}


@pytest.mark.parametrize(
    "url", ["https://acme.example.com", "https://acme.example.com/", " https://acme.example.com// "]
)
def test_a_trailing_slash_makes_no_difference(url, make_config):
    config = make_config(sapsf_base_url=url)

    assert config.lms_url == "https://acme.example.com"
    assert config.token_url == "https://acme.example.com/learning/oauth-api/rest/v1/token"


@pytest.mark.parametrize("path", ["oauth/token", "/oauth/token"])
def test_the_token_path_with_and_without_a_leading_slash(path, make_config, rsa_key):
    config = make_config(**SELF_SIGNED, private_key=pem_of(rsa_key), oauth_token_api_path=path)

    assert config.token_url == "https://acme.example.com/oauth/token"


@pytest.mark.parametrize(
    "path",
    [
        "",
        " ",
        "/",
        "https://other.example/x",
        "//other.example/x",
        "#f",
        "?q=1",
        "/oauth/token#f",
        "a b",
        "\\\\other\\x",
    ],
)
def test_a_path_is_a_path(path, make_config):
    assert faults(make_config, oauth_token_api_path=path) == {"oauth_token_api_path": "value_error"}


def test_tokens_may_come_from_another_host(make_config, rsa_key):
    config = make_config(
        **SELF_SIGNED, private_key=pem_of(rsa_key), sapsf_token_base_url="https://API.example.com/"
    )

    assert config.token_url == "https://API.example.com/oauth/token"
    assert config.allowed_hosts == {"api.example.com"}
    assert make_config(sapsf_token_base_url="").sapsf_token_base_url is None


def test_going_back_to_the_old_flow_keeps_key_and_passphrase(make_config, encrypted):
    config = make_config(private_key=encrypted, private_key_passphrase="pw ")

    assert config.token_url.endswith("/learning/oauth-api/rest/v1/token")
    assert config.private_key.get_secret_value() == encrypted


# -- keys -----------------------------------------------------------------------------------------


def certificate_like() -> str:
    return "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(pem_of, id="pkcs8"),
        pytest.param(lambda key: pem_of(key, form=PrivateFormat.TraditionalOpenSSL), id="pkcs1"),
        pytest.param(lambda key: pem_of(key).replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda key: pem_of(key).replace("\n", " "), id="blanks-for-line-ends"),
        pytest.param(lambda key: f"\n  {pem_of(key)}  \n", id="outer-space"),
        pytest.param(lambda key: pem_of(key) + certificate_like(), id="certificate-behind"),
        pytest.param(lambda key: certificate_like() + pem_of(key), id="certificate-before"),
    ],
)
def test_keys_that_are_taken(write, make_config, rsa_key):
    config = make_config(**SELF_SIGNED, private_key=write(rsa_key))

    loaded = load_signing_key(config.private_key.get_secret_value(), "")
    assert loaded.private_numbers() == rsa_key.private_numbers()


@pytest.mark.parametrize(
    "form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL], ids=["pkcs8", "legacy"]
)
@pytest.mark.parametrize("passphrase", ["pw ", " päss\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encrypted_keys_open_with_exactly_their_passphrase(form, passphrase, line_end, make_config, rsa_key):
    text = pem_of(rsa_key, passphrase, form).replace("\n", line_end)
    keys = {**SELF_SIGNED, "private_key": text}

    assert faults(make_config, **keys, private_key_passphrase=passphrase) == {}
    for wrong in (passphrase.strip(), passphrase + " ", "other"):
        assert faults(make_config, **keys, private_key_passphrase=wrong) == {
            "private_key_passphrase": "value_error"
        }
    assert faults(make_config, **keys) == {"private_key_passphrase": "value_error"}


@pytest.mark.parametrize("auth_type", ["self_signed_assertion", "sap_signed_assertion"])
@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda key: "not a key", id="no-pem"),
        pytest.param(lambda key: "".join(pem_of(key).splitlines()[1:-1]), id="bare-base64"),
        pytest.param(lambda key: pem_of(ec.generate_private_key(ec.SECP256R1())), id="ec"),
        pytest.param(lambda key: pem_of(ed25519.Ed25519PrivateKey.generate()), id="ed25519"),
        pytest.param(
            lambda key: pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024)), id="1024-bits"
        ),
        pytest.param(lambda key: pem_of(key, form=PrivateFormat.OpenSSH), id="openssh"),
        pytest.param(
            lambda key: (
                key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
            ),
            id="public",
        ),
        pytest.param(lambda key: pem_of(key)[:200] + "\n-----END PRIVATE KEY-----\n", id="cut-off"),
        pytest.param(
            lambda key: pem_of(key).replace("PRIVATE KEY-----\n", "PRIVATE KEY-----\nAAAA", 1), id="damaged"
        ),
        pytest.param(lambda key: certificate_like(), id="only-a-certificate"),
    ],
)
def test_keys_that_are_refused_whatever_the_way_to_a_token(write, auth_type, make_config, rsa_key):
    assert faults(make_config, auth_type=auth_type, private_key=write(rsa_key)) == {
        "private_key": "value_error"
    }


def test_a_passphrase_for_an_open_key_is_an_error_at_the_key(make_config, rsa_key):
    found = faults(make_config, **SELF_SIGNED, private_key=pem_of(rsa_key), private_key_passphrase="pw")

    assert found == {"private_key": "value_error"}


def test_no_error_shows_key_material(make_config, rsa_key, encrypted):
    good = pem_of(rsa_key)
    lines = [line for line in (good + encrypted).splitlines() if "-----" not in line]
    for text, passphrase in (
        (good[:300], ""),
        (good, "planted-pass"),
        (encrypted, "planted-pass"),
        (good[40:], ""),
    ):
        with pytest.raises(ValidationError) as caught:
            make_config(**SELF_SIGNED, private_key=text, private_key_passphrase=passphrase)
        shown = f"{caught.value} {caught.value!r} {[e['msg'] for e in caught.value.errors()]}"
        assert not any(line in shown for line in lines)
        assert "planted-pass" not in shown
        assert caught.value.__cause__ is None


# -- the rest -------------------------------------------------------------------------------------


def test_secrets_have_a_type_that_does_not_print(make_config):
    config = make_config()

    assert SapConfig.secret_fields() == {"key", "secret", "private_key", "private_key_passphrase"}
    assert "s3cret" not in repr(config) + str(config) + config.model_dump_json()
    assert config.secret.get_secret_value() == " s3cret:pass "
    assert make_config(secret=SecretStr("x")).secret == SecretStr("x")


def test_plain_text_fields_lose_outer_blanks(make_config):
    assert make_config(sapsf_company_id=" ACME ").sapsf_company_id == "ACME"


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("German, French", ("German", "French")),
        (" german ,, fr-ca,German", ("German", "French Canadian")),
        (["he", "Spanish"], ("Hebrew", "Spanish")),
        ("", ()),
        ("Klingon", ("Klingon",)),
    ],
)
def test_additional_locales(given, names, make_config):
    assert make_config(additional_locales=given).additional_locales == names


def test_additional_locales_are_text(make_config):
    assert faults(make_config, additional_locales=[1])
    assert faults(make_config, additional_locales=7)


def test_the_window_of_the_import(make_config):
    vendor = plugin.declare_channel().limits.rates

    assert make_config().rates(vendor) == vendor
    assert vendor["import"] == Rate(calls=1, seconds=300)
    assert make_config(call_interval_seconds=500).rates(vendor)["import"] == Rate(calls=1, seconds=500)
    assert make_config().import_bucket == "import"
    assert make_config(call_interval_seconds=0).import_bucket is None
    assert make_config(call_interval_seconds=0).rates(vendor) == vendor
    assert faults(make_config, call_interval_seconds=-1) == {"call_interval_seconds": "greater_than_equal"}


def test_every_field_is_explained_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    own = SapConfig.model_fields.keys() - SapConfig.__mro__[1].model_fields.keys()

    assert [name for name in sorted(own) if f"`{name}`" not in readme] == []


def test_the_configuration_is_json_both_ways(make_config):
    config = make_config(additional_locales="German")
    fields = json.loads(config.model_dump_json(exclude=SapConfig.secret_fields()))

    assert (
        make_config(**{name: value for name, value in fields.items() if name != "catalogs_to_transmit"})
        == config
    )
