import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answer, api, once, type Schemas } from "../../../lib/api";

export type Webhook = Schemas["Webhook"];
export type Delivery = Schemas["WebhookDelivery"];
export type DeliveryState = Schemas["DeliveryState"];
export type WebhookEvent = Schemas["WebhookEvent"];

const OFTEN_MS = 3000;
const SELDOM_MS = 15_000;
const PAGE = 50;

export const webhooksQuery = queryOptions({
  queryKey: ["webhooks"],
  queryFn: async () => (await answer(api.GET("/v1/webhooks"))).webhooks,
  refetchInterval: SELDOM_MS,
});

export const webhookQuery = (id: string) =>
  queryOptions({
    queryKey: ["webhooks", id],
    queryFn: () => answer(api.GET("/v1/webhooks/{id}", { params: { path: { id } } })),
    refetchInterval: SELDOM_MS,
  });

/** Deliveries, youngest first, page by page; read again often while one is on its way. */
export const deliveriesQuery = (id: string, state: DeliveryState | undefined) =>
  infiniteQueryOptions({
    queryKey: ["webhooks", id, "deliveries", { state }],
    queryFn: ({ pageParam }) =>
      answer(
        api.GET("/v1/webhooks/{id}/deliveries", {
          params: {
            path: { id },
            query: { limit: PAGE, ...(state === undefined ? {} : { state }), ...(pageParam === undefined ? {} : { cursor: pageParam }) },
          },
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(({ deliveries }) => deliveries.some((delivery) => delivery.state === "waiting")) === true ? OFTEN_MS : SELDOM_MS,
  });

export const deliveryQuery = (id: string, delivery: string) =>
  queryOptions({
    queryKey: ["webhooks", id, "delivery", delivery],
    queryFn: () => answer(api.GET("/v1/webhooks/{id}/deliveries/{delivery}", { params: { path: { id, delivery } } })),
    refetchInterval: ({ state: { data } }) => (data?.state === "waiting" ? OFTEN_MS : false),
  });

export interface WebhookValues {
  url: string;
  description: string;
  /** Empty is all, also those that are yet to come. */
  events: WebhookEvent[];
}

export function makeWebhook(values: WebhookValues): Promise<Schemas["WebhookWithSecret"]> {
  return answer(api.POST("/v1/webhooks", { params: once(), body: values }));
}

export function changeWebhook(id: string, change: Schemas["ChangeWebhook"]): Promise<Webhook> {
  return answer(api.PATCH("/v1/webhooks/{id}", { params: { path: { id } }, body: change }));
}

export function deleteWebhook(id: string): Promise<unknown> {
  return answer(api.DELETE("/v1/webhooks/{id}", { params: { path: { id } } }));
}

export function rotateSecret(id: string, overlapHours: number): Promise<Schemas["WebhookWithSecret"]> {
  return answer(api.POST("/v1/webhooks/{id}/secret", { params: { path: { id }, ...once() }, body: { overlap_hours: overlapHours } }));
}

export function sendTest(id: string): Promise<Delivery> {
  return answer(api.POST("/v1/webhooks/{id}/test", { params: { path: { id }, ...once() } }));
}

export function redeliver(id: string, delivery: string): Promise<unknown> {
  return answer(api.POST("/v1/webhooks/{id}/deliveries/{delivery}/redeliver", { params: { path: { id, delivery }, ...once() } }));
}
