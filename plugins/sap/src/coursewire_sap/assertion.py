"""The SAML 2.0 bearer assertion that a user is at hand, signed with the customer's own key."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureMethod
from signxml.signer import XMLSigner

from coursewire_sap.config import NameIdForm
from coursewire_sap.keys import load_signing_key

if TYPE_CHECKING:
    from coursewire_sap.config import SapConfig

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XS = "http://www.w3.org/2001/XMLSchema"
_NAMESPACES = {"saml": SAML, "ds": DS, "xsi": XSI, "xs": XS}
_UNSPECIFIED_NAME = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
_UNSPECIFIED_CONTEXT = "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_USER_ATTRIBUTES: dict[NameIdForm, dict[str, str]] = {
    NameIdForm.USER_ID: {},
    NameIdForm.USER_NAME: {"use_username": "true"},
    NameIdForm.LEARNING_ONLY: {"external_user": "true"},
}
"""The attributes that say what kind of name the NameID is."""

LIFETIME = timedelta(minutes=10)
CLOCK_SKEW = timedelta(minutes=5)
"""The time by which the LMS's clock may be behind ours."""

# signxml writes what it signs to its debug log: the assertion, and in it the API key.
logging.getLogger("signxml").setLevel(logging.INFO)


def build_assertion(config: SapConfig, now: datetime, learner: str | None = None) -> bytes:
    """Return the signed assertion as UTF-8, without XML declaration or indentation.

    Args:
        config: Names the service user, and has the signing key.
        now: The present instant, aware UTC. The assertion is valid from five minutes before to ten minutes after.
        learner: The SAP id of the learner whom it is about; None for the service user.
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


def _add(parent: etree._Element, name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, f"{{{SAML}}}{name}", **attributes)
    element.text = text
    return element


def _instant(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
