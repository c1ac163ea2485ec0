from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="EnrolmentCode")


@_attrs_define
class EnrolmentCode:
    """A code with which machines enrol, without the code itself.

    Example:
        {'created_at': '2026-11-25T08:00:00Z', 'expires_at': '2026-11-26T08:00:00Z', 'group':
            'grp_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'id': 'token_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'name': 'third floor', 'uses_left':
            12}

    Attributes:
        created_at (datetime.datetime):
        id (str):
        name (str):
        uses_left (int):
        expires_at (datetime.datetime | None | Unset):
        group (None | str | Unset):
    """

    created_at: datetime.datetime
    id: str
    name: str
    uses_left: int
    expires_at: datetime.datetime | None | Unset = UNSET
    group: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        id = self.id

        name = self.name

        uses_left = self.uses_left

        expires_at: None | str | Unset
        if isinstance(self.expires_at, Unset):
            expires_at = UNSET
        elif isinstance(self.expires_at, datetime.datetime):
            expires_at = self.expires_at.isoformat()
        else:
            expires_at = self.expires_at

        group: None | str | Unset
        if isinstance(self.group, Unset):
            group = UNSET
        else:
            group = self.group

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "id": id,
                "name": name,
                "uses_left": uses_left,
            }
        )
        if expires_at is not UNSET:
            field_dict["expires_at"] = expires_at
        if group is not UNSET:
            field_dict["group"] = group

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        id = d.pop("id")

        name = d.pop("name")

        uses_left = d.pop("uses_left")

        def _parse_expires_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                expires_at_type_0 = datetime.datetime.fromisoformat(data)

                return expires_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        expires_at = _parse_expires_at(d.pop("expires_at", UNSET))

        def _parse_group(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        group = _parse_group(d.pop("group", UNSET))

        enrolment_code = cls(
            created_at=created_at,
            id=id,
            name=name,
            uses_left=uses_left,
            expires_at=expires_at,
            group=group,
        )

        enrolment_code.additional_properties = d
        return enrolment_code

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
