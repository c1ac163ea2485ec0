from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.audio_facts import AudioFacts
    from ..models.video_facts import VideoFacts
    from ..models.warning import Warning_


T = TypeVar("T", bound="Facts")


@_attrs_define
class Facts:
    """Everything that planning needs to know about a source. All times are the source's own timestamps, in seconds.

    Attributes:
        bytes_ (int):
        container (str): The demuxer's name as ffmpeg has it, such as `mov,mp4,m4a,3gp,3g2,mj2` or `mpegts`.
        audio (AudioFacts | None | Unset):
        video (None | Unset | VideoFacts):
        warnings (list[Warning_] | Unset): What a person should know although the job goes on, such as a file that ends
            early.
    """

    bytes_: int
    container: str
    audio: AudioFacts | None | Unset = UNSET
    video: None | Unset | VideoFacts = UNSET
    warnings: list[Warning_] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.audio_facts import AudioFacts
        from ..models.video_facts import VideoFacts

        bytes_ = self.bytes_

        container = self.container

        audio: dict[str, Any] | None | Unset
        if isinstance(self.audio, Unset):
            audio = UNSET
        elif isinstance(self.audio, AudioFacts):
            audio = self.audio.to_dict()
        else:
            audio = self.audio

        video: dict[str, Any] | None | Unset
        if isinstance(self.video, Unset):
            video = UNSET
        elif isinstance(self.video, VideoFacts):
            video = self.video.to_dict()
        else:
            video = self.video

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
                "bytes": bytes_,
                "container": container,
            }
        )
        if audio is not UNSET:
            field_dict["audio"] = audio
        if video is not UNSET:
            field_dict["video"] = video
        if warnings is not UNSET:
            field_dict["warnings"] = warnings

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.audio_facts import AudioFacts
        from ..models.video_facts import VideoFacts
        from ..models.warning import Warning_

        d = dict(src_dict)
        bytes_ = d.pop("bytes")

        container = d.pop("container")

        def _parse_audio(data: object) -> AudioFacts | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                audio_type_0 = AudioFacts.from_dict(data)

                return audio_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AudioFacts | None | Unset, data)

        audio = _parse_audio(d.pop("audio", UNSET))

        def _parse_video(data: object) -> None | Unset | VideoFacts:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                video_type_0 = VideoFacts.from_dict(data)

                return video_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | VideoFacts, data)

        video = _parse_video(d.pop("video", UNSET))

        _warnings = d.pop("warnings", UNSET)
        warnings: list[Warning_] | Unset = UNSET
        if _warnings is not UNSET:
            warnings = []
            for warnings_item_data in _warnings:
                warnings_item = Warning_.from_dict(warnings_item_data)

                warnings.append(warnings_item)

        facts = cls(
            bytes_=bytes_,
            container=container,
            audio=audio,
            video=video,
            warnings=warnings,
        )

        facts.additional_properties = d
        return facts

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
