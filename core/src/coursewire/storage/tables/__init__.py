"""All tables, in one metadata.

Whoever imports a table, or ``metadata``, has every table: this package imports each of its modules. So nothing that
works on the metadata as a whole (creating, comparing, forgetting a learner) can miss a table.
"""

from coursewire.storage.tables import access, enrollment, records, source
from coursewire.storage.tables.base import PERSONAL, metadata

__all__ = ["PERSONAL", "access", "enrollment", "metadata", "records", "source"]
