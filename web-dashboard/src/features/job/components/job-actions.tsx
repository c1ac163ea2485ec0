import { ActionIcon, Button, Menu } from "@mantine/core";
import type { Job } from "@offpeak/sdk";
import { IconDotsVertical, IconExternalLink, IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useConfirm, useNotices } from "../../../components/confirm";
import { isOpen, nameOfJob } from "../../../lib/jobs";
import { useJobActs } from "../api/job";

/** What can be done with a job, as far as its state allows. */
export function JobActions({ job }: { job: Job }) {
  const { cancel, retry, remove } = useJobActs(job.id);
  const confirm = useConfirm();
  const notices = useNotices();
  const navigate = useNavigate();

  const askToCancel = () =>
    confirm({
      title: "Cancel this job?",
      body: <p>Its machines stop within seconds, and what they have made so far is removed. The source stays.</p>,
      action: "Cancel the job",
      keep: "Let it run",
      danger: true,
      run: () => cancel.mutateAsync(),
    });
  const askToRemove = async () => {
    const gone = await confirm({
      title: "Delete this job?",
      body: <p>Its stream and its files are deleted, and whoever has an address of them sees nothing more. This cannot be undone.</p>,
      action: "Delete the job",
      keep: "Keep it",
      danger: true,
      run: () => remove.mutateAsync(),
    });
    if (!gone) return;
    notices.done(`${nameOfJob(job)} is deleted`);
    await navigate({ to: "/jobs" });
  };
  const again = () => {
    retry.mutate(undefined, {
      onSuccess: () => {
        notices.done("It is tried again: only what is missing is done anew");
      },
      onError: (error) => {
        notices.failed("It could not be tried again", error);
      },
    });
  };
  return (
    <>
      {job.state === "failed" && (
        <Button leftSection={<IconRefresh size={17} aria-hidden />} loading={retry.isPending} onClick={again}>
          Try again
        </Button>
      )}
      {isOpen(job) && (
        <Button variant="default" leftSection={<IconPlayerStop size={17} aria-hidden />} onClick={() => void askToCancel()}>
          Cancel
        </Button>
      )}
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More">
            <IconDotsVertical size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item component="a" href={job.outputs?.watch ?? `/watch/${job.id}`} target="_blank" leftSection={<IconExternalLink size={16} />}>
            Open the player page
          </Menu.Item>
          <Menu.Item color="red" disabled={isOpen(job)} leftSection={<IconTrash size={16} />} onClick={() => void askToRemove()}>
            Delete
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
