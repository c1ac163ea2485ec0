from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="FleetSpeed")


@_attrs_define
class FleetSpeed:
    """
    Attributes:
        encoding (int): Machines that encode.
        real_time (float): Seconds of video encoded in a second, in all rungs: multiples of real time.
        work_per_second (float):
    """

    encoding: int
    real_time: float
    work_per_second: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        encoding = self.encoding

        real_time = self.real_time

        work_per_second = self.work_per_second

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "encoding": encoding,
                "real_time": real_time,
                "work_per_second": work_per_second,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        encoding = d.pop("encoding")

        real_time = d.pop("real_time")

        work_per_second = d.pop("work_per_second")

        fleet_speed = cls(
            encoding=encoding,
            real_time=real_time,
            work_per_second=work_per_second,
        )

        fleet_speed.additional_properties = d
        return fleet_speed

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
