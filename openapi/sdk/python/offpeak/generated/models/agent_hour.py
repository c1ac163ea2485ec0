from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.agent_hour_milliseconds import AgentHourMilliseconds


T = TypeVar("T", bound="AgentHour")


@_attrs_define
class AgentHour:
    """One hour of an agent.

    Attributes:
        hour (datetime.datetime): When it began: a full hour, UTC.
        milliseconds (AgentHourMilliseconds): How long the agent was in each state. Example: {'encoding': 1200000,
            'user_active': 2400000}.
    """

    hour: datetime.datetime
    milliseconds: AgentHourMilliseconds
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        hour = self.hour.isoformat()

        milliseconds = self.milliseconds.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "hour": hour,
                "milliseconds": milliseconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.agent_hour_milliseconds import AgentHourMilliseconds

        d = dict(src_dict)
        hour = datetime.datetime.fromisoformat(d.pop("hour"))

        milliseconds = AgentHourMilliseconds.from_dict(d.pop("milliseconds"))

        agent_hour = cls(
            hour=hour,
            milliseconds=milliseconds,
        )

        agent_hour.additional_properties = d
        return agent_hour

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
