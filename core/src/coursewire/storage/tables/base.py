"""The metadata that every table joins, and the mark of columns that hold personal data."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

PERSONAL: dict[str, Any] = {"personal": True}
"""Mark of a column that holds a learner's personal data."""
