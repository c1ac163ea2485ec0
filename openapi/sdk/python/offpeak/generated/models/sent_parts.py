from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.sent_part import SentPart


T = TypeVar("T", bound="SentParts")


@_attrs_define
class SentParts:
    """What has arrived, for whoever goes on after a break.

    Attributes:
        more (bool): More follow: ask again with `after`, the last number of this page.
        parts (list[SentPart]): By number.
    """

    more: bool
    parts: list[SentPart]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        more = self.more

        parts = []
        for parts_item_data in self.parts:
            parts_item = parts_item_data.to_dict()
            parts.append(parts_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "more": more,
                "parts": parts,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.sent_part import SentPart

        d = dict(src_dict)
        more = d.pop("more")

        parts = []
        _parts = d.pop("parts")
        for parts_item_data in _parts:
            parts_item = SentPart.from_dict(parts_item_data)

            parts.append(parts_item)

        sent_parts = cls(
            more=more,
            parts=parts,
        )

        sent_parts.additional_properties = d
        return sent_parts

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
