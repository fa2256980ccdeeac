"""Options with which every table is created."""

from __future__ import annotations

from typing import Any

_MYSQL = {
    "engine": "InnoDB",  # transactions and foreign keys
    "charset": "utf8mb4",
    "collate": "utf8mb4_bin",
    "row_format": "DYNAMIC",  # keys of up to 3072 bytes
}

TABLE_OPTIONS: dict[str, Any] = {
    f"{dialect}_{name}": value for dialect in ("mysql", "mariadb") for name, value in _MYSQL.items()
}
"""For MySQL and MariaDB: the server's own defaults differ and are not trusted."""
