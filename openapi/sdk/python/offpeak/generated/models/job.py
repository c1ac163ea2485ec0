from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.job_state import JobState
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.facts import Facts
    from ..models.job_error import JobError
    from ..models.job_metadata import JobMetadata
    from ..models.job_progress import JobProgress
    from ..models.outputs import Outputs
    from ..models.warning import Warning_


T = TypeVar("T", bound="Job")


@_attrs_define
class Job:
    """
    Attributes:
        created_at (datetime.datetime):
        id (str):
        metadata (JobMetadata):
        priority (int):
        profile (str):
        progress (JobProgress): Progress never goes backwards while a job runs.
        source (str):
        state (JobState):
        team (str):
        deadline (datetime.datetime | None | Unset):
        ended_at (datetime.datetime | None | Unset):
        error (JobError | None | Unset):
        eta_p90_seconds (int | None | Unset): Seconds until completion that about nine of ten jobs keep: with as few
            machines as in the worst tenth of the last day,
            and slow ones at the end. Never less than `eta_seconds`.
        eta_seconds (int | None | Unset): Seconds until completion, as likely more as less: from the speed of the
            machines that are there now, what is queued ahead,
            the team's fair share, and what is left of the job. Null when the job is over or nothing is known to estimate
            from: no
            machine is available, or no job of the profile came to its end before and this one is not probed yet.
        facts (Facts | None | Unset):
        outputs (Outputs | Unset): Addresses of what came out; absolute.
        playable_at (datetime.datetime | None | Unset): From when on a player could start.
        source_name (None | str | Unset): The name of the source's file, from its upload or its address; absent when
            neither tells one.
        started_at (datetime.datetime | None | Unset):
        warnings (list[Warning_] | Unset):
    """

    created_at: datetime.datetime
    id: str
    metadata: JobMetadata
    priority: int
    profile: str
    progress: JobProgress
    source: str
    state: JobState
    team: str
    deadline: datetime.datetime | None | Unset = UNSET
    ended_at: datetime.datetime | None | Unset = UNSET
    error: JobError | None | Unset = UNSET
    eta_p90_seconds: int | None | Unset = UNSET
    eta_seconds: int | None | Unset = UNSET
    facts: Facts | None | Unset = UNSET
    outputs: Outputs | Unset = UNSET
    playable_at: datetime.datetime | None | Unset = UNSET
    source_name: None | str | Unset = UNSET
    started_at: datetime.datetime | None | Unset = UNSET
    warnings: list[Warning_] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.facts import Facts
        from ..models.job_error import JobError

        created_at = self.created_at.isoformat()

        id = self.id

        metadata = self.metadata.to_dict()

        priority = self.priority

        profile = self.profile

        progress = self.progress.to_dict()

        source = self.source

        state = self.state.value

        team = self.team

        deadline: None | str | Unset
        if isinstance(self.deadline, Unset):
            deadline = UNSET
        elif isinstance(self.deadline, datetime.datetime):
            deadline = self.deadline.isoformat()
        else:
            deadline = self.deadline

        ended_at: None | str | Unset
        if isinstance(self.ended_at, Unset):
            ended_at = UNSET
        elif isinstance(self.ended_at, datetime.datetime):
            ended_at = self.ended_at.isoformat()
        else:
            ended_at = self.ended_at

        error: dict[str, Any] | None | Unset
        if isinstance(self.error, Unset):
            error = UNSET
        elif isinstance(self.error, JobError):
            error = self.error.to_dict()
        else:
            error = self.error

        eta_p90_seconds: int | None | Unset
        if isinstance(self.eta_p90_seconds, Unset):
            eta_p90_seconds = UNSET
        else:
            eta_p90_seconds = self.eta_p90_seconds

        eta_seconds: int | None | Unset
        if isinstance(self.eta_seconds, Unset):
            eta_seconds = UNSET
        else:
            eta_seconds = self.eta_seconds

        facts: dict[str, Any] | None | Unset
        if isinstance(self.facts, Unset):
            facts = UNSET
        elif isinstance(self.facts, Facts):
            facts = self.facts.to_dict()
        else:
            facts = self.facts

        outputs: dict[str, Any] | Unset = UNSET
        if not isinstance(self.outputs, Unset):
            outputs = self.outputs.to_dict()

        playable_at: None | str | Unset
        if isinstance(self.playable_at, Unset):
            playable_at = UNSET
        elif isinstance(self.playable_at, datetime.datetime):
            playable_at = self.playable_at.isoformat()
        else:
            playable_at = self.playable_at

        source_name: None | str | Unset
        if isinstance(self.source_name, Unset):
            source_name = UNSET
        else:
            source_name = self.source_name

        started_at: None | str | Unset
        if isinstance(self.started_at, Unset):
            started_at = UNSET
        elif isinstance(self.started_at, datetime.datetime):
            started_at = self.started_at.isoformat()
        else:
            started_at = self.started_at

        warnings: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.warnings, Unset):
            warnings = []
            for warnings_item_data in self.warnings:
                warnings_item = warnings_item_data.to_dict()
                warnings.append(warnings_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "created_at": created_at,
                "id": id,
                "metadata": metadata,
                "priority": priority,
                "profile": profile,
                "progress": progress,
                "source": source,
                "state": state,
                "team": team,
            }
        )
        if deadline is not UNSET:
            field_dict["deadline"] = deadline
        if ended_at is not UNSET:
            field_dict["ended_at"] = ended_at
        if error is not UNSET:
            field_dict["error"] = error
        if eta_p90_seconds is not UNSET:
            field_dict["eta_p90_seconds"] = eta_p90_seconds
        if eta_seconds is not UNSET:
            field_dict["eta_seconds"] = eta_seconds
        if facts is not UNSET:
            field_dict["facts"] = facts
        if outputs is not UNSET:
            field_dict["outputs"] = outputs
        if playable_at is not UNSET:
            field_dict["playable_at"] = playable_at
        if source_name is not UNSET:
            field_dict["source_name"] = source_name
        if started_at is not UNSET:
            field_dict["started_at"] = started_at
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.facts import Facts
        from ..models.job_error import JobError
        from ..models.job_metadata import JobMetadata
        from ..models.job_progress import JobProgress
        from ..models.outputs import Outputs
        from ..models.warning import Warning_

        d = dict(src_dict)
        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        id = d.pop("id")

        metadata = JobMetadata.from_dict(d.pop("metadata"))

        priority = d.pop("priority")

        profile = d.pop("profile")

        progress = JobProgress.from_dict(d.pop("progress"))

        source = d.pop("source")

        state = JobState(d.pop("state"))

        team = d.pop("team")

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

        def _parse_ended_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                ended_at_type_0 = datetime.datetime.fromisoformat(data)

                return ended_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        ended_at = _parse_ended_at(d.pop("ended_at", UNSET))

        def _parse_error(data: object) -> JobError | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                error_type_0 = JobError.from_dict(data)

                return error_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(JobError | None | Unset, data)

        error = _parse_error(d.pop("error", UNSET))

        def _parse_eta_p90_seconds(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        eta_p90_seconds = _parse_eta_p90_seconds(d.pop("eta_p90_seconds", UNSET))

        def _parse_eta_seconds(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        eta_seconds = _parse_eta_seconds(d.pop("eta_seconds", UNSET))

        def _parse_facts(data: object) -> Facts | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                facts_type_0 = Facts.from_dict(data)

                return facts_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(Facts | None | Unset, data)

        facts = _parse_facts(d.pop("facts", UNSET))

        _outputs = d.pop("outputs", UNSET)
        outputs: Outputs | Unset
        if isinstance(_outputs, Unset):
            outputs = UNSET
        else:
            outputs = Outputs.from_dict(_outputs)

        def _parse_playable_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                playable_at_type_0 = datetime.datetime.fromisoformat(data)

                return playable_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        playable_at = _parse_playable_at(d.pop("playable_at", UNSET))

        def _parse_source_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        source_name = _parse_source_name(d.pop("source_name", UNSET))

        def _parse_started_at(data: object) -> datetime.datetime | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                started_at_type_0 = datetime.datetime.fromisoformat(data)

                return started_at_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(datetime.datetime | None | Unset, data)

        started_at = _parse_started_at(d.pop("started_at", UNSET))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[Warning_] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = Warning_.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        job = cls(
            created_at=created_at,
            id=id,
            metadata=metadata,
            priority=priority,
            profile=profile,
            progress=progress,
            source=source,
            state=state,
            team=team,
            deadline=deadline,
            ended_at=ended_at,
            error=error,
            eta_p90_seconds=eta_p90_seconds,
            eta_seconds=eta_seconds,
            facts=facts,
            outputs=outputs,
            playable_at=playable_at,
            source_name=source_name,
            started_at=started_at,
            warnings=warnings,
        )

        job.additional_properties = d
        return job

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
