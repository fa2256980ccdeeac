"""The two ways to a token: the Learning token server, and a SAML assertion that we sign ourselves."""

from __future__ import annotations

import base64
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import orjson
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import XMLSigner

from coursewire.toolkit.auth import TokenAuth, read_oauth_token
from coursewire_sap.config import AuthType, NameIdForm
from coursewire_sap.keys import load_signing_key

if TYPE_CHECKING:
    from coursewire.model.session import Token, Tokens
    from coursewire_sap.config import SapConfig

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:saml2-bearer"

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"
_NAMESPACES = {"saml": SAML, "ds": DS, "xsi": XSI, "xs": XS}
_UNSPECIFIED_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_UNSPECIFIED_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"

LIFETIME = timedelta(minutes=10)
CLOCK_SKEW = timedelta(minutes=5)
"""How far the LMS's clock may be behind ours."""


# signxml writes what it signs to its debug log: the assertion, and in it the API key.
logging.getLogger("signxml").setLevel(logging.INFO)


def sap_auth(config: SapConfig, tokens: Tokens, learner: str | None = None) -> TokenAuth:
    """The flow that the configuration names, for the service user or for the learner with this SAP id."""
    flow = SignedAssertionAuth if config.auth_type is AuthType.SELF_SIGNED else LearningTokenAuth
    return flow(config, tokens, learner)


class _SapTokenAuth(TokenAuth):
    def __init__(self, config: SapConfig, tokens: Tokens, learner: str | None = None) -> None:
        super().__init__(tokens, subject=learner or "service", passing=learner is not None)
        self.config = config
        self.learner = learner

    def read_token(self, response: httpx.Response) -> Token:
        return read_oauth_token(response, self.tokens.clock)


class LearningTokenAuth(_SapTokenAuth):
    """Client id and secret at the Learning token server: HTTP Basic, and a JSON body whose scope is an object.

    Unlike OAuth 2 elsewhere. SAP retires this server: see the README.
    """

    def token_request(self, current: Token | None) -> httpx.Request:
        """Build the request for a token of the service user, or of a learner, who is never an administrator."""
        config = self.config
        pair = f"{config.key.get_secret_value()}:{config.secret.get_secret_value()}"
        body = {
            "grant_type": "client_credentials",
            "scope": {
                "userId": config.sapsf_user_id if self.learner is None else self.learner,
                "companyId": config.sapsf_company_id,
                "userType": config.user_type if self.learner is None else "user",
                "resourceType": "learning_public_api",
            },
        }
        return httpx.Request(
            "POST",
            config.token_url,
            headers={
                "Authorization": f"Basic {base64.b64encode(pair.encode()).decode('ascii')}",
                "Content-Type": "application/json",
            },
            content=orjson.dumps(body),
        )


class SignedAssertionAuth(_SapTokenAuth):
    """A SAML 2.0 bearer assertion, signed with the customer's key, at the platform's token endpoint."""

    def token_request(self, current: Token | None) -> httpx.Request:
        """Build the request: four form fields and no ``Authorization`` header."""
        assertion = build_assertion(self.config, self.tokens.clock(), self.learner)
        form = {
            "client_id": self.config.key.get_secret_value(),
            "company_id": self.config.sapsf_company_id,
            "grant_type": GRANT_TYPE,
            "assertion": base64.b64encode(assertion).decode("ascii"),
        }
        return httpx.Request(
            "POST",
            self.config.token_url,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            content=urlencode(form).encode("ascii"),
        )


def build_assertion(config: SapConfig, now: datetime, learner: str | None = None) -> bytes:
    """The signed assertion that a user is at hand: UTF-8, no XML declaration, not indented.

    Good from five minutes before ``now`` (aware UTC) to ten minutes after. The user is the service user,
    or the learner with this SAP id.
    """
    user, form = config.sapsf_user_id, config.saml_name_id_form
    if learner is not None:
        user, form = learner, config.saml_learner_name_id_form
    assertion_id = f"_{uuid4()}"
    api_key = config.key.get_secret_value()
    until = _instant(now + LIFETIME)

    root = etree.Element(
        f"{{{SAML}}}Assertion", nsmap=_NAMESPACES, ID=assertion_id, Version="2.0", IssueInstant=_instant(now)
    )
    _add(root, "Issuer", config.saml_assertion_issuer or api_key)
    etree.SubElement(root, f"{{{DS}}}Signature", Id="placeholder")  # signxml puts the signature here
    subject = _add(root, "Subject")
    name_id = f"{user}#DIV#{config.sapsf_company_id}" if form is NameIdForm.LEARNING_ONLY else user
    _add(subject, "NameID", name_id, Format=_UNSPECIFIED_NAME)
    confirmation = _add(subject, "SubjectConfirmation", Method=_BEARER)
    recipient = config.saml_assertion_recipient or config.token_url
    _add(confirmation, "SubjectConfirmationData", Recipient=recipient, NotOnOrAfter=until)
    conditions = _add(root, "Conditions", NotBefore=_instant(now - CLOCK_SKEW), NotOnOrAfter=until)
    _add(_add(conditions, "AudienceRestriction"), "Audience", config.saml_assertion_audience)
    statement = _add(root, "AuthnStatement", AuthnInstant=_instant(now), SessionIndex=assertion_id)
    _add(_add(statement, "AuthnContext"), "AuthnContextClassRef", _UNSPECIFIED_CONTEXT)
    attributes = _add(root, "AttributeStatement")
    for name, value in {"api_key": api_key, **_USER_ATTRIBUTES[form]}.items():
        attribute = _add(attributes, "Attribute", Name=name)
        _add(attribute, "AttributeValue", value).set(f"{{{XSI}}}type", "xs:string")

    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    key = load_signing_key(
        config.private_key.get_secret_value(), config.private_key_passphrase.get_secret_value()
    )
    signed = signer.sign(root, key=key, reference_uri=assertion_id, id_attribute="ID")
    return bytes(etree.tostring(signed, encoding="utf-8", xml_declaration=False))


_USER_ATTRIBUTES: dict[NameIdForm, dict[str, str]] = {
    NameIdForm.USER_ID: {},
    NameIdForm.USER_NAME: {"use_username": "true"},
    NameIdForm.LEARNING_ONLY: {"external_user": "true"},
}
"""How the assertion says what its NameID is."""


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{SAML}}}{name}", **attributes)
    element.text = text
    return element


def _instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
