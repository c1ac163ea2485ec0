from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.x264_preset import X264Preset
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.capped_crf import CappedCrf
    from ..models.lossless import Lossless
    from ..models.rung import Rung


T = TypeVar("T", bound="VideoProfile")


@_attrs_define
class VideoProfile:
    """
    Attributes:
        ladder (list[Rung]): Highest rung first. A rung taller than the source is left out; a source between two rungs
            gets one of its own size.
        preset (X264Preset | Unset):
        quality (CappedCrf | Lossless | Unset):
    """

    ladder: list[Rung]
    preset: X264Preset | Unset = UNSET
    quality: CappedCrf | Lossless | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        from ..models.capped_crf import CappedCrf

        ladder = []
        for ladder_item_data in self.ladder:
            ladder_item = ladder_item_data.to_dict()
            ladder.append(ladder_item)

        preset: str | Unset = UNSET
        if not isinstance(self.preset, Unset):
            preset = self.preset.value

        quality: dict[str, Any] | Unset
        if isinstance(self.quality, Unset):
            quality = UNSET
        elif isinstance(self.quality, CappedCrf):
            quality = self.quality.to_dict()
        else:
            quality = self.quality.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "ladder": ladder,
            }
        )
        if preset is not UNSET:
            field_dict["preset"] = preset
        if quality is not UNSET:
            field_dict["quality"] = quality

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.capped_crf import CappedCrf
        from ..models.lossless import Lossless
        from ..models.rung import Rung

        d = dict(src_dict)
        ladder = []
        _ladder = d.pop("ladder")
        for ladder_item_data in _ladder:
            ladder_item = Rung.from_dict(ladder_item_data)

            ladder.append(ladder_item)

        _preset = d.pop("preset", UNSET)
        preset: X264Preset | Unset
        if isinstance(_preset, Unset):
            preset = UNSET
        else:
            preset = X264Preset(_preset)

        def _parse_quality(data: object) -> CappedCrf | Lossless | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_quality_capped_crf = CappedCrf.from_dict(data)

                return componentsschemas_quality_capped_crf
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            componentsschemas_quality_lossless = Lossless.from_dict(data)

            return componentsschemas_quality_lossless

        quality = _parse_quality(d.pop("quality", UNSET))

        video_profile = cls(
            ladder=ladder,
            preset=preset,
            quality=quality,
        )

        return video_profile
