from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.fleet_figures_machines import FleetFiguresMachines
    from ..models.fleet_speed import FleetSpeed
    from ..models.queue import Queue


T = TypeVar("T", bound="FleetFigures")


@_attrs_define
class FleetFigures:
    """The whole fleet now, machines and jobs of all teams.

    Work is counted in frames × pixels × codec factor, in millions: an hour of 1080p at 25 frames a second in one H.264
    rung is
    187,000.

        Attributes:
            at (datetime.datetime):
            available (int): Machines that encode, or would begin at once, and are given work.
            leased_work (float): Work of leased tasks that is not committed.
            machines (FleetFiguresMachines): How many machines are in each state, revoked ones left out. Example:
                {'encoding': 12, 'offline': 7, 'user_active': 31}.
            machines_wanted (int): For an autoscaler: how many machines that encode all the time would do all work, waiting
                and leased, in
                `within_seconds`. 0 without work; 1 while no speed was measured.
            online (int): Machines that were heard of in the last 90 seconds.
            queue (Queue): What waits for a machine.
            speed (FleetSpeed):
            within_seconds (int):
            backlog_seconds (int | None | Unset): Seconds until all work is done at the present speed; null when nothing is
                being encoded.
            machine_work_per_second (float | None | Unset): What one machine does in a second, measured over the last day;
                null when nothing was encoded in it.
    """

    at: datetime.datetime
    available: int
    leased_work: float
    machines: FleetFiguresMachines
    machines_wanted: int
    online: int
    queue: Queue
    speed: FleetSpeed
    within_seconds: int
    backlog_seconds: int | None | Unset = UNSET
    machine_work_per_second: float | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        available = self.available

        leased_work = self.leased_work

        machines = self.machines.to_dict()

        machines_wanted = self.machines_wanted

        online = self.online

        queue = self.queue.to_dict()

        speed = self.speed.to_dict()

        within_seconds = self.within_seconds

        backlog_seconds: int | None | Unset
        if isinstance(self.backlog_seconds, Unset):
            backlog_seconds = UNSET
        else:
            backlog_seconds = self.backlog_seconds

        machine_work_per_second: float | None | Unset
        if isinstance(self.machine_work_per_second, Unset):
            machine_work_per_second = UNSET
        else:
            machine_work_per_second = self.machine_work_per_second

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "available": available,
                "leased_work": leased_work,
                "machines": machines,
                "machines_wanted": machines_wanted,
                "online": online,
                "queue": queue,
                "speed": speed,
                "within_seconds": within_seconds,
            }
        )
        if backlog_seconds is not UNSET:
            field_dict["backlog_seconds"] = backlog_seconds
        if machine_work_per_second is not UNSET:
            field_dict["machine_work_per_second"] = machine_work_per_second

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.fleet_figures_machines import FleetFiguresMachines
        from ..models.fleet_speed import FleetSpeed
        from ..models.queue import Queue

        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        available = d.pop("available")

        leased_work = d.pop("leased_work")

        machines = FleetFiguresMachines.from_dict(d.pop("machines"))

        machines_wanted = d.pop("machines_wanted")

        online = d.pop("online")

        queue = Queue.from_dict(d.pop("queue"))

        speed = FleetSpeed.from_dict(d.pop("speed"))

        within_seconds = d.pop("within_seconds")

        def _parse_backlog_seconds(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        backlog_seconds = _parse_backlog_seconds(d.pop("backlog_seconds", UNSET))

        def _parse_machine_work_per_second(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        machine_work_per_second = _parse_machine_work_per_second(d.pop("machine_work_per_second", UNSET))

        fleet_figures = cls(
            at=at,
            available=available,
            leased_work=leased_work,
            machines=machines,
            machines_wanted=machines_wanted,
            online=online,
            queue=queue,
            speed=speed,
            within_seconds=within_seconds,
            backlog_seconds=backlog_seconds,
            machine_work_per_second=machine_work_per_second,
        )

        fleet_figures.additional_properties = d
        return fleet_figures

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
