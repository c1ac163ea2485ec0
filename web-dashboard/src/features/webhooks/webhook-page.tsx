import { ActionIcon, Button, Menu, NumberInput, SegmentedControl } from "@mantine/core";
import { IconDots, IconSend } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { Copyable } from "../../components/copy";
import { DataTable } from "../../components/data-table";
import { Facts } from "../../components/facts";
import { FormModal } from "../../components/form-modal";
import { Note } from "../../components/note";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { SecretModal } from "../../components/secret-modal";
import { Empty, Failed, Loading, LoadingRows } from "../../components/states";
import { Status, Tag } from "../../components/status";
import { compact } from "../../lib/search";
import {
  changeWebhook,
  deleteWebhook,
  deliveriesQuery,
  type DeliveryState,
  rotateSecret,
  sendTest,
  type Webhook,
  webhookQuery,
} from "./api/webhooks";
import { DeliveryDrawer } from "./components/delivery-drawer";
import { WebhookForm } from "./components/webhook-form";
import classes from "./components/webhooks.module.css";
import { DELIVERY_STATES, hostOf, tries, webhookState } from "./words";

const route = getRouteApi("/webhooks/$webhook");
const BACK = { to: "/webhooks", label: "Webhooks" } as const;
const USUAL_OVERLAP_HOURS = 24;
const LONGEST_OVERLAP_HOURS = 168;
const ROW_HEIGHT = 58;

export function WebhookPage() {
  const { webhook: id } = route.useParams();
  const webhook = useQuery(webhookQuery(id));
  if (webhook.data === undefined) {
    return (
      <Page title="Webhook" back={BACK}>
        <Panel>{webhook.error === null ? <Loading /> : <Failed error={webhook.error} retry={() => void webhook.refetch()} />}</Panel>
      </Page>
    );
  }
  return <OneWebhook webhook={webhook.data} />;
}

