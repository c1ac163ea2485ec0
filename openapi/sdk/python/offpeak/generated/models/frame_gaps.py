from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="FrameGaps")


@_attrs_define
class FrameGaps:
    """How evenly frames are spaced: enough to choose the output frame rate.

    Attributes:
        p90_rate (float): 90th percentile of the instantaneous frame rate, in frames a second.
        share_usual (float): Share of the gaps (0 to 1) that are within 2 % of `usual_seconds`.
        usual_seconds (float): The gap that most frames have, in seconds.
    """

    p90_rate: float
    share_usual: float
    usual_seconds: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        p90_rate = self.p90_rate

        share_usual = self.share_usual

        usual_seconds = self.usual_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "p90_rate": p90_rate,
                "share_usual": share_usual,
                "usual_seconds": usual_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        p90_rate = d.pop("p90_rate")

        share_usual = d.pop("share_usual")

        usual_seconds = d.pop("usual_seconds")

        frame_gaps = cls(
            p90_rate=p90_rate,
            share_usual=share_usual,
            usual_seconds=usual_seconds,
        )

        frame_gaps.additional_properties = d
        return frame_gaps

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
