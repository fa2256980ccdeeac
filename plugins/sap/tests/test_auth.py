"""Both ways to a token, byte by byte, and what counts as one."""

from __future__ import annotations

import asyncio
import base64
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from lxml import etree
from signxml.exceptions import InvalidDigest
from signxml.verifier import SignatureConfiguration, XMLVerifier

from coursewire.errors import CredentialsError, SendError, UnreachableError
from coursewire_sap import plugin
from coursewire_sap.assertion import build_assertion
from coursewire_sap.auth import LearningTokenAuth, SignedAssertionAuth, sap_auth
from coursewire_sap.config import AuthType
from coursewire_sap.keys import load_signing_key

NS = {
    "s": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
SELF_SIGNED = AuthType.SELF_SIGNED
MIDNIGHT = datetime(2026, 3, 1, 23, 59, 58, 750_000, tzinfo=UTC)


class OfTokens:
    """Just the clock of a token store: building a request needs no more."""

    def __init__(self, clock):
        self.clock = clock


@pytest.fixture
def signed_config(make_config, rsa_key):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def make(**changes):
        return make_config(**{"auth_type": SELF_SIGNED, "private_key": pem, "key": "api-key-1", **changes})

    return make


def token_request(config, clock=lambda: MIDNIGHT):
    return plugin.authenticate(config, OfTokens(clock)).token_request(None)


def test_the_learning_token_request(make_config):
    request = token_request(make_config(user_type="admin", key="kéy"))

    assert (request.method, str(request.url)) == (
        "POST",
        "https://acme.example.com/learning/oauth-api/rest/v1/token",
    )
    assert (
        request.headers["authorization"] == "Basic " + base64.b64encode("kéy: s3cret:pass ".encode()).decode()
    )
    assert request.headers["content-type"] == "application/json"
    assert request.content == (
        b'{"grant_type":"client_credentials","scope":{"userId":"ocn-admin","companyId":"ACME",'
        b'"userType":"admin","resourceType":"learning_public_api"}}'
    )


def test_an_unused_key_does_not_change_the_learning_token_request(make_config, signed_config):
    plain, with_key = (
        token_request(make_config()),
        token_request(signed_config(auth_type="sap_signed_assertion", key="acme")),
    )

    assert (with_key.content, with_key.headers, with_key.url) == (plain.content, plain.headers, plain.url)


def test_the_assertion_request_has_four_fields_and_no_authorization(signed_config):
    request = token_request(signed_config(sapsf_token_base_url="https://api.example.com"))
    form = parse_qsl(request.content.decode("ascii"))

    assert (request.method, str(request.url)) == ("POST", "https://api.example.com/oauth/token")
    assert "authorization" not in request.headers
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form[:3] == [
        ("client_id", "api-key-1"),
        ("company_id", "ACME"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:saml2-bearer"),
    ]
    assert form[3][0] == "assertion"
    assert len(form) == 4
    assert base64.b64decode(form[3][1], validate=True).startswith(b"<saml:Assertion ")
    assert b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Asaml2-bearer&assertion=" in request.content


def test_the_assertion_in_order(signed_config):
    xml = build_assertion(signed_config(), MIDNIGHT)
    root = etree.fromstring(xml)
    names = [etree.QName(child).localname for child in root]

    assert names == ["Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"]
    assert set(root.nsmap) == {"saml", "ds", "xsi", "xs"}
    assert b"<?xml" not in xml
    assert b"\n" not in xml
    assert root.get("ID").startswith("_")
    assert (root.get("Version"), root.get("IssueInstant")) == ("2.0", "2026-03-01T23:59:58Z")
    assert root.findtext("s:Issuer", namespaces=NS) == "api-key-1"
    name_id = root.find("s:Subject/s:NameID", NS)
    assert (name_id.text, name_id.get("Format")) == (
        "ocn-admin",
        "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
    )
    confirmation = root.find("s:Subject/s:SubjectConfirmation", NS)
    assert confirmation.get("Method") == "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    data = confirmation.find("s:SubjectConfirmationData", NS)
    assert dict(data.attrib) == {
        "Recipient": "https://acme.example.com/oauth/token",
        "NotOnOrAfter": "2026-03-02T00:09:58Z",
    }
    conditions = root.find("s:Conditions", NS)
    assert dict(conditions.attrib) == {
        "NotBefore": "2026-03-01T23:54:58Z",
        "NotOnOrAfter": "2026-03-02T00:09:58Z",
    }
    assert conditions.findtext("s:AudienceRestriction/s:Audience", namespaces=NS) == "www.successfactors.com"
    statement = root.find("s:AuthnStatement", NS)
    assert dict(statement.attrib) == {"AuthnInstant": "2026-03-01T23:59:58Z", "SessionIndex": root.get("ID")}
    assert (
        statement.findtext("s:AuthnContext/s:AuthnContextClassRef", namespaces=NS)
        == "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
    )
    (attribute,) = root.findall("s:AttributeStatement/s:Attribute", NS)
    value = attribute.find("s:AttributeValue", NS)
    assert (attribute.get("Name"), value.text) == ("api_key", "api-key-1")
    assert value.get("{http://www.w3.org/2001/XMLSchema-instance}type") == "xs:string"


def test_the_signature(signed_config, rsa_key):
    xml = build_assertion(signed_config(), MIDNIGHT)
    bare_key = SignatureConfiguration(require_x509=False)
    verified = XMLVerifier().verify(etree.fromstring(xml), id_attribute="ID", expect_config=bare_key)
    signature = etree.fromstring(xml).find("ds:Signature", NS)
    algorithms = [
        element.get("Algorithm").rsplit("/", 1)[-1]
        for element in signature.iter()
        if element.get("Algorithm")
    ]

    assert verified.signed_xml.tag == f"{{{NS['s']}}}Assertion"
    assert algorithms == [
        "xml-exc-c14n#",
        "xmldsig-more#rsa-sha256",
        "xmldsig#enveloped-signature",
        "xml-exc-c14n#",
        "xmlenc#sha256",
    ]
    assert signature.find(".//ds:X509Data", NS) is None
    modulus = base64.b64decode(signature.findtext(".//ds:RSAKeyValue/ds:Modulus", namespaces=NS))
    assert int.from_bytes(modulus) == rsa_key.public_key().public_numbers().n
    with pytest.raises(InvalidDigest):
        XMLVerifier().verify(
            etree.fromstring(xml.replace(b"ocn-admin", b"ocn-bdmin")),
            id_attribute="ID",
            expect_config=bare_key,
        )


def test_each_assertion_is_another(signed_config):
    config = signed_config()

    assert build_assertion(config, MIDNIGHT) != build_assertion(config, MIDNIGHT)


def test_the_key_is_parsed_once(signed_config):
    config = signed_config()
    before = load_signing_key.cache_info().misses
    for _ in range(3):
        build_assertion(config, MIDNIGHT)

    assert load_signing_key.cache_info().misses == before


@pytest.mark.parametrize(
    ("form", "name_id", "attributes"),
    [
        ("user_id", "0042", {"api_key": "api-key-1"}),
        ("user_name", "0042", {"api_key": "api-key-1", "use_username": "true"}),
        ("learning_only", "0042#DIV#ACME", {"api_key": "api-key-1", "external_user": "true"}),
    ],
)
def test_whom_the_assertion_names(form, name_id, attributes, signed_config):
    config = signed_config(
        saml_name_id_form=form,
        sapsf_user_id="0042",
        saml_assertion_issuer="www.successfactors.com",
        saml_assertion_recipient="https://api.example.com/odata/v2",
        saml_assertion_audience="audience.example",
    )
    root = etree.fromstring(build_assertion(config, MIDNIGHT))

    assert root.findtext("s:Issuer", namespaces=NS) == "www.successfactors.com"
    assert root.findtext("s:Subject/s:NameID", namespaces=NS) == name_id
    assert (
        root.find(".//s:SubjectConfirmationData", NS).get("Recipient") == "https://api.example.com/odata/v2"
    )
    assert root.findtext(".//s:Audience", namespaces=NS) == "audience.example"
    found = {
        a.get("Name"): a.findtext("s:AttributeValue", namespaces=NS)
        for a in root.iterfind(".//s:Attribute", NS)
    }
    assert found == attributes


@pytest.mark.parametrize(
    ("form", "name_id", "attributes"),
    [
        ("user_id", "0042", {"api_key"}),
        ("user_name", "0042", {"api_key", "use_username"}),
        ("learning_only", "0042#DIV#ACME", {"api_key", "external_user"}),
    ],
)
def test_an_assertion_for_a_learner(form, name_id, attributes, signed_config):
    # The service user's own form does not matter.
    config = signed_config(saml_learner_name_id_form=form, saml_name_id_form="user_name")
    request = sap_auth(config, OfTokens(lambda: MIDNIGHT), "0042").token_request(None)
    form_fields = parse_qsl(request.content.decode("ascii"))
    root = etree.fromstring(base64.b64decode(form_fields[3][1]))

    assert [name for name, _ in form_fields] == ["client_id", "company_id", "grant_type", "assertion"]
    assert root.findtext("s:Subject/s:NameID", namespaces=NS) == name_id
    assert {each.get("Name") for each in root.iterfind(".//s:Attribute", NS)} == attributes
    assert root.findtext("s:Issuer", namespaces=NS) == "api-key-1"


@pytest.mark.parametrize("auth_type", AuthType)
def test_learners_tokens_are_too_many_to_be_stored(auth_type, signed_config):
    config, tokens = signed_config(auth_type=auth_type), OfTokens(lambda: MIDNIGHT)

    assert [sap_auth(config, tokens, user).passing for user in (None, "u1")] == [False, True]
    assert [sap_auth(config, tokens, user).subject for user in (None, "u1")] == ["service", "u1"]


def test_which_flow_a_configuration_takes(make_config, signed_config):
    tokens = OfTokens(lambda: MIDNIGHT)

    assert isinstance(plugin.authenticate(make_config(), tokens), LearningTokenAuth)
    assert isinstance(plugin.authenticate(signed_config(), tokens), SignedAssertionAuth)


# -- over HTTP --------------------------------------------------------------------------------------


def token_calls(simulator):
    return [seen for seen in simulator.seen if seen.path.endswith("/token")]


def check(open_session, times=1, between=lambda: None, **options):
    async def run():
        async with open_session(**options) as session:
            for _ in range(times):
                answer = await plugin.check_connection(session)
                between()
            return answer

    return asyncio.run(run())


@pytest.mark.parametrize("auth_type", AuthType)
def test_one_token_serves_many_calls(auth_type, simulator, open_session):
    assert len(check(open_session, 3, auth_type=auth_type)) == 2

    assert [seen.status for seen in simulator.seen] == [200] * 4
    assert len(token_calls(simulator)) == 1


def test_an_expired_token_is_replaced_once_before_the_next_call(simulator, open_session, clock):
    check(open_session, 2, between=lambda: clock.forward(1800))

    assert [seen.path.rsplit("/", 1)[-1] for seen in simulator.seen] == ["token", "Students"] * 2


def test_a_token_about_to_end_is_replaced(simulator, open_session, clock):
    check(open_session, 2, between=lambda: clock.forward(1800 - 30))

    assert len(token_calls(simulator)) == 2


def test_a_refused_token_is_replaced_once(simulator, open_session):
    check(open_session, 2, between=simulator.expire_tokens)

    assert [seen.status for seen in simulator.seen] == [200, 200, 401, 200, 200]


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "wrong"},
        {"key": "wrong"},
        {"sapsf_company_id": "OTHER"},
        {"sapsf_user_id": "somebody"},
    ],
)
def test_wrong_credentials(changes, simulator, open_session):
    with pytest.raises(CredentialsError) as caught:
        check(open_session, **changes)

    assert "simulated-secret" not in str(caught.value) + caught.value.excerpt
    assert len(simulator.seen) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "wrong"},
        {"sapsf_company_id": "OTHER"},
        {"sapsf_user_id": "somebody"},
        {"saml_assertion_audience": "other"},
        {"saml_assertion_recipient": "https://other.example/oauth/token"},
        {"saml_assertion_issuer": "other"},
    ],
)
def test_a_wrong_assertion(changes, simulator, open_session):
    with pytest.raises(CredentialsError):
        check(open_session, auth_type=SELF_SIGNED, **changes)

    assert [seen.status for seen in simulator.seen] == [401]