function OneWebhook({ webhook }: { webhook: Webhook }) {
  const { label, tone } = webhookState(webhook);
  return (
    <Page
      title={webhook.description === "" ? hostOf(webhook.url).host : webhook.description}
      back={BACK}
      badge={<Status tone={tone}>{label}</Status>}
      actions={<Acts webhook={webhook} />}
    >
      {!webhook.enabled && (
        <Note tone="warm">
          Nothing is sent there
          {webhook.disabled_at != null && (
            <>
              {" "}
              since <RelativeTime at={webhook.disabled_at} />
            </>
          )}
          : {webhook.disabled_reason ?? "it was disabled."} Once it is enabled again, what was missed can be sent from the list below.
        </Note>
      )}
      {webhook.enabled && webhook.failing_since != null && (
        <Note tone="warm">
          Nothing has got through since <RelativeTime at={webhook.failing_since} />. After three days without a success it is disabled. The
          attempts below say what was answered.
        </Note>
      )}
      <div className={classes.layout}>
        <Deliveries webhook={webhook} />
        <div className={`${classes.column ?? ""} ${classes.facts ?? ""}`}>
          <Panel title="Webhook">
            <Facts
              items={[
                ["Address", <Copyable key="url" text={webhook.url} label="Copy the address" />],
                [
                  "Is told",
                  webhook.events.length === 0 ? (
                    "everything"
                  ) : (
                    <span className={classes.tags}>
                      {webhook.events.map((event) => (
                        <Tag key={event}>{event}</Tag>
                      ))}
                    </span>
                  ),
                ],
                ["Made", <RelativeTime key="made" at={webhook.created_at} />],
                [
                  "Old secret",
                  webhook.previous_secret_until == null ? undefined : (
                    <>
                      signs too, until <RelativeTime at={webhook.previous_secret_until} />
                    </>
                  ),
                ],
              ]}
            />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function Acts({ webhook }: { webhook: Webhook }) {
  const queries = useQueryClient();
  const navigate = route.useNavigate();
  const notices = useNotices();
  const confirm = useConfirm();
  const [open, setOpen] = useState<"edit" | "rotate">();
  const [secret, setSecret] = useState<string>();
  const refresh = () => queries.invalidateQueries({ queryKey: ["webhooks"] });
  const close = () => {
    setOpen(undefined);
  };
  const test = useMutation({
    mutationFn: () => sendTest(webhook.id),
    onSuccess: () => {
      notices.done("A test message is on its way");
    },
    onError: (error) => {
      notices.failed("No test message was sent", error);
    },
    onSettled: refresh,
  });
  const enable = useMutation({
    mutationFn: (enabled: boolean) => changeWebhook(webhook.id, { enabled }),
    onSuccess: (_, enabled) => {
      if (enabled) notices.done("Enabled");
    },
    onError: (error) => {
      notices.failed("It could not be enabled", error);
    },
    onSettled: refresh,
  });
  const disable = async () => {
    const isDone = await confirm({
      title: "Disable this webhook?",
      body: <p>What is still to be sent is given up. It can be enabled again at any time, and what was missed sent by hand.</p>,
      action: "Disable it",
      run: () => enable.mutateAsync(false),
    });
    if (isDone) notices.done("Disabled");
  };
  const remove = async () => {
    const isDone = await confirm({
      title: "Delete this webhook?",
      body: <p>Its deliveries are lost, and its secret is good for nothing. A new one has another secret.</p>,
      action: "Delete it",
      danger: true,
      run: () => deleteWebhook(webhook.id),
    });
    if (!isDone) return;
    await navigate({ to: "/webhooks" });
    queries.removeQueries({ queryKey: ["webhooks", webhook.id] });
    await refresh();
    notices.done("The webhook is deleted");
  };
  return (
    <>
      {webhook.enabled ? (
        <Button
          variant="default"
          leftSection={<IconSend size={16} />}
          loading={test.isPending}
          onClick={() => {
            test.mutate();
          }}
        >
          Send a test
        </Button>
      ) : (
        <Button
          loading={enable.isPending}
          onClick={() => {
            enable.mutate(true);
          }}
        >
          Enable
        </Button>
      )}
      <Menu position="bottom-end" width={210}>
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label="More to do with this webhook">
            <IconDots size={18} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => {
              setOpen("edit");
            }}
          >
            Edit…
          </Menu.Item>
          <Menu.Item
            onClick={() => {
              setOpen("rotate");
            }}
          >
            Change the secret…
          </Menu.Item>
          {webhook.enabled && <Menu.Item onClick={() => void disable()}>Disable…</Menu.Item>}
          <Menu.Divider />
          <Menu.Item color="red" onClick={() => void remove()}>
            Delete…
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {open === "edit" && (
        <WebhookForm
          title="Edit the webhook"
          action="Save"
          initial={webhook}
          onClose={close}
          onSubmit={async ({ url, description, events }) => {
            await changeWebhook(webhook.id, { url, description, events });
            await refresh();
            close();
            notices.done("Saved");
          }}
        />
      )}
      {open === "rotate" && (
        <Rotate
          webhook={webhook}
          onClose={close}
          made={async (next) => {
            close();
            setSecret(next);
            await refresh();
          }}
        />
      )}
      <SecretModal
        title="The new secret"
        label="Copy the secret"
        secret={secret}
        onClose={() => {
          setSecret(undefined);
        }}
      />
    </>
  );
}

function Rotate({ webhook, onClose, made }: { webhook: Webhook; onClose: () => void; made: (secret: string) => Promise<void> }) {
  const [hours, setHours] = useState<number | string>(USUAL_OVERLAP_HOURS);
  const isFit = Number.isInteger(hours) && Number(hours) >= 0 && Number(hours) <= LONGEST_OVERLAP_HOURS;
  return (
    <FormModal
      opened
      isDirty={hours !== USUAL_OVERLAP_HOURS}
      title="Change the secret"
      action="Make a new one"
      onClose={onClose}
      onSubmit={async () => {
        await made((await rotateSecret(webhook.id, Number(hours))).secret);
      }}
      disabled={!isFit}
    >
      <p>
        For a while messages carry two signatures, one with each secret, so that receivers can change over one by one. Choose 0 if the old
        secret got out.
      </p>
      <NumberInput
        label="Both are good for"
        suffix=" hours"
        min={0}
        max={LONGEST_OVERLAP_HOURS}
        allowDecimal={false}
        value={hours}
        onChange={setHours}
        error={isFit ? undefined : "0 to 168 hours"}
        data-autofocus
      />
    </FormModal>
  );
}

const FILTERS: { value: DeliveryState | "all"; label: string }[] = [
  { value: "all", label: "All" },
  { value: "waiting", label: "On the way" },
  { value: "delivered", label: "Delivered" },
  { value: "failed", label: "Given up" },
];

function Deliveries({ webhook }: { webhook: Webhook }) {
  const { state } = route.useSearch();
  const navigate = route.useNavigate();
  const pages = useInfiniteQuery(deliveriesQuery(webhook.id, state));
  const [shown, show] = useState<string>();
  const deliveries = pages.data?.pages.flatMap((page) => page.deliveries) ?? [];
  return (
    <Panel
      flush
      title="Deliveries"
      about="Of the last 30 days."
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which deliveries"
          value={state ?? "all"}
          data={FILTERS}
          onChange={(value) => {
            const next = FILTERS.find((filter) => filter.value === value)?.value;
            void navigate({ search: compact({ state: next === "all" ? undefined : next }), replace: true });
          }}
        />
      }
    >
      {pages.data === undefined ? (
        pages.error === null ? (
          <LoadingRows rows={4} />
        ) : (
          <Failed error={pages.error} retry={() => void pages.refetch()} />
        )
      ) : deliveries.length === 0 ? (
        <Empty title={state === undefined ? "Nothing was sent yet." : "None like that."}>
          {state === undefined && webhook.enabled && "Send a test message to see whether your server takes it."}
        </Empty>
      ) : (
        <DataTable
          label="Deliveries"
          rows={deliveries}
          idOf={({ id }) => id}
          rowHeight={ROW_HEIGHT}
          columns={[
            {
              id: "event",
              header: "Event",
              width: "minmax(8rem, 1.3fr)",
              cell: ({ id, type, created_at: at }) => (
                <div className={classes.two}>
                  <button
                    type="button"
                    className={classes.openRow}
                    aria-haspopup="dialog"
                    onClick={() => {
                      show(id);
                    }}
                  >
                    {type}
                  </button>
                  <span className={classes.fine}>
                    <RelativeTime at={at} />
                  </span>
                </div>
              ),
            },
            {
              id: "state",
              header: "State",
              width: "minmax(6.5rem, 1fr)",
              cell: (delivery) => {
                const { label, tone } = DELIVERY_STATES[delivery.state];
                return (
                  <Status tone={tone} pulse={delivery.state === "waiting"}>
                    {label}
                  </Status>
                );
              },
            },
            { id: "tries", header: "Tries", width: "7rem", from: "sm", cell: tries },
            {
              id: "next",
              header: "Next try",
              width: "8rem",
              align: "end",
              from: "md",
              cell: ({ next_attempt_at: at }) => (at == null ? <span className={classes.fine}>–</span> : <RelativeTime at={at} />),
            },
          ]}
          onEnd={() => {
            if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
          }}
        />
      )}
      {shown !== undefined && (
        <DeliveryDrawer
          webhook={webhook.id}
          delivery={shown}
          onClose={() => {
            show(undefined);
          }}
        />
      )}
    </Panel>
  );
}
