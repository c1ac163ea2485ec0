from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.person import Person


T = TypeVar("T", bound="Session")


@_attrs_define
class Session:
    """Who is logged in.

    Attributes:
        expires_at (datetime.datetime): When they have to log in again, if they are not away for a day before that.
        person (Person):  Example: {'created_at': '2026-11-02T08:00:00Z', 'disabled': False, 'email': 'ada@example.com',
            'id': 'person_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'last_seen_at': '2026-11-25T09:31:00Z', 'name': 'Ada', 'role':
            'operator', 'teams': [{'id': 'team_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'name': 'default'}]}.
        server_version (str): Of the server that answers. Example: 0.1.0.
    """

    expires_at: datetime.datetime
    person: Person
    server_version: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        expires_at = self.expires_at.isoformat()

        person = self.person.to_dict()

        server_version = self.server_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "expires_at": expires_at,
                "person": person,
                "server_version": server_version,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.person import Person

        d = dict(src_dict)
        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        person = Person.from_dict(d.pop("person"))

        server_version = d.pop("server_version")

        session = cls(
            expires_at=expires_at,
            person=person,
            server_version=server_version,
        )

        session.additional_properties = d
        return session

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
