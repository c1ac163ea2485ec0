from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="TaskFailure")


@_attrs_define
class TaskFailure:
    """One failure: on which machine, of what, and why.

    Attributes:
        agent (str):
        agent_name (str):
        at (datetime.datetime):
        code (str): As the agent said; `lease_expired` when it fell silent again and again.
        first (int): The segments `[first, last)` that were left of the task, for encode and audio.
        last (int):
        message (str):
        task_kind (str): `probe`, `encode` …
        log_tail (list[str] | Unset):
    """

    agent: str
    agent_name: str
    at: datetime.datetime
    code: str
    first: int
    last: int
    message: str
    task_kind: str
    log_tail: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agent = self.agent

        agent_name = self.agent_name

        at = self.at.isoformat()

        code = self.code

        first = self.first

        last = self.last

        message = self.message

        task_kind = self.task_kind

        log_tail: list[str] | Unset = UNSET
        if not isinstance(self.log_tail, Unset):
            log_tail = self.log_tail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agent": agent,
                "agent_name": agent_name,
                "at": at,
                "code": code,
                "first": first,
                "last": last,
                "message": message,
                "task_kind": task_kind,
            }
        )
        if log_tail is not UNSET:
            field_dict["log_tail"] = log_tail

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        agent = d.pop("agent")

        agent_name = d.pop("agent_name")

        at = datetime.datetime.fromisoformat(d.pop("at"))

        code = d.pop("code")

        first = d.pop("first")

        last = d.pop("last")

        message = d.pop("message")

        task_kind = d.pop("task_kind")

        log_tail = cast(list[str], d.pop("log_tail", UNSET))

        task_failure = cls(
            agent=agent,
            agent_name=agent_name,
            at=at,
            code=code,
            first=first,
            last=last,
            message=message,
            task_kind=task_kind,
            log_tail=log_tail,
        )

        task_failure.additional_properties = d
        return task_failure

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
