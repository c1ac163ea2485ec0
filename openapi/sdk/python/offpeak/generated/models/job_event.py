from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="JobEvent")


@_attrs_define
class JobEvent:
    """One thing that happened to a job: the `data` of a server-sent event, whose `id` is `sequence` and whose `event` is
    `kind`.

        Attributes:
            at (datetime.datetime):
            data (Any): What is particular to the kind.
            job (str):
            kind (str): `job.created`, `job.probed`, `lease.granted`, `segments.committed`, `lease.ended`, `job.playable`,
                `job.completed` …
            sequence (int):
    """

    at: datetime.datetime
    data: Any
    job: str
    kind: str
    sequence: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        data = self.data

        job = self.job

        kind = self.kind

        sequence = self.sequence

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "data": data,
                "job": job,
                "kind": kind,
                "sequence": sequence,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        data = d.pop("data")

        job = d.pop("job")

        kind = d.pop("kind")

        sequence = d.pop("sequence")

        job_event = cls(
            at=at,
            data=data,
            job=job,
            kind=kind,
            sequence=sequence,
        )

        job_event.additional_properties = d
        return job_event

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