def test_the_simulator_refuses_a_stale_or_foreign_assertion(simulator, open_session, clock):
    session = open_session(auth_type=SELF_SIGNED)
    stale = build_assertion(session.config, clock())
    url = session.config.token_url

    def fault(xml):
        return simulator._read_assertion(base64.b64encode(xml).decode(), url)[0]

    assert fault(stale) == ""
    clock.forward(601)
    assert "not valid now" in fault(stale)
    clock.forward(-601 - 301)
    assert "not valid now" in fault(stale)
    assert "signature" in fault(stale.replace(b"ocn-admin", b"ocn-bdmin"))
    assert "signature" in fault(b"<no/>")
    simulator.sample_config(SELF_SIGNED)  # another key is registered
    assert "another client" in fault(stale)


def token(**changes):
    return (200, {"access_token": "t", "expires_in": 60, **changes})


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param((401, "no"), CredentialsError, id="401"),
        pytest.param((403, {"error": "no"}), CredentialsError, id="403"),
        pytest.param((302, "", {"Location": "/elsewhere"}), UnreachableError, id="302"),
        pytest.param((307, "", {"Location": "/elsewhere"}), UnreachableError, id="307"),
        pytest.param((500, "<html>oops</html>"), UnreachableError, id="500"),
        pytest.param((200, "<html>log in</html>"), SendError, id="html"),
        pytest.param((200, {"expires_in": 1800}), SendError, id="no-token"),
        pytest.param((200, ["access_token"]), SendError, id="list"),
        *(pytest.param(token(expires_in=n), SendError, id=f"lifetime-{n!r}") for n in (-5, "-3600")),
        *(pytest.param(token(access_token=t), SendError, id=f"token-{t!r}") for t in ("", "  ", 7, None)),
    ],
)
@pytest.mark.parametrize("auth_type", AuthType)
def test_whatever_is_no_token_sends_nothing(answer, error, auth_type, simulator, open_session):
    simulator.token_answer = answer
    with pytest.raises(error):
        check(open_session, auth_type=auth_type)

    assert {seen.path.rsplit("/", 1)[-1] for seen in simulator.seen} == {"token"}


