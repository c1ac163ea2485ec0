from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

if TYPE_CHECKING:
    from ..models.part_to_send import PartToSend


T = TypeVar("T", bound="PartsRequest")


@_attrs_define
class PartsRequest:
    """Parts that are about to be sent, in any order. A part may be sent again; the last one counts.

    Attributes:
        parts (list[PartToSend]):
    """

    parts: list[PartToSend]

    def to_dict(self) -> dict[str, Any]:
        parts = []
        for parts_item_data in self.parts:
            parts_item = parts_item_data.to_dict()
            parts.append(parts_item)

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "parts": parts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.part_to_send import PartToSend

        d = dict(src_dict)
        parts = []
        _parts = d.pop("parts")
        for parts_item_data in _parts:
            parts_item = PartToSend.from_dict(parts_item_data)

            parts.append(parts_item)

        parts_request = cls(
            parts=parts,
        )

        return parts_request
