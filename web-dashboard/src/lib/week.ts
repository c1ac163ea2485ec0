/** Days as the API writes them, Monday first. */
export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Day = (typeof DAYS)[number];

export const DAY_NAMES: Record<Day, string> = {
  mon: "Monday",
  tue: "Tuesday",
  wed: "Wednesday",
  thu: "Thursday",
  fri: "Friday",
  sat: "Saturday",
  sun: "Sunday",
};

/** `Mon`. */
export function shortDay(day: Day): string {
  return DAY_NAMES[day].slice(0, 3);
}

export const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** `08:00`. */
export function hourOfDay(hour: number): string {
  return `${String(hour).padStart(2, "0")}:00`;
}
