from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.access import Access
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.audio_profile import AudioProfile
    from ..models.file_profile import FileProfile
    from ..models.video_profile import VideoProfile


T = TypeVar("T", bound="Profile")


@_attrs_define
class Profile:
    """
    Attributes:
        name (str): Lower-case letters, digits and hyphens. Example: hls-h264.
        video (VideoProfile):
        access (Access | Unset):
        audio (AudioProfile | Unset):
        description (str | Unset):
        files (list[FileProfile] | Unset): Files made from the finished segments, without encoding again.
        max_frame_rate (float | Unset): Frame rates above this are lowered to it.
        segment_seconds (float | Unset): Wanted length of a segment, in seconds (1 to 30). Each is one closed GOP.
        span_seconds (float | Unset): Longest span given to one agent, in seconds of video.
    """

    name: str
    video: VideoProfile
    access: Access | Unset = UNSET
    audio: AudioProfile | Unset = UNSET
    description: str | Unset = UNSET
    files: list[FileProfile] | Unset = UNSET
    max_frame_rate: float | Unset = UNSET
    segment_seconds: float | Unset = UNSET
    span_seconds: float | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        video = self.video.to_dict()

        access: str | Unset = UNSET
        if not isinstance(self.access, Unset):
            access = self.access.value

        audio: dict[str, Any] | Unset = UNSET
        if not isinstance(self.audio, Unset):
            audio = self.audio.to_dict()

        description = self.description

        files: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.files, Unset):
            files = []
            for files_item_data in self.files:
                files_item = files_item_data.to_dict()
                files.append(files_item)

        max_frame_rate = self.max_frame_rate

        segment_seconds = self.segment_seconds

        span_seconds = self.span_seconds

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "video": video,
            }
        )
        if access is not UNSET:
            field_dict["access"] = access
        if audio is not UNSET:
            field_dict["audio"] = audio
        if description is not UNSET:
            field_dict["description"] = description
        if files is not UNSET:
            field_dict["files"] = files
        if max_frame_rate is not UNSET:
            field_dict["max_frame_rate"] = max_frame_rate
        if segment_seconds is not UNSET:
            field_dict["segment_seconds"] = segment_seconds
        if span_seconds is not UNSET:
            field_dict["span_seconds"] = span_seconds

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.audio_profile import AudioProfile
        from ..models.file_profile import FileProfile
        from ..models.video_profile import VideoProfile

        d = dict(src_dict)
        name = d.pop("name")

        video = VideoProfile.from_dict(d.pop("video"))

        _access = d.pop("access", UNSET)
        access: Access | Unset
        if isinstance(_access, Unset):
            access = UNSET
        else:
            access = Access(_access)

        _audio = d.pop("audio", UNSET)
        audio: AudioProfile | Unset
        if isinstance(_audio, Unset):
            audio = UNSET
        else:
            audio = AudioProfile.from_dict(_audio)

        description = d.pop("description", UNSET)

        _files = d.pop("files", UNSET)
        files: list[FileProfile] | Unset = UNSET
        if _files is not UNSET:
            files = []
            for files_item_data in _files:
                files_item = FileProfile.from_dict(files_item_data)

                files.append(files_item)

        max_frame_rate = d.pop("max_frame_rate", UNSET)

        segment_seconds = d.pop("segment_seconds", UNSET)

        span_seconds = d.pop("span_seconds", UNSET)

        profile = cls(
            name=name,
            video=video,
            access=access,
            audio=audio,
            description=description,
            files=files,
            max_frame_rate=max_frame_rate,
            segment_seconds=segment_seconds,
            span_seconds=span_seconds,
        )

        return profile
