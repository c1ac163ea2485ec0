from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.role import Role
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.team_name import TeamName


T = TypeVar("T", bound="Person")


@_attrs_define
class Person:
    """
    Example:
        {'created_at': '2026-11-02T08:00:00Z', 'disabled': False, 'email': 'ada@example.com', 'id':
            'person_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'last_seen_at': '2026-11-25T09:31:00Z', 'name': 'Ada', 'role': 'operator',
            'teams': [{'id': 'team_01J8ZC5V2M0N6QW3T7RX9KPEHD', 'name': 'default'}]}

    Attributes:
        created_at (datetime.datetime):
        disabled (bool): Cannot log in, and is logged out everywhere.
        email (str): In lower case.
        id (str):
        name (str):
        role (Role): What a person may do. Whoever belongs to a team may do there what its members do, whatever their
            role.
        teams (list[TeamName]): The teams that they belong to, by name.
        last_seen_at (datetime.datetime | None | Unset): To the minute; absent when they never logged in.
    """

    created_at: datetime.datetime
    disabled: bool
    email: str
    id: str
    name: str
    role: Role
    teams: list[TeamName]
    last_seen_at: datetime.datetime | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        created_at = self.created_at.isoformat()

        disabled = self.disabled

        email = self.email

        id = self.id

        name = self.name

        role = self.role.value

        teams = []
        for teams_item_data in self.teams:
            teams_item = teams_item_data.to_dict()
            teams.append(teams_item)

        last_seen_at: None | str | Unset
        if isinstance(self.last_seen_at, Unset):
            last_seen_at = UNSET
        elif isinstance(self.last_seen_at, datetime.datetime):
            last_seen_at = self.last_seen_at.isoformat()
        else:
            last_seen_at = self.last_seen_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "disabled": disabled,
                "email": email,
                "id": id,
                "name": name,
                "role": role,
                "teams": teams,
            }
        )
        if last_seen_at is not UNSET:
            field_dict["last_seen_at"] = last_seen_at

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.team_name import TeamName

        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        disabled = d.pop("disabled")

        email = d.pop("email")

        id = d.pop("id")

        name = d.pop("name")

        role = Role(d.pop("role"))

        teams = []
        _teams = d.pop("teams")
        for teams_item_data in _teams:
            teams_item = TeamName.from_dict(teams_item_data)

            teams.append(teams_item)

        def _parse_last_seen_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_seen_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_seen_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        last_seen_at = _parse_last_seen_at(d.pop("last_seen_at", UNSET))

        person = cls(
            created_at=created_at,
            disabled=disabled,
            email=email,
            id=id,
            name=name,
            role=role,
            teams=teams,
            last_seen_at=last_seen_at,
        )

        person.additional_properties = d
        return person

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
