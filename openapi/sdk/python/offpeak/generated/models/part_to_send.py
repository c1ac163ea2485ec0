from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="PartToSend")


@_attrs_define
class PartToSend:
    """
    Attributes:
        number (int): From 1 on.
        sha256 (str): Lower-case hex.
    """

    number: int
    sha256: str

    def to_dict(self) -> dict[str, Any]:
        number = self.number

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "number": number,
                "sha256": sha256,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        number = d.pop("number")

        sha256 = d.pop("sha256")

        part_to_send = cls(
            number=number,
            sha256=sha256,
        )

        return part_to_send
