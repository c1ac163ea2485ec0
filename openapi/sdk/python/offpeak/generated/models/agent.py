from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.agent_state import AgentState
from ..models.set_aside_by import SetAsideBy
from ..models.standing import Standing
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.capabilities import Capabilities


T = TypeVar("T", bound="Agent")


@_attrs_define
class Agent:
    """
    Attributes:
        frames_per_second (float): Frames a second, over all of its leases.
        group (str):
        id (str):
        name (str):
        real_time_speed (float): Seconds of video encoded in a second, in all rungs, over all of its leases.
        standing (Standing): What people and the server make of an agent, whatever it is doing.
        state (AgentState): What an engine is doing, or what keeps it from it. Exactly one is true: the first of this
            list that applies.
        state_since (datetime.datetime):
        working (bool): Holds at least one lease.
        capabilities (Capabilities | None | Unset):
        last_seen_at (datetime.datetime | None | Unset):
        set_aside_by (None | SetAsideBy | Unset):
        standing_reason (None | str | Unset):
        state_code (None | str | Unset): Stable name of the fault, when broken.
        state_reason (None | str | Unset):
    """

    frames_per_second: float
    group: str
    id: str
    name: str
    real_time_speed: float
    standing: Standing
    state: AgentState
    state_since: datetime.datetime
    working: bool
    capabilities: Capabilities | None | Unset = UNSET
    last_seen_at: datetime.datetime | None | Unset = UNSET
    set_aside_by: None | SetAsideBy | Unset = UNSET
    standing_reason: None | str | Unset = UNSET
    state_code: None | str | Unset = UNSET
    state_reason: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.capabilities import Capabilities

        frames_per_second = self.frames_per_second

        group = self.group

        id = self.id

        name = self.name

        real_time_speed = self.real_time_speed

        standing = self.standing.value

        state = self.state.value

        state_since = self.state_since.isoformat()

        working = self.working

        capabilities: dict[str, Any] | None | Unset
        if isinstance(self.capabilities, Unset):
            capabilities = UNSET
        elif isinstance(self.capabilities, Capabilities):
            capabilities = self.capabilities.to_dict()
        else:
            capabilities = self.capabilities

        last_seen_at: None | str | Unset
        if isinstance(self.last_seen_at, Unset):
            last_seen_at = UNSET
        elif isinstance(self.last_seen_at, datetime.datetime):
            last_seen_at = self.last_seen_at.isoformat()
        else:
            last_seen_at = self.last_seen_at

        set_aside_by: None | str | Unset
        if isinstance(self.set_aside_by, Unset):
            set_aside_by = UNSET
        elif isinstance(self.set_aside_by, SetAsideBy):
            set_aside_by = self.set_aside_by.value
        else:
            set_aside_by = self.set_aside_by

        standing_reason: None | str | Unset
        if isinstance(self.standing_reason, Unset):
            standing_reason = UNSET
        else:
            standing_reason = self.standing_reason

        state_code: None | str | Unset
        if isinstance(self.state_code, Unset):
            state_code = UNSET
        else:
            state_code = self.state_code

        state_reason: None | str | Unset
        if isinstance(self.state_reason, Unset):
            state_reason = UNSET
        else:
            state_reason = self.state_reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "frames_per_second": frames_per_second,
                "group": group,
                "id": id,
                "name": name,
                "real_time_speed": real_time_speed,
                "standing": standing,
                "state": state,
                "state_since": state_since,
                "working": working,
            }
        )
        if capabilities is not UNSET:
            field_dict["capabilities"] = capabilities
        if last_seen_at is not UNSET:
            field_dict["last_seen_at"] = last_seen_at
        if set_aside_by is not UNSET:
            field_dict["set_aside_by"] = set_aside_by
        if standing_reason is not UNSET:
            field_dict["standing_reason"] = standing_reason
        if state_code is not UNSET:
            field_dict["state_code"] = state_code
        if state_reason is not UNSET:
            field_dict["state_reason"] = state_reason

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.capabilities import Capabilities

        d = dict(src_dict)
        frames_per_second = d.pop("frames_per_second")

        group = d.pop("group")

        id = d.pop("id")

        name = d.pop("name")

        real_time_speed = d.pop("real_time_speed")

        standing = Standing(d.pop("standing"))

        state = AgentState(d.pop("state"))

        state_since = datetime.datetime.fromisoformat(d.pop("state_since"))

        working = d.pop("working")

        def _parse_capabilities(data: object) -> Capabilities | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                capabilities_type_0 = Capabilities.from_dict(data)

                return capabilities_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Capabilities | None | Unset, data)

        capabilities = _parse_capabilities(d.pop("capabilities", UNSET))

        def _parse_last_seen_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                last_seen_at_type_0 = datetime.datetime.fromisoformat(data)

                return last_seen_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        last_seen_at = _parse_last_seen_at(d.pop("last_seen_at", UNSET))

        def _parse_set_aside_by(data: object) -> None | SetAsideBy | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                set_aside_by_type_0 = SetAsideBy(data)

                return set_aside_by_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | SetAsideBy | Unset, data)

        set_aside_by = _parse_set_aside_by(d.pop("set_aside_by", UNSET))

        def _parse_standing_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        standing_reason = _parse_standing_reason(d.pop("standing_reason", UNSET))

        def _parse_state_code(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        state_code = _parse_state_code(d.pop("state_code", UNSET))

        def _parse_state_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        state_reason = _parse_state_reason(d.pop("state_reason", UNSET))

        agent = cls(
            frames_per_second=frames_per_second,
            group=group,
            id=id,
            name=name,
            real_time_speed=real_time_speed,
            standing=standing,
            state=state,
            state_since=state_since,
            working=working,
            capabilities=capabilities,
            last_seen_at=last_seen_at,
            set_aside_by=set_aside_by,
            standing_reason=standing_reason,
            state_code=state_code,
            state_reason=state_reason,
        )

        agent.additional_properties = d
        return agent

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
