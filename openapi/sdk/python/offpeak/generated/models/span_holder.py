from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.holder_state import HolderState
from ..types import UNSET, Unset

T = TypeVar("T", bound="SpanHolder")


@_attrs_define
class SpanHolder:
    """
    Attributes:
        agent (str):
        frames_per_second (float):
        silent (bool): Nothing was heard of it for longer than its lease lasts: whoever asks next gets the span.
        state (HolderState):
        reason (None | str | Unset): Why it is suspended, in the agent's words.
    """

    agent: str
    frames_per_second: float
    silent: bool
    state: HolderState
    reason: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agent = self.agent

        frames_per_second = self.frames_per_second

        silent = self.silent

        state = self.state.value

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agent": agent,
                "frames_per_second": frames_per_second,
                "silent": silent,
                "state": state,
            }
        )
        if reason is not UNSET:
            field_dict["reason"] = reason

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        agent = d.pop("agent")

        frames_per_second = d.pop("frames_per_second")

        silent = d.pop("silent")

        state = HolderState(d.pop("state"))

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        span_holder = cls(
            agent=agent,
            frames_per_second=frames_per_second,
            silent=silent,
            state=state,
            reason=reason,
        )

        span_holder.additional_properties = d
        return span_holder

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
