import {
  IconAdjustmentsHorizontal,
  IconCloudUpload,
  IconDeviceDesktop,
  IconGauge,
  IconKey,
  IconMovie,
  IconShieldCheck,
  IconUsers,
  IconUsersGroup,
  IconWebhook,
} from "@tabler/icons-react";
import type { LinkProps } from "@tanstack/react-router";
import type { Role } from "../../lib/session";

interface Entry {
  to: NonNullable<LinkProps["to"]>;
  label: string;
  icon: typeof IconGauge;
  /** Who may open it; everybody when absent. */
  needs?: Role;
}

interface Section {
  title: string;
  entries: Entry[];
}

export const sections: Section[] = [
  {
    title: "Work",
    entries: [
      { to: "/", label: "Overview", icon: IconGauge },
      { to: "/jobs", label: "Jobs", icon: IconMovie },
      { to: "/upload", label: "Upload", icon: IconCloudUpload },
    ],
  },
  {
    title: "Farm",
    entries: [
      { to: "/machines", label: "Machines", icon: IconDeviceDesktop, needs: "operator" },
      { to: "/policies", label: "Policies", icon: IconShieldCheck, needs: "operator" },
    ],
  },
  {
    title: "Team",
    entries: [
      { to: "/profiles", label: "Profiles", icon: IconAdjustmentsHorizontal },
      { to: "/webhooks", label: "Webhooks", icon: IconWebhook },
      { to: "/tokens", label: "Tokens", icon: IconKey },
    ],
  },
  {
    title: "Organisation",
    entries: [
      { to: "/teams", label: "Teams", icon: IconUsersGroup, needs: "admin" },
      { to: "/people", label: "People", icon: IconUsers, needs: "admin" },
    ],
  },
];
