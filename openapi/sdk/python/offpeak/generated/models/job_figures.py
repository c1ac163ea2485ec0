from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.job_figures_ended import JobFiguresEnded
    from ..models.job_figures_open import JobFiguresOpen


T = TypeVar("T", bound="JobFigures")


@_attrs_define
class JobFigures:
    """The jobs of a team in figures.

    Example:
        {'elapsed_seconds': 2400.0, 'ended': {'completed': 14, 'failed': 1}, 'film_seconds': 5400.0, 'from':
            '2026-11-25T00:00:00Z', 'one_machine_seconds': 9100.0, 'open': {'encoding': 2, 'queued': 1},
            'rendition_seconds': 21600.0, 'to': '2026-11-26T00:00:00Z', 'working_seconds': 2700.0}

    Attributes:
        elapsed_seconds (float): For how long at least one of the jobs was worked on that `one_machine_seconds` counts;
            when several were at once, that
            counts once. The difference is the time saved by having more than one machine.
        ended (JobFiguresEnded): How many ended within the range, by how.
        film_seconds (float): How long the films are that were completed within the range.
        from_ (datetime.datetime): Of jobs that ended from here on…
        one_machine_seconds (float): What the encodes of these jobs would have taken one after the other on a single
            machine that is as fast as those that made
            them were found to be, pauses for their people included. Jobs of which that is not known are left out.
        open_ (JobFiguresOpen): How many jobs are under way now, by state; states without jobs are left out.
        rendition_seconds (float): How long all their video renditions are, one after the other: what clouds charge for.
        to (datetime.datetime): …and before.
        working_seconds (float): From the first lease of each of these jobs to its end, added up.
    """

    elapsed_seconds: float
    ended: JobFiguresEnded
    film_seconds: float
    from_: datetime.datetime
    one_machine_seconds: float
    open_: JobFiguresOpen
    rendition_seconds: float
    to: datetime.datetime
    working_seconds: float
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        elapsed_seconds = self.elapsed_seconds

        ended = self.ended.to_dict()

        film_seconds = self.film_seconds

        from_ = self.from_.isoformat()

        one_machine_seconds = self.one_machine_seconds

        open_ = self.open_.to_dict()

        rendition_seconds = self.rendition_seconds

        to = self.to.isoformat()

        working_seconds = self.working_seconds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "elapsed_seconds": elapsed_seconds,
                "ended": ended,
                "film_seconds": film_seconds,
                "from": from_,
                "one_machine_seconds": one_machine_seconds,
                "open": open_,
                "rendition_seconds": rendition_seconds,
                "to": to,
                "working_seconds": working_seconds,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.job_figures_ended import JobFiguresEnded
        from ..models.job_figures_open import JobFiguresOpen

        d = dict(src_dict)
        elapsed_seconds = d.pop("elapsed_seconds")

        ended = JobFiguresEnded.from_dict(d.pop("ended"))

        film_seconds = d.pop("film_seconds")

        from_ = datetime.datetime.fromisoformat(d.pop("from"))

        one_machine_seconds = d.pop("one_machine_seconds")

        open_ = JobFiguresOpen.from_dict(d.pop("open"))

        rendition_seconds = d.pop("rendition_seconds")

        to = datetime.datetime.fromisoformat(d.pop("to"))

        working_seconds = d.pop("working_seconds")

        job_figures = cls(
            elapsed_seconds=elapsed_seconds,
            ended=ended,
            film_seconds=film_seconds,
            from_=from_,
            one_machine_seconds=one_machine_seconds,
            open_=open_,
            rendition_seconds=rendition_seconds,
            to=to,
            working_seconds=working_seconds,
        )

        job_figures.additional_properties = d
        return job_figures

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
