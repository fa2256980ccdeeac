"""Values of statements: numbers as JSON writes them, and fields that are left out where nothing is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal


def without_none(**fields: Any) -> dict[str, Any]:
    """Return the fields that are not None, since a statement leaves out what is not known.

    Args:
        **fields: Fields of a payload by name, as plain data.

    Example:
        >>> without_none(title="Knots", hours=None)
        {'title': 'Knots'}
    """
    return {name: value for name, value in fields.items() if value is not None}


def number(value: Decimal) -> int | float:
    """Return a decimal as the JSON number that reads the same.

    Args:
        value: The decimal, such as a grade in per cent.

    Example:
        >>> from decimal import Decimal
        >>> number(Decimal("57.00")), number(Decimal("0.57"))
        (57, 0.57)
    """
    return int(value) if value == value.to_integral_value() else float(value)
