import { Button } from "@mantine/core";
import { IconPlus, IconWebhook } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { DataTable } from "../../components/data-table";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { rowLink } from "../../components/row-link";
import { SecretModal } from "../../components/secret-modal";
import { Empty, Loaded, LoadingRows } from "../../components/states";
import { Status } from "../../components/status";
import type { Schemas } from "../../lib/api";
import { makeWebhook, webhooksQuery } from "./api/webhooks";
import { WebhookForm } from "./components/webhook-form";
import classes from "./components/webhooks.module.css";
import { hostOf, webhookState } from "./words";

const NEW = { url: "", description: "", events: [] };
const ROW_HEIGHT = 60;

export function WebhooksPage() {
  const webhooks = useQuery(webhooksQuery);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["WebhookWithSecret"]>();
  const add = (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => {
        setMaking(true);
      }}
    >
      New webhook
    </Button>
  );
  return (
    <Page title="Webhooks" about="Your own servers are told what happens, as it happens, signed." actions={add}>
      <Panel flush>
        <Loaded query={webhooks} loading={<LoadingRows rows={3} />}>
          {(all) =>
            all.length === 0 ? (
              <Empty icon={<IconWebhook size={28} stroke={1.6} />} title="No webhook yet." action={add}>
                Instead of asking again and again whether a job is done, let the server tell yours.
              </Empty>
            ) : (
              <DataTable
                label="Webhooks"
                rows={all}
                idOf={({ id }) => id}
                rowHeight={ROW_HEIGHT}
                columns={[
                  {
                    id: "url",
                    header: "Address",
                    width: "minmax(9rem, 2fr)",
                    cell: ({ id, url, description }) => (
                      <div className={classes.two}>
                        <Link to="/webhooks/$webhook" params={{ webhook: id }} className={rowLink} title={url}>
                          {description === "" ? hostOf(url).host : description}
                        </Link>
                        <span className={classes.fine}>{url}</span>
                      </div>
                    ),
                  },
                  {
                    id: "state",
                    header: "State",
                    width: "minmax(7rem, 1fr)",
                    cell: (webhook) => {
                      const { label, tone } = webhookState(webhook);
                      return (
                        <div className={classes.two}>
                          <Status tone={tone}>{label}</Status>
                          {webhook.enabled && webhook.failing_since != null && (
                            <span className={classes.fine}>
                              since <RelativeTime at={webhook.failing_since} />
                            </span>
                          )}
                          {!webhook.enabled && <span className={classes.fine}>{webhook.disabled_reason}</span>}
                        </div>
                      );
                    },
                  },
                  {
                    id: "events",
                    header: "Is told",
                    width: "minmax(8rem, 1.2fr)",
                    from: "md",
                    cell: ({ events }) => (events.length === 0 ? "everything" : events.join(", ")),
                  },
                  {
                    id: "made",
                    header: "Made",
                    width: "8rem",
                    align: "end",
                    from: "lg",
                    cell: ({ created_at: at }) => <RelativeTime at={at} />,
                  },
                ]}
              />
            )
          }
        </Loaded>
      </Panel>
      {making && (
        <WebhookForm
          title="New webhook"
          action="Make it"
          initial={NEW}
          onClose={() => {
            setMaking(false);
          }}
          onSubmit={async (values) => {
            const webhook = await makeWebhook(values);
            setMaking(false);
            setMade(webhook);
            await queries.invalidateQueries({ queryKey: ["webhooks"] });
          }}
        />
      )}
      <SecretModal
        title="The webhook’s secret"
        label="Copy the secret"
        secret={made?.secret}
        onClose={() => {
          const id = made?.id;
          setMade(undefined);
          if (id !== undefined) void navigate({ to: "/webhooks/$webhook", params: { webhook: id } });
        }}
      >
        <p className={classes.fine}>Your server checks with it that messages come from here. The next page sends a test message.</p>
      </SecretModal>
    </Page>
  );
}
