from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="Rung")


@_attrs_define
class Rung:
    """
    Attributes:
        height (int): Lines of the shorter side: 1080 is 1920×1080, or 1080×1920 for an upright film.
        max_kbps (int): Cap of the bit rate (VBV), in kbit/s.
    """

    height: int
    max_kbps: int

    def to_dict(self) -> dict[str, Any]:
        height = self.height

        max_kbps = self.max_kbps

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "height": height,
                "max_kbps": max_kbps,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        height = d.pop("height")

        max_kbps = d.pop("max_kbps")

        rung = cls(
            height=height,
            max_kbps=max_kbps,
        )

        return rung
