from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.capped_crf_mode import CappedCrfMode

T = TypeVar("T", bound="CappedCrf")


@_attrs_define
class CappedCrf:
    """Constant rate factor under each rung's cap: lower is better and larger.

    Attributes:
        crf (float):
        mode (CappedCrfMode):
    """

    crf: float
    mode: CappedCrfMode
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        crf = self.crf

        mode = self.mode.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "crf": crf,
                "mode": mode,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        crf = d.pop("crf")

        mode = CappedCrfMode(d.pop("mode"))

        capped_crf = cls(
            crf=crf,
            mode=mode,
        )

        capped_crf.additional_properties = d
        return capped_crf

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
