from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="AgentFailure")


@_attrs_define
class AgentFailure:
    """
    Attributes:
        at (datetime.datetime):
        code (str): Stable name, such as `ffmpeg_crashed`.
        job (str):
        log_tail (list[str]):
        message (str):
        task (str):
    """

    at: datetime.datetime
    code: str
    job: str
    log_tail: list[str]
    message: str
    task: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        code = self.code

        job = self.job

        log_tail = self.log_tail

        message = self.message

        task = self.task

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "code": code,
                "job": job,
                "log_tail": log_tail,
                "message": message,
                "task": task,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        code = d.pop("code")

        job = d.pop("job")

        log_tail = cast(list[str], d.pop("log_tail"))

        message = d.pop("message")

        task = d.pop("task")

        agent_failure = cls(
            at=at,
            code=code,
            job=job,
            log_tail=log_tail,
            message=message,
            task=task,
        )

        agent_failure.additional_properties = d
        return agent_failure

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
