from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.map_agent import MapAgent
    from ..models.map_track import MapTrack


T = TypeVar("T", bound="JobMap")


@_attrs_define
class JobMap:
    """The work on a job's segments, as far as it is planned.

    Attributes:
        agents (list[MapAgent]): Every agent that is named above.
        tracks (list[MapTrack]): One for the pictures, one for the sound. All renditions of a track are made together,
            segment by segment.
        segment_seconds (float | None | Unset): How much a segment plays, but for the last; absent until the job is
            planned.
    """

    agents: list[MapAgent]
    tracks: list[MapTrack]
    segment_seconds: float | None | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agents = []
        for agents_item_data in self.agents:
            agents_item = agents_item_data.to_dict()
            agents.append(agents_item)

        tracks = []
        for tracks_item_data in self.tracks:
            tracks_item = tracks_item_data.to_dict()
            tracks.append(tracks_item)

        segment_seconds: float | None | Unset
        if isinstance(self.segment_seconds, Unset):
            segment_seconds = UNSET
        else:
            segment_seconds = self.segment_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agents": agents,
                "tracks": tracks,
            }
        )
        if segment_seconds is not UNSET:
            field_dict["segment_seconds"] = segment_seconds

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.map_agent import MapAgent
        from ..models.map_track import MapTrack

        d = dict(src_dict)
        agents = []
        _agents = d.pop("agents")
        for agents_item_data in _agents:
            agents_item = MapAgent.from_dict(agents_item_data)

            agents.append(agents_item)

        tracks = []
        _tracks = d.pop("tracks")
        for tracks_item_data in _tracks:
            tracks_item = MapTrack.from_dict(tracks_item_data)

            tracks.append(tracks_item)

        def _parse_segment_seconds(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        segment_seconds = _parse_segment_seconds(d.pop("segment_seconds", UNSET))

        job_map = cls(
            agents=agents,
            tracks=tracks,
            segment_seconds=segment_seconds,
        )

        job_map.additional_properties = d
        return job_map

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
