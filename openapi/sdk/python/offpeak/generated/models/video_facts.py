from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.frame_gaps import FrameGaps
    from ..models.ratio import Ratio


T = TypeVar("T", bound="VideoFacts")


@_attrs_define
class VideoFacts:
    """
    Attributes:
        codec (str):
        end_seconds (float): Presentation end: the last frame's time plus its duration.
        frames (int):
        gaps (FrameGaps): How evenly frames are spaced: enough to choose the output frame rate.
        height (int):
        interlaced (bool):
        open_gop (bool): Frames that are shown before a keyframe but come after it in the file: seeking needs one
            keyframe more.
        pixel_format (str):
        rotation (int): Clockwise turn for display: 0, 90, 180 or 270.
        sample_aspect (Ratio): A positive rational number, such as a frame rate of 30000/1001.
        start_seconds (float):
        stream (int): The stream's index in the file.
        width (int): Coded size, before rotation and before the sample aspect ratio.
        keyframes_seconds (list[float] | Unset): Presentation times of keyframes (decode times where a container has no
            others), ascending, thinned out to at most
            two a second. Left out (empty) where a job is read.
        transfer (None | str | Unset): `smpte2084` (PQ), `arib-std-b67` (HLG), `bt709` …, if the file says so.
    """

    codec: str
    end_seconds: float
    frames: int
    gaps: FrameGaps
    height: int
    interlaced: bool
    open_gop: bool
    pixel_format: str
    rotation: int
    sample_aspect: Ratio
    start_seconds: float
    stream: int
    width: int
    keyframes_seconds: list[float] | Unset = UNSET
    transfer: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        codec = self.codec

        end_seconds = self.end_seconds

        frames = self.frames

        gaps = self.gaps.to_dict()

        height = self.height

        interlaced = self.interlaced

        open_gop = self.open_gop

        pixel_format = self.pixel_format

        rotation = self.rotation

        sample_aspect = self.sample_aspect.to_dict()

        start_seconds = self.start_seconds

        stream = self.stream

        width = self.width

        keyframes_seconds: list[float] | Unset = UNSET
        if not isinstance(self.keyframes_seconds, Unset):
            keyframes_seconds = self.keyframes_seconds

        transfer: None | str | Unset
        if isinstance(self.transfer, Unset):
            transfer = UNSET
        else:
            transfer = self.transfer

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "codec": codec,
                "end_seconds": end_seconds,
                "frames": frames,
                "gaps": gaps,
                "height": height,
                "interlaced": interlaced,
                "open_gop": open_gop,
                "pixel_format": pixel_format,
                "rotation": rotation,
                "sample_aspect": sample_aspect,
                "start_seconds": start_seconds,
                "stream": stream,
                "width": width,
            }
        )
        if keyframes_seconds is not UNSET:
            field_dict["keyframes_seconds"] = keyframes_seconds
        if transfer is not UNSET:
            field_dict["transfer"] = transfer

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.frame_gaps import FrameGaps
        from ..models.ratio import Ratio

        d = dict(src_dict)
        codec = d.pop("codec")

        end_seconds = d.pop("end_seconds")

        frames = d.pop("frames")

        gaps = FrameGaps.from_dict(d.pop("gaps"))

        height = d.pop("height")

        interlaced = d.pop("interlaced")

        open_gop = d.pop("open_gop")

        pixel_format = d.pop("pixel_format")

        rotation = d.pop("rotation")

        sample_aspect = Ratio.from_dict(d.pop("sample_aspect"))

        start_seconds = d.pop("start_seconds")

        stream = d.pop("stream")

        width = d.pop("width")

        keyframes_seconds = cast(list[float], d.pop("keyframes_seconds", UNSET))

        def _parse_transfer(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        transfer = _parse_transfer(d.pop("transfer", UNSET))

        video_facts = cls(
            codec=codec,
            end_seconds=end_seconds,
            frames=frames,
            gaps=gaps,
            height=height,
            interlaced=interlaced,
            open_gop=open_gop,
            pixel_format=pixel_format,
            rotation=rotation,
            sample_aspect=sample_aspect,
            start_seconds=start_seconds,
            stream=stream,
            width=width,
            keyframes_seconds=keyframes_seconds,
            transfer=transfer,
        )

        video_facts.additional_properties = d
        return video_facts

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
