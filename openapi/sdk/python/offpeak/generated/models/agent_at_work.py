from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AgentAtWork")


@_attrs_define
class AgentAtWork:
    """
    Attributes:
        agent (str):
        cursor (int):
        first (int): Segment indices `[first, last)` and how far it is, for encode and audio.
        frames_per_second (float):
        last (int):
        name (str):
        task_kind (str): `probe`, `encode` …
    """

    agent: str
    cursor: int
    first: int
    frames_per_second: float
    last: int
    name: str
    task_kind: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agent = self.agent

        cursor = self.cursor

        first = self.first

        frames_per_second = self.frames_per_second

        last = self.last

        name = self.name

        task_kind = self.task_kind

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agent": agent,
                "cursor": cursor,
                "first": first,
                "frames_per_second": frames_per_second,
                "last": last,
                "name": name,
                "task_kind": task_kind,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        agent = d.pop("agent")

        cursor = d.pop("cursor")

        first = d.pop("first")

        frames_per_second = d.pop("frames_per_second")

        last = d.pop("last")

        name = d.pop("name")

        task_kind = d.pop("task_kind")

        agent_at_work = cls(
            agent=agent,
            cursor=cursor,
            first=first,
            frames_per_second=frames_per_second,
            last=last,
            name=name,
            task_kind=task_kind,
        )

        agent_at_work.additional_properties = d
        return agent_at_work

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
