from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.task_failure import TaskFailure


T = TypeVar("T", bound="JobError")


@_attrs_define
class JobError:
    """
    Attributes:
        code (str): Stable name, such as `no_video_index` or `fetch_failed`.
        message (str): What happened, and what to do, in words for a person.
        failures (list[TaskFailure] | Unset): Every failure of the task that decided, oldest first; nothing when the
            result itself said that the job cannot succeed.
        log_tail (list[str] | Unset): The last lines of the log of the failure that decided.
    """

    code: str
    message: str
    failures: list[TaskFailure] | Unset = UNSET
    log_tail: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        message = self.message

        failures: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.failures, Unset):
            failures = []
            for failures_item_data in self.failures:
                failures_item = failures_item_data.to_dict()
                failures.append(failures_item)

        log_tail: list[str] | Unset = UNSET
        if not isinstance(self.log_tail, Unset):
            log_tail = self.log_tail

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "message": message,
            }
        )
        if failures is not UNSET:
            field_dict["failures"] = failures
        if log_tail is not UNSET:
            field_dict["log_tail"] = log_tail

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.task_failure import TaskFailure

        d = dict(src_dict)
        code = d.pop("code")

        message = d.pop("message")

        _failures = d.pop("failures", UNSET)
        failures: list[TaskFailure] | Unset = UNSET
        if _failures is not UNSET:
            failures = []
            for failures_item_data in _failures:
                failures_item = TaskFailure.from_dict(failures_item_data)

                failures.append(failures_item)

        log_tail = cast(list[str], d.pop("log_tail", UNSET))

        job_error = cls(
            code=code,
            message=message,
            failures=failures,
            log_tail=log_tail,
        )

        job_error.additional_properties = d
        return job_error

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
