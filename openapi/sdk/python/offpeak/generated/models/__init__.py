"""Contains all the data models used in inputs/outputs"""

from .agent import Agent
from .agent_at_work import AgentAtWork
from .agent_detail import AgentDetail
from .agent_event import AgentEvent
from .agent_failure import AgentFailure
from .agent_history import AgentHistory
from .agent_hour import AgentHour
from .agent_hour_milliseconds import AgentHourMilliseconds
from .agent_lease import AgentLease
from .agent_list import AgentList
from .agent_state import AgentState
from .audio_facts import AudioFacts
from .audio_profile import AudioProfile
from .begin_direct_upload import BeginDirectUpload
from .capabilities import Capabilities
from .capped_crf import CappedCrf
from .capped_crf_mode import CappedCrfMode
from .change_agent import ChangeAgent
from .change_standing import ChangeStanding
from .class_queue import ClassQueue
from .create_job import CreateJob
from .create_job_metadata import CreateJobMetadata
from .direct_upload import DirectUpload
from .facts import Facts
from .fetched_source import FetchedSource
from .file_container import FileContainer
from .file_profile import FileProfile
from .fleet_figures import FleetFigures
from .fleet_figures_machines import FleetFiguresMachines
from .fleet_history import FleetHistory
from .fleet_sample import FleetSample
from .fleet_sample_machines import FleetSampleMachines
from .fleet_speed import FleetSpeed
from .frame_gaps import FrameGaps
from .group import Group
from .group_list import GroupList
from .holder_state import HolderState
from .hours import Hours
from .job import Job
from .job_error import JobError
from .job_event import JobEvent
from .job_list import JobList
from .job_metadata import JobMetadata
from .job_progress import JobProgress
from .job_state import JobState
from .lossless import Lossless
from .lossless_mode import LosslessMode
from .name_group import NameGroup
from .output_file import OutputFile
from .outputs import Outputs
from .part_to_send import PartToSend
from .parts_request import PartsRequest
from .policy import Policy
from .problem import Problem
from .profile import Profile
from .profile_entry import ProfileEntry
from .profile_list import ProfileList
from .queue import Queue
from .ratio import Ratio
from .rendition_kind import RenditionKind
from .rendition_progress import RenditionProgress
from .rung import Rung
from .sent_part import SentPart
from .sent_parts import SentParts
from .set_aside_by import SetAsideBy
from .source import Source
from .source_state import SourceState
from .standing import Standing
from .task_failure import TaskFailure
from .upload_address import UploadAddress
from .upload_address_headers import UploadAddressHeaders
from .upload_urls import UploadUrls
from .uploaded_source import UploadedSource
from .video_facts import VideoFacts
from .video_profile import VideoProfile
from .warning import Warning_
from .weekday import Weekday
from .x264_preset import X264Preset

__all__ = (
    "Agent",
    "AgentAtWork",
    "AgentDetail",
    "AgentEvent",
    "AgentFailure",
    "AgentHistory",
    "AgentHour",
    "AgentHourMilliseconds",
    "AgentLease",
    "AgentList",
    "AgentState",
    "AudioFacts",
    "AudioProfile",
    "BeginDirectUpload",
    "Capabilities",
    "CappedCrf",
    "CappedCrfMode",
    "ChangeAgent",
    "ChangeStanding",
    "ClassQueue",
    "CreateJob",
    "CreateJobMetadata",
    "DirectUpload",
    "Facts",
    "FetchedSource",
    "FileContainer",
    "FileProfile",
    "FleetFigures",
    "FleetFiguresMachines",
    "FleetHistory",
    "FleetSample",
    "FleetSampleMachines",
    "FleetSpeed",
    "FrameGaps",
    "Group",
    "GroupList",
    "HolderState",
    "Hours",
    "Job",
    "JobError",
    "JobEvent",
    "JobList",
    "JobMetadata",
    "JobProgress",
    "JobState",
    "Lossless",
    "LosslessMode",
    "NameGroup",
    "OutputFile",
    "Outputs",
    "PartToSend",
    "PartsRequest",
    "Policy",
    "Problem",
    "Profile",
    "ProfileEntry",
    "ProfileList",
    "Queue",
    "Ratio",
    "RenditionKind",
    "RenditionProgress",
    "Rung",
    "SentPart",
    "SentParts",
    "SetAsideBy",
    "Source",
    "SourceState",
    "Standing",
    "TaskFailure",
    "UploadAddress",
    "UploadAddressHeaders",
    "UploadUrls",
    "UploadedSource",
    "VideoFacts",
    "VideoProfile",
    "Warning_",
    "Weekday",
    "X264Preset",
)
