from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AgentEvent")


@_attrs_define
class AgentEvent:
    """Something that happened to an agent.

    Attributes:
        at (datetime.datetime):
        data (Any): What is particular to the kind.
        kind (str): `agent.enrolled`, `agent.renamed`, `agent.moved`, `agent.drained`, `agent.resumed`,
            `agent.set_aside`, `agent.quarantined`,
            `agent.proved` or `agent.revoked`.
    """

    at: datetime.datetime
    data: Any
    kind: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        data = self.data

        kind = self.kind

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "data": data,
                "kind": kind,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        data = d.pop("data")

        kind = d.pop("kind")

        agent_event = cls(
            at=at,
            data=data,
            kind=kind,
        )

        agent_event.additional_properties = d
        return agent_event

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
