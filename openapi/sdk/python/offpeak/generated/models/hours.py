from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.weekday import Weekday

T = TypeVar("T", bound="Hours")


@_attrs_define
class Hours:
    """A stretch of some days, by the clock of the machine. One that ends before it begins goes on after midnight.

    Example:
        {'days': ['mon', 'tue', 'wed', 'thu'], 'from': '18:00', 'to': '08:00'}

    Attributes:
        days (list[Weekday]): On which the stretch begins.
        from_ (str):
        to (str):
    """

    days: list[Weekday]
    from_: str
    to: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        days = []
        for days_item_data in self.days:
            days_item = days_item_data.value
            days.append(days_item)

        from_ = self.from_

        to = self.to

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "days": days,
                "from": from_,
                "to": to,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        days = []
        _days = d.pop("days")
        for days_item_data in _days:
            days_item = Weekday(days_item_data)

            days.append(days_item)

        from_ = d.pop("from")

        to = d.pop("to")

        hours = cls(
            days=days,
            from_=from_,
            to=to,
        )

        hours.additional_properties = d
        return hours

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
