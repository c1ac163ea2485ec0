from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.hours import Hours


T = TypeVar("T", bound="Policy")


@_attrs_define
class Policy:
    """What is absent has its default. All fields are always sent, so that an engine needs no defaults of its own.

    Attributes:
        mains_only (bool | Unset): Not on battery. Default: True.
        max_bits_per_second (int | None | Unset): Cap on the network rate for media, in bits a second; none when null.
        max_cores (int | None | Unset): The most cores to use; all of them when null.
        max_memory_mib (int | None | Unset): The most memory for encoding, in MiB; what the machine can spare when null.
        other_cpu_below (float | Unset): Work begins while other programs use less than this share of the whole
            processor: 0.05 to 1. Default: 0.3.
        release_after_suspended_seconds (int | Unset): Work that was suspended for so long is handed back: 30 s to an
            hour. Default: 600.
        require_sandbox (bool | Unset): No work for machines on which ffmpeg is not walled off in full
            (`capabilities.sandbox`). Default: False.
        resume_after_idle_seconds (int | Unset): Suspended work goes on after so long without input: 5 s to an hour.
            Default: 60.
        schedule (list[Hours] | Unset): When work is allowed, by the clock of the machine; at any time when empty.
        start_after_idle_seconds (int | Unset): Work begins after so long without any input: 10 s to a day. Default:
            300.
        unmetered_only (bool | Unset): Not over a connection that is paid by volume. Default: True.
    """

    mains_only: bool | Unset = True
    max_bits_per_second: int | None | Unset = UNSET
    max_cores: int | None | Unset = UNSET
    max_memory_mib: int | None | Unset = UNSET
    other_cpu_below: float | Unset = 0.3
    release_after_suspended_seconds: int | Unset = 600
    require_sandbox: bool | Unset = False
    resume_after_idle_seconds: int | Unset = 60
    schedule: list[Hours] | Unset = UNSET
    start_after_idle_seconds: int | Unset = 300
    unmetered_only: bool | Unset = True
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        mains_only = self.mains_only

        max_bits_per_second: int | None | Unset
        if isinstance(self.max_bits_per_second, Unset):
            max_bits_per_second = UNSET
        else:
            max_bits_per_second = self.max_bits_per_second

        max_cores: int | None | Unset
        if isinstance(self.max_cores, Unset):
            max_cores = UNSET
        else:
            max_cores = self.max_cores

        max_memory_mib: int | None | Unset
        if isinstance(self.max_memory_mib, Unset):
            max_memory_mib = UNSET
        else:
            max_memory_mib = self.max_memory_mib

        other_cpu_below = self.other_cpu_below

        release_after_suspended_seconds = self.release_after_suspended_seconds

        require_sandbox = self.require_sandbox

        resume_after_idle_seconds = self.resume_after_idle_seconds

        schedule: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.schedule, Unset):
            schedule = []
            for schedule_item_data in self.schedule:
                schedule_item = schedule_item_data.to_dict()
                schedule.append(schedule_item)

        start_after_idle_seconds = self.start_after_idle_seconds

        unmetered_only = self.unmetered_only

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if mains_only is not UNSET:
            field_dict["mains_only"] = mains_only
        if max_bits_per_second is not UNSET:
            field_dict["max_bits_per_second"] = max_bits_per_second
        if max_cores is not UNSET:
            field_dict["max_cores"] = max_cores
        if max_memory_mib is not UNSET:
            field_dict["max_memory_mib"] = max_memory_mib
        if other_cpu_below is not UNSET:
            field_dict["other_cpu_below"] = other_cpu_below
        if release_after_suspended_seconds is not UNSET:
            field_dict["release_after_suspended_seconds"] = release_after_suspended_seconds
        if require_sandbox is not UNSET:
            field_dict["require_sandbox"] = require_sandbox
        if resume_after_idle_seconds is not UNSET:
            field_dict["resume_after_idle_seconds"] = resume_after_idle_seconds
        if schedule is not UNSET:
            field_dict["schedule"] = schedule
        if start_after_idle_seconds is not UNSET:
            field_dict["start_after_idle_seconds"] = start_after_idle_seconds
        if unmetered_only is not UNSET:
            field_dict["unmetered_only"] = unmetered_only

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.hours import Hours

        d = dict(src_dict)
        mains_only = d.pop("mains_only", UNSET)

        def _parse_max_bits_per_second(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        max_bits_per_second = _parse_max_bits_per_second(d.pop("max_bits_per_second", UNSET))

        def _parse_max_cores(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        max_cores = _parse_max_cores(d.pop("max_cores", UNSET))

        def _parse_max_memory_mib(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        max_memory_mib = _parse_max_memory_mib(d.pop("max_memory_mib", UNSET))

        other_cpu_below = d.pop("other_cpu_below", UNSET)

        release_after_suspended_seconds = d.pop("release_after_suspended_seconds", UNSET)

        require_sandbox = d.pop("require_sandbox", UNSET)

        resume_after_idle_seconds = d.pop("resume_after_idle_seconds", UNSET)

        _schedule = d.pop("schedule", UNSET)
        schedule: list[Hours] | Unset = UNSET
        if _schedule is not UNSET:
            schedule = []
            for schedule_item_data in _schedule:
                schedule_item = Hours.from_dict(schedule_item_data)

                schedule.append(schedule_item)

        start_after_idle_seconds = d.pop("start_after_idle_seconds", UNSET)

        unmetered_only = d.pop("unmetered_only", UNSET)

        policy = cls(
            mains_only=mains_only,
            max_bits_per_second=max_bits_per_second,
            max_cores=max_cores,
            max_memory_mib=max_memory_mib,
            other_cpu_below=other_cpu_below,
            release_after_suspended_seconds=release_after_suspended_seconds,
            require_sandbox=require_sandbox,
            resume_after_idle_seconds=resume_after_idle_seconds,
            schedule=schedule,
            start_after_idle_seconds=start_after_idle_seconds,
            unmetered_only=unmetered_only,
        )

        policy.additional_properties = d
        return policy

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
