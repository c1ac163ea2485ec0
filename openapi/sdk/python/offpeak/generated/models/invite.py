from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.role import Role
from ..types import UNSET, Unset

T = TypeVar("T", bound="Invite")


@_attrs_define
class Invite:
    """
    Example:
        {'email': 'grace@example.com', 'role': 'member', 'teams': ['team_01J8ZC5V2M0N6QW3T7RX9KPEHD']}

    Attributes:
        email (str):
        role (Role): What a person may do. Whoever belongs to a team may do there what its members do, whatever their
            role.
        teams (list[str] | Unset): The teams that they will belong to.
    """

    email: str
    role: Role
    teams: list[str] | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        role = self.role.value

        teams: list[str] | Unset = UNSET
        if not isinstance(self.teams, Unset):
            teams = self.teams

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "email": email,
                "role": role,
            }
        )
        if teams is not UNSET:
            field_dict["teams"] = teams

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        email = d.pop("email")

        role = Role(d.pop("role"))

        teams = cast(list[str], d.pop("teams", UNSET))

        invite = cls(
            email=email,
            role=role,
            teams=teams,
        )

        return invite
