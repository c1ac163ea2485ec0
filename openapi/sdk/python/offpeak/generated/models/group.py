from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.policy import Policy


T = TypeVar("T", bound="Group")


@_attrs_define
class Group:
    """Agents that work by the same policy. Every agent belongs to one; those that nobody moved, to the team's default
    group.

        Attributes:
            agents (int): How many agents are in it, revoked ones left out.
            created_at (datetime.datetime):
            id (str):
            is_default (bool): Agents join here when they enrol, or when their group is deleted.
            name (str):
            policy (Policy): What is absent has its default. All fields are always sent, so that an engine needs no defaults
                of its own.
    """

    agents: int
    created_at: datetime.datetime
    id: str
    is_default: bool
    name: str
    policy: Policy
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agents = self.agents

        created_at = self.created_at.isoformat()

        id = self.id

        is_default = self.is_default

        name = self.name

        policy = self.policy.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agents": agents,
                "created_at": created_at,
                "id": id,
                "is_default": is_default,
                "name": name,
                "policy": policy,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.policy import Policy

        d = dict(src_dict)
        agents = d.pop("agents")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        id = d.pop("id")

        is_default = d.pop("is_default")

        name = d.pop("name")

        policy = Policy.from_dict(d.pop("policy"))

        group = cls(
            agents=agents,
            created_at=created_at,
            id=id,
            is_default=is_default,
            name=name,
            policy=policy,
        )

        group.additional_properties = d
        return group

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
