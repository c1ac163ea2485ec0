from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="NameGroup")


@_attrs_define
class NameGroup:
    """
    Example:
        {'name': 'Studio'}

    Attributes:
        name (str): 1 to 120 characters, and no other group of the team has it.
    """

    name: str

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name")

        name_group = cls(
            name=name,
        )

        return name_group
