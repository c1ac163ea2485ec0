from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.fleet_sample_machines import FleetSampleMachines
    from ..models.fleet_speed import FleetSpeed
    from ..models.queue import Queue


T = TypeVar("T", bound="FleetSample")


@_attrs_define
class FleetSample:
    """The fleet as it was.

    Attributes:
        at (datetime.datetime):
        leased_work (float):
        machines (FleetSampleMachines):
        queue (Queue): What waits for a machine.
        speed (FleetSpeed):
    """

    at: datetime.datetime
    leased_work: float
    machines: FleetSampleMachines
    queue: Queue
    speed: FleetSpeed
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        at = self.at.isoformat()

        leased_work = self.leased_work

        machines = self.machines.to_dict()

        queue = self.queue.to_dict()

        speed = self.speed.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "at": at,
                "leased_work": leased_work,
                "machines": machines,
                "queue": queue,
                "speed": speed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.fleet_sample_machines import FleetSampleMachines
        from ..models.fleet_speed import FleetSpeed
        from ..models.queue import Queue

        d = dict(src_dict)
        at = datetime.datetime.fromisoformat(d.pop("at"))

        leased_work = d.pop("leased_work")

        machines = FleetSampleMachines.from_dict(d.pop("machines"))

        queue = Queue.from_dict(d.pop("queue"))

        speed = FleetSpeed.from_dict(d.pop("speed"))

        fleet_sample = cls(
            at=at,
            leased_work=leased_work,
            machines=machines,
            queue=queue,
            speed=speed,
        )

        fleet_sample.additional_properties = d
        return fleet_sample

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
