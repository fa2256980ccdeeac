"""Replies in XML that spell out plain data: elements for objects, their members, lists and values."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

import xmltodict

if TYPE_CHECKING:
    from coursewire.model.payload import JsonObject

_NAMED_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]*;")


@dataclass(frozen=True, slots=True)
class XmlNames:
    """What the elements are called that hold data.

    Attributes:
        record: An object.
        member: One of its members.
        name: The attribute of a member that has its name.
        many: A list.
        value: A value. Every one is text, as XML knows nothing else; an empty one with an attribute, such as
            ``null="null"``, is None.
    """

    record: str
    member: str
    name: str
    many: str
    value: str

    def read(self, content: bytes) -> JsonObject | None:
        """The root's name and what is in it; None where it is no XML.

        Names of HTML's entities are read as well, which XML does not know. Elements of other names make an object
        of their attributes and children, in small letters.
        """
        text = _NAMED_ENTITY.sub(
            lambda found: html.escape(html.unescape(found[0])), content.decode("utf-8", "replace")
        )
        try:
            root = xmltodict.parse(text, force_list=(self.record, self.member, self.value))
        except ExpatError:
            return None
        return {name: self._plain(node or {}) for name, node in root.items()}

    def _plain(self, node: Any) -> Any:
        if not isinstance(node, Mapping):
            return node
        if self.many in node:
            rows = node[self.many] or {}
            kinds = ((kind, row) for kind in (self.record, self.value) for row in rows.get(kind, ()))
            return [self._plain({kind: [row]}) for kind, row in kinds]
        if self.record in node:
            members = (node[self.record][0] or {}).get(self.member, ())
            return {each[f"@{self.name}"]: self._plain(each) for each in members}
        if self.value in node:
            value = node[self.value][0]
            return None if isinstance(value, Mapping) else value or ""
        if node.keys() <= {f"@{self.name}"}:
            return None
        return {name.lower().lstrip("@"): self._plain(each) for name, each in node.items()}
