from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.create_job_metadata import CreateJobMetadata
    from ..models.fetched_source import FetchedSource
    from ..models.uploaded_source import UploadedSource


T = TypeVar("T", bound="CreateJob")


@_attrs_define
class CreateJob:
    """
    Example:
        {'metadata': {'title': 'All hands, November'}, 'priority': 5, 'profile': 'hls-h264', 'source': {'upload':
            'src_01J8ZC5V2M0N6QW3T7RX9KPEHD'}}

    Attributes:
        source (FetchedSource | UploadedSource): A finished upload, or an address to fetch from.
        deadline (datetime.datetime | None | Unset): When the job should be complete. Among jobs of equal priority of a
            team, the nearest deadline comes first; it is a
            wish, and a job that misses it goes on.
        metadata (CreateJobMetadata | Unset):
        priority (int | Unset): 0 to 9; 9 is the most urgent.
        profile (str | Unset):  Example: hls-h264.
    """

    source: FetchedSource | UploadedSource
    deadline: datetime.datetime | None | Unset = UNSET
    metadata: CreateJobMetadata | Unset = UNSET
    priority: int | Unset = UNSET
    profile: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.uploaded_source import UploadedSource

        source: dict[str, Any]
        if isinstance(self.source, UploadedSource):
            source = self.source.to_dict()
        else:
            source = self.source.to_dict()

        deadline: None | str | Unset
        if isinstance(self.deadline, Unset):
            deadline = UNSET
        elif isinstance(self.deadline, datetime.datetime):
            deadline = self.deadline.isoformat()
        else:
            deadline = self.deadline

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        priority = self.priority

        profile = self.profile

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "source": source,
            }
        )
        if deadline is not UNSET:
            field_dict["deadline"] = deadline
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if priority is not UNSET:
            field_dict["priority"] = priority
        if profile is not UNSET:
            field_dict["profile"] = profile

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.create_job_metadata import CreateJobMetadata
        from ..models.fetched_source import FetchedSource
        from ..models.uploaded_source import UploadedSource

        d = dict(src_dict)

        def _parse_source(data: object) -> FetchedSource | UploadedSource:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_job_source_uploaded_source = UploadedSource.from_dict(data)

                return componentsschemas_job_source_uploaded_source
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_job_source_fetched_source = FetchedSource.from_dict(data)

            return componentsschemas_job_source_fetched_source

        source = _parse_source(d.pop("source"))

        def _parse_deadline(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                deadline_type_0 = datetime.datetime.fromisoformat(data)

                return deadline_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        deadline = _parse_deadline(d.pop("deadline", UNSET))

        _metadata = d.pop("metadata", UNSET)
        metadata: CreateJobMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = CreateJobMetadata.from_dict(_metadata)

        priority = d.pop("priority", UNSET)

        profile = d.pop("profile", UNSET)

        create_job = cls(
            source=source,
            deadline=deadline,
            metadata=metadata,
            priority=priority,
            profile=profile,
        )

        return create_job
