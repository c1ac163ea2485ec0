from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="OpenSession")


@_attrs_define
class OpenSession:
    """Where somebody is logged in.

    Example:
        {'created_at': '2026-11-24T08:00:00Z', 'expires_at': '2026-12-08T08:00:00Z', 'id':
            'session_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'is_current': True, 'last_used_at': '2026-11-25T09:31:00Z', 'user_agent':
            'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'}

    Attributes:
        created_at (datetime.datetime):
        expires_at (datetime.datetime): It ends a day after its last use, and here at the latest.
        id (str):
        is_current (bool): The one that asks.
        last_used_at (datetime.datetime): To the minute.
        user_agent (None | str | Unset): What the browser called itself when it logged in; absent when it did not.
    """

    created_at: datetime.datetime
    expires_at: datetime.datetime
    id: str
    is_current: bool
    last_used_at: datetime.datetime
    user_agent: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        expires_at = self.expires_at.isoformat()

        id = self.id

        is_current = self.is_current

        last_used_at = self.last_used_at.isoformat()

        user_agent: None | str | Unset
        if isinstance(self.user_agent, Unset):
            user_agent = UNSET
        else:
            user_agent = self.user_agent

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "expires_at": expires_at,
                "id": id,
                "is_current": is_current,
                "last_used_at": last_used_at,
            }
        )
        if user_agent is not UNSET:
            field_dict["user_agent"] = user_agent

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        id = d.pop("id")

        is_current = d.pop("is_current")

        last_used_at = datetime.datetime.fromisoformat(d.pop("last_used_at"))

        def _parse_user_agent(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        user_agent = _parse_user_agent(d.pop("user_agent", UNSET))

        open_session = cls(
            created_at=created_at,
            expires_at=expires_at,
            id=id,
            is_current=is_current,
            last_used_at=last_used_at,
            user_agent=user_agent,
        )

        open_session.additional_properties = d
        return open_session

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
