from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="ClassQueue")


@_attrs_define
class ClassQueue:
    """What waits for machines of one kind.

    Attributes:
        class_ (str): What a machine must be able to do: `none`, `aac`, or an encoder with its memory, such as
            `libx264:1g`.
        tasks (int):
        work (float):
    """

    class_: str
    tasks: int
    work: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        class_ = self.class_

        tasks = self.tasks

        work = self.work

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "class": class_,
                "tasks": tasks,
                "work": work,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        class_ = d.pop("class")

        tasks = d.pop("tasks")

        work = d.pop("work")

        class_queue = cls(
            class_=class_,
            tasks=tasks,
            work=work,
        )

        class_queue.additional_properties = d
        return class_queue

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
