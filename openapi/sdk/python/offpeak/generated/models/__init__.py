"""Contains all the data models used in inputs/outputs"""

from .access import Access
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
from .change_password import ChangePassword
from .change_person import ChangePerson
from .change_self import ChangeSelf
from .change_standing import ChangeStanding
from .change_team import ChangeTeam
from .change_webhook import ChangeWebhook
from .class_queue import ClassQueue
from .cloud_price import CloudPrice
from .create_enrolment_code import CreateEnrolmentCode
from .create_job import CreateJob
from .create_job_metadata import CreateJobMetadata
from .create_team import CreateTeam
from .create_token import CreateToken
from .create_webhook import CreateWebhook
from .created_enrolment_code import CreatedEnrolmentCode
from .created_link import CreatedLink
from .created_token import CreatedToken
from .delivery_attempt import DeliveryAttempt
from .delivery_state import DeliveryState
from .direct_upload import DirectUpload
from .enrolment_code import EnrolmentCode
from .enrolment_code_list import EnrolmentCodeList
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
from .invitation import Invitation
from .invitation_list import InvitationList
from .invite import Invite
from .job import Job
from .job_error import JobError
from .job_event import JobEvent
from .job_figures import JobFigures
from .job_figures_ended import JobFiguresEnded
from .job_figures_open import JobFiguresOpen
from .job_list import JobList
from .job_map import JobMap
from .job_metadata import JobMetadata
from .job_progress import JobProgress
from .job_state import JobState
from .link_kind import LinkKind
from .login import Login
from .lossless import Lossless
from .lossless_mode import LosslessMode
from .made_run import MadeRun
from .map_agent import MapAgent
from .map_track import MapTrack
from .member import Member
from .member_list import MemberList
from .misfit import Misfit
from .name_group import NameGroup
from .open_session import OpenSession
from .open_session_list import OpenSessionList
from .open_span import OpenSpan
from .output_file import OutputFile
from .outputs import Outputs
from .part_to_send import PartToSend
from .parts_request import PartsRequest
from .person import Person
from .person_list import PersonList
from .policy import Policy
from .problem import Problem
from .profile import Profile
from .profile_entry import ProfileEntry
from .profile_list import ProfileList
from .queue import Queue
from .ratio import Ratio
from .rendition_kind import RenditionKind
from .rendition_progress import RenditionProgress
from .role import Role
from .rotate_secret import RotateSecret
from .rung import Rung
from .sandbox_report import SandboxReport
from .sandbox_state import SandboxState
from .scope import Scope
from .sent_part import SentPart
from .sent_parts import SentParts
from .session import Session
from .set_aside_by import SetAsideBy
from .source import Source
from .source_state import SourceState
from .span_holder import SpanHolder
from .standing import Standing
from .task_failure import TaskFailure
from .team import Team
from .team_list import TeamList
from .team_name import TeamName
from .token import Token
from .token_list import TokenList
from .upload_address import UploadAddress
from .upload_address_headers import UploadAddressHeaders
from .upload_urls import UploadUrls
from .uploaded_source import UploadedSource
from .use_link import UseLink
from .video_facts import VideoFacts
from .video_profile import VideoProfile
from .wall import Wall
from .warning import Warning_
from .webhook import Webhook
from .webhook_agent import WebhookAgent
from .webhook_delivery import WebhookDelivery
from .webhook_delivery_detail import WebhookDeliveryDetail
from .webhook_delivery_list import WebhookDeliveryList
from .webhook_event import WebhookEvent
from .webhook_itself import WebhookItself
from .webhook_job import WebhookJob
from .webhook_list import WebhookList
from .webhook_payload import WebhookPayload
from .webhook_with_secret import WebhookWithSecret
from .weekday import Weekday
from .x264_preset import X264Preset

__all__ = (
    "Access",
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
    "ChangePassword",
    "ChangePerson",
    "ChangeSelf",
    "ChangeStanding",
    "ChangeTeam",
    "ChangeWebhook",
    "ClassQueue",
    "CloudPrice",
    "CreateEnrolmentCode",
    "CreateJob",
    "CreateJobMetadata",
    "CreateTeam",
    "CreateToken",
    "CreateWebhook",
    "CreatedEnrolmentCode",
    "CreatedLink",
    "CreatedToken",
    "DeliveryAttempt",
    "DeliveryState",
    "DirectUpload",
    "EnrolmentCode",
    "EnrolmentCodeList",
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
    "Invitation",
    "InvitationList",
    "Invite",
    "Job",
    "JobError",
    "JobEvent",
    "JobFigures",
    "JobFiguresEnded",
    "JobFiguresOpen",
    "JobList",
    "JobMap",
    "JobMetadata",
    "JobProgress",
    "JobState",
    "LinkKind",
    "Login",
    "Lossless",
    "LosslessMode",
    "MadeRun",
    "MapAgent",
    "MapTrack",
    "Member",
    "MemberList",
    "Misfit",
    "NameGroup",
    "OpenSession",
    "OpenSessionList",
    "OpenSpan",
    "OutputFile",
    "Outputs",
    "PartToSend",
    "PartsRequest",
    "Person",
    "PersonList",
    "Policy",
    "Problem",
    "Profile",
    "ProfileEntry",
    "ProfileList",
    "Queue",
    "Ratio",
    "RenditionKind",
    "RenditionProgress",
    "Role",
    "RotateSecret",
    "Rung",
    "SandboxReport",
    "SandboxState",
    "Scope",
    "SentPart",
    "SentParts",
    "Session",
    "SetAsideBy",
    "Source",
    "SourceState",
    "SpanHolder",
    "Standing",
    "TaskFailure",
    "Team",
    "TeamList",
    "TeamName",
    "Token",
    "TokenList",
    "UploadAddress",
    "UploadAddressHeaders",
    "UploadUrls",
    "UploadedSource",
    "UseLink",
    "VideoFacts",
    "VideoProfile",
    "Wall",
    "Warning_",
    "Webhook",
    "WebhookAgent",
    "WebhookDelivery",
    "WebhookDeliveryDetail",
    "WebhookDeliveryList",
    "WebhookEvent",
    "WebhookItself",
    "WebhookJob",
    "WebhookList",
    "WebhookPayload",
    "WebhookWithSecret",
    "Weekday",
    "X264Preset",
)
