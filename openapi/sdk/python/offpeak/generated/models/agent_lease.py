from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.holder_state import HolderState

T = TypeVar("T", bound="AgentLease")


@_attrs_define
class AgentLease:
    """What an agent holds.

    Attributes:
        cursor (int):
        expires_at (datetime.datetime):
        first (int): Segment indices `[first, last)` and how far it is, for encode and audio.
        frames_per_second (float):
        granted_at (datetime.datetime):
        id (str):
        job (str):
        kind (str): `probe`, `encode` …
        last (int):
        real_time_speed (float): Seconds of video encoded in a second.
        state (HolderState):
        task (str):
    """

    cursor: int
    expires_at: datetime.datetime
    first: int
    frames_per_second: float
    granted_at: datetime.datetime
    id: str
    job: str
    kind: str
    last: int
    real_time_speed: float
    state: HolderState
    task: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        cursor = self.cursor

        expires_at = self.expires_at.isoformat()

        first = self.first

        frames_per_second = self.frames_per_second

        granted_at = self.granted_at.isoformat()

        id = self.id

        job = self.job

        kind = self.kind

        last = self.last

        real_time_speed = self.real_time_speed

        state = self.state.value

        task = self.task

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "cursor": cursor,
                "expires_at": expires_at,
                "first": first,
                "frames_per_second": frames_per_second,
                "granted_at": granted_at,
                "id": id,
                "job": job,
                "kind": kind,
                "last": last,
                "real_time_speed": real_time_speed,
                "state": state,
                "task": task,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        cursor = d.pop("cursor")

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        first = d.pop("first")

        frames_per_second = d.pop("frames_per_second")

        granted_at = datetime.datetime.fromisoformat(d.pop("granted_at"))

        id = d.pop("id")

        job = d.pop("job")

        kind = d.pop("kind")

        last = d.pop("last")

        real_time_speed = d.pop("real_time_speed")

        state = HolderState(d.pop("state"))

        task = d.pop("task")

        agent_lease = cls(
            cursor=cursor,
            expires_at=expires_at,
            first=first,
            frames_per_second=frames_per_second,
            granted_at=granted_at,
            id=id,
            job=job,
            kind=kind,
            last=last,
            real_time_speed=real_time_speed,
            state=state,
            task=task,
        )

        agent_lease.additional_properties = d
        return agent_lease

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
