"""What the channel's tests share: a complete configuration."""

from __future__ import annotations

import pytest

from coursewire.model.configuration import INSECURE_URLS
from coursewire_sap.config import SapConfig

COMPLETE = {
    "key": "acme",
    "secret": " s3cret:pass ",
    "sapsf_base_url": "https://acme.example.com",
    "sapsf_company_id": "ACME",
    "sapsf_user_id": "ocn-admin",
}


@pytest.fixture
def make_config():
    """Build a configuration from the complete one and what the test changes; ``...`` leaves a field out."""

    def make(*, insecure: bool = False, **changes: object) -> SapConfig:
        fields = {name: value for name, value in {**COMPLETE, **changes}.items() if value is not ...}
        return SapConfig.model_validate(fields, context={INSECURE_URLS: insecure})

    return make
