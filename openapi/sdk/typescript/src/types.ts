import type { components } from "./schema.js";

/** The types of the API that the functions here speak of; all others are in `components["schemas"]`. */
export type Job = components["schemas"]["Job"];
export type JobEvent = components["schemas"]["JobEvent"];
export type OutputFile = components["schemas"]["OutputFile"];
export type Profile = components["schemas"]["Profile"];
export type Source = components["schemas"]["Source"];
