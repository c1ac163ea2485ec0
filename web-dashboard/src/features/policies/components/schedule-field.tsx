import { ActionIcon, Autocomplete, Button, UnstyledButton } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { DAY_NAMES, DAYS, shortDay } from "../../../lib/week";
import { type Hours, minuteOf, NIGHTS_AND_WEEKENDS, TIME, timeOf, WEEKENDS } from "../schedule";
import classes from "./policies.module.css";

/** As many as a policy may have. */
const MOST = 50;
const NEW: Hours = { days: ["mon", "tue", "wed", "thu", "fri"], from: "18:00", to: "08:00" };

/** Offered; any other minute can be typed. */
const HALF_HOURS = Array.from({ length: 49 }, (_, half) => timeOf(half * 30));
const BEGINNINGS = HALF_HOURS.slice(0, -1);
const ENDS = HALF_HOURS.slice(1);

const PRESETS: { label: string; schedule: Hours[] }[] = [
  { label: "At any time", schedule: [] },
  { label: "Nights and weekends", schedule: NIGHTS_AND_WEEKENDS },
  { label: "Weekends", schedule: WEEKENDS },
];

interface Props {
  value: Hours[];
  onChange: (schedule: Hours[]) => void;
  error?: React.ReactNode;
}

/** The stretches of the week in which work is allowed. */
export function ScheduleField({ value, onChange, error }: Props) {
  const change = (at: number, next: Partial<Hours>) => {
    onChange(value.map((hours, index) => (index === at ? { ...hours, ...next } : hours)));
  };
  return (
    <div className={classes.schedule}>
      <div className={classes.presets} role="group" aria-label="Usual schedules">
        {PRESETS.map(({ label, schedule }) => (
          <Button
            key={label}
            size="xs"
            variant={JSON.stringify(schedule) === JSON.stringify(value) ? "light" : "default"}
            aria-pressed={JSON.stringify(schedule) === JSON.stringify(value)}
            onClick={() => {
              onChange(schedule);
            }}
          >
            {label}
          </Button>
        ))}
      </div>
      {value.map((hours, at) => (
        <fieldset key={at} className={classes.stretch}>
          <legend className={classes.hidden}>Stretch {at + 1}</legend>
          <div className={classes.days} role="group" aria-label="Days on which it begins">
            {DAYS.map((day) => (
              <UnstyledButton
                key={day}
                className={classes.day ?? ""}
                aria-pressed={hours.days.includes(day)}
                title={DAY_NAMES[day]}
                onClick={() => {
                  const days = DAYS.filter((one) => (one === day ? !hours.days.includes(day) : hours.days.includes(one)));
                  change(at, { days });
                }}
              >
                {shortDay(day)}
              </UnstyledButton>
            ))}
          </div>
          <div className={classes.times}>
            <Autocomplete
              className={classes.clock ?? ""}
              aria-label="From"
              data={BEGINNINGS}
              value={hours.from}
              error={!TIME.test(hours.from)}
              onChange={(from) => {
                change(at, { from });
              }}
            />
            <span aria-hidden>–</span>
            <Autocomplete
              className={classes.clock ?? ""}
              aria-label="To"
              data={ENDS}
              value={hours.to}
              error={!TIME.test(hours.to)}
              onChange={(to) => {
                change(at, { to });
              }}
            />
            <span className={classes.fine}>
              {hours.to === "24:00" ? "midnight" : minuteOf(hours.from) > minuteOf(hours.to) ? "the next day" : ""}
            </span>
            <ActionIcon
              variant="subtle"
              color="gray"
              c="dimmed"
              aria-label={`Remove stretch ${at + 1}`}
              className={classes.remove ?? ""}
              onClick={() => {
                onChange(value.filter((_, index) => index !== at));
              }}
            >
              <IconTrash size={17} />
            </ActionIcon>
          </div>
        </fieldset>
      ))}
      {value.length < MOST && (
        <div>
          <Button
            size="xs"
            variant="subtle"
            leftSection={<IconPlus size={15} />}
            onClick={() => {
              onChange([...value, NEW]);
            }}
          >
            {value.length === 0 ? "Only at certain hours" : "Add hours"}
          </Button>
        </div>
      )}
      {error !== undefined && error !== null && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
