from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.agent_at_work import AgentAtWork
    from ..models.rendition_progress import RenditionProgress


T = TypeVar("T", bound="JobProgress")


@_attrs_define
class JobProgress:
    """Progress never goes backwards while a job runs.

    Attributes:
        agents (list[AgentAtWork]): Agents that hold leases of this job now.
        files_done (int): Files made, of those that the profile asks for.
        files_total (int):
        fraction (float): 0 to 1 over all stages.
        frames_total (int): Frames of the presentation, planned or, at the end, true.
        probe (float): 0 to 1: the source's way into storage (1 for uploads) and its probe.
        renditions (list[RenditionProgress]):
        throughput (float | Unset): How many times as fast as it plays the film is encoded now, by all machines
            together; 0 when nobody is at its pictures.
    """

    agents: list[AgentAtWork]
    files_done: int
    files_total: int
    fraction: float
    frames_total: int
    probe: float
    renditions: list[RenditionProgress]
    throughput: float | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        agents = []
        for agents_item_data in self.agents:
            agents_item = agents_item_data.to_dict()
            agents.append(agents_item)

        files_done = self.files_done

        files_total = self.files_total

        fraction = self.fraction

        frames_total = self.frames_total

        probe = self.probe

        renditions = []
        for renditions_item_data in self.renditions:
            renditions_item = renditions_item_data.to_dict()
            renditions.append(renditions_item)

        throughput = self.throughput

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "agents": agents,
                "files_done": files_done,
                "files_total": files_total,
                "fraction": fraction,
                "frames_total": frames_total,
                "probe": probe,
                "renditions": renditions,
            }
        )
        if throughput is not UNSET:
            field_dict["throughput"] = throughput

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.agent_at_work import AgentAtWork
        from ..models.rendition_progress import RenditionProgress

        d = dict(src_dict)
        agents = []
        _agents = d.pop("agents")
        for agents_item_data in _agents:
            agents_item = AgentAtWork.from_dict(agents_item_data)

            agents.append(agents_item)

        files_done = d.pop("files_done")

        files_total = d.pop("files_total")

        fraction = d.pop("fraction")

        frames_total = d.pop("frames_total")

        probe = d.pop("probe")

        renditions = []
        _renditions = d.pop("renditions")
        for renditions_item_data in _renditions:
            renditions_item = RenditionProgress.from_dict(renditions_item_data)

            renditions.append(renditions_item)

        throughput = d.pop("throughput", UNSET)

        job_progress = cls(
            agents=agents,
            files_done=files_done,
            files_total=files_total,
            fraction=fraction,
            frames_total=frames_total,
            probe=probe,
            renditions=renditions,
            throughput=throughput,
        )

        job_progress.additional_properties = d
        return job_progress

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