@pytest.mark.parametrize("told", [60, True, "3600", 0, -1, 1e20, None])
def test_a_good_token_answer_passes_the_same_way(told, simulator, open_session):
    simulator.token_answer = token(expires_in=told)
    with pytest.raises(CredentialsError):  # a token, though not one that the API knows
        check(open_session)

    assert "Students" in simulator.seen[1].path


@pytest.mark.parametrize("auth_type", AuthType)
def test_nothing_that_is_said_or_shown_holds_a_secret(auth_type, simulator, open_session, make_batch, caplog):
    caplog.set_level("DEBUG")
    said = []

    async def run():
        async with open_session(auth_type=auth_type) as session:
            said.append(await plugin.check_connection(session))
            said.append(await plugin.send_content(session, make_batch("a")))
            simulator.token_answer = (
                401,
                f"no: {assertion_of(simulator)} {session.config.secret.get_secret_value()}",
            )
            simulator.expire_tokens()
            with pytest.raises(CredentialsError) as caught:
                await plugin.send_content(session, make_batch("a"))
            said.extend((str(caught.value), repr(caught.value), caught.value.excerpt))
            said.extend((repr(session), repr(session.config), repr(session.tokens)))
            return session.config

    config = asyncio.run(run())
    shown = " ".join(map(str, said)) + caplog.text + " ".join(str(vars(record)) for record in caplog.records)

    secrets = [simulator.secret, simulator.key, *simulator._tokens]
    if auth_type is SELF_SIGNED:
        secrets += [assertion_of(simulator)[:60], assertion_of(simulator)[-60:]]
    secrets += config.private_key.get_secret_value().splitlines()[1:-1]
    assert [secret for secret in secrets if secret in shown] == []


def assertion_of(simulator):
    """The assertion that was sent last; "" if none was."""
    forms = [dict(parse_qsl(seen.body)) for seen in simulator.seen if isinstance(seen.body, str)]
    return next((form["assertion"] for form in reversed(forms) if "assertion" in form), "")
