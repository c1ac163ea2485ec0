import { Button, Drawer } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNotices } from "../../../components/confirm";
import { Copyable } from "../../../components/copy";
import { Facts } from "../../../components/facts";
import { RelativeTime } from "../../../components/relative-time";
import { Loaded } from "../../../components/states";
import { Status, Tag } from "../../../components/status";
import type { Schemas } from "../../../lib/api";
import { deliveryQuery, redeliver } from "../api/webhooks";
import { answered, DELIVERY_STATES } from "../words";
import classes from "./webhooks.module.css";

/** One message: every attempt with what was answered, and what was sent. */
export function DeliveryDrawer({ webhook, delivery, onClose }: { webhook: string; delivery: string; onClose: () => void }) {
  const query = useQuery(deliveryQuery(webhook, delivery));
  return (
    <Drawer opened onClose={onClose} position="right" size="min(38rem, 100%)" title="Delivery">
      <Loaded query={query}>{(detail) => <Detail webhook={webhook} detail={detail} />}</Loaded>
    </Drawer>
  );
}

function Detail({ webhook, detail }: { webhook: string; detail: Schemas["WebhookDeliveryDetail"] }) {
  const queries = useQueryClient();
  const notices = useNotices();
  const again = useMutation({
    mutationFn: () => redeliver(webhook, detail.id),
    onSuccess: () => {
      notices.done("It is sent again");
    },
    onError: (error) => {
      notices.failed("It could not be sent again", error);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["webhooks", webhook] }),
  });
  const { label, tone } = DELIVERY_STATES[detail.state];
  return (
    <div className={classes.drawer}>
      <div className={classes.drawerHead}>
        <Status tone={tone} pulse={detail.state === "waiting"}>
          {label}
        </Status>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconRefresh size={15} />}
          loading={again.isPending}
          onClick={() => {
            again.mutate();
          }}
        >
          Send again
        </Button>
      </div>
      <Facts
        items={[
          ["Event", detail.type],
          ["Happened", <RelativeTime key="at" at={detail.payload.timestamp} />],
          ["Delivered", detail.delivered_at == null ? undefined : <RelativeTime key="done" at={detail.delivered_at} />],
          ["Next try", detail.next_attempt_at == null ? undefined : <RelativeTime key="next" at={detail.next_attempt_at} />],
          ["webhook-id", <Copyable key="id" text={detail.id} label="Copy the id" />],
        ]}
      />
      <h3 className={classes.subtitle}>Attempts</h3>
      {detail.tries.length === 0 ? (
        <p className={classes.fine}>None yet.</p>
      ) : (
        <ol className={classes.tries}>
          {detail.tries.toReversed().map((attempt) => (
            <li key={attempt.number} className={classes.try}>
              <div className={classes.tryLine}>
                <span>
                  <b>#{attempt.number}</b> <Tag tone={attempt.error == null ? "done" : "bad"}>{answered(attempt.status)}</Tag>
                </span>
                <span className={classes.fine}>
                  <RelativeTime at={attempt.at} /> · {attempt.duration_milliseconds} ms
                </span>
              </div>
              {attempt.error != null && <div className={classes.tryError}>{attempt.error}</div>}
              {attempt.answer !== "" && (
                <pre className={classes.answer} tabIndex={0}>
                  {attempt.answer}
                </pre>
              )}
            </li>
          ))}
        </ol>
      )}
      <h3 className={classes.subtitle}>What was sent</h3>
      <Copyable text={JSON.stringify(detail.payload, undefined, 2)} label="Copy the payload" wrap />
    </div>
  );
}
