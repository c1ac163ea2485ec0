import { Button, Modal, NumberInput, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useState } from "react";
import { Figure } from "../../../components/facts";
import { Problem } from "../../../components/states";
import type { Schemas } from "../../../lib/api";
import { useIsAdmin } from "../../../lib/session";
import { duration } from "../../../lib/time";
import { SAVED_OVER_DAYS, useSetPrice } from "../api/overview";
import classes from "./savings.module.css";

interface Props {
  figures: Schemas["JobFigures"];
  price: Schemas["CloudPrice"];
}

/** What the farm made in a month, and what a cloud would have asked for it. */
export function Savings({ figures, price }: Props) {
  const isAdmin = useIsAdmin();
  const [open, dialogue] = useDisclosure(false);
  const minutes = figures.rendition_seconds / 60;
  const completed = figures.ended.completed ?? 0;
  const speed = figures.working_seconds > 0 ? figures.film_seconds / figures.working_seconds : 0;
  return (
    <div className={classes.savings}>
      <div className={classes.figures}>
        <Figure label="A cloud would have asked" value={money(minutes * price.per_minute, price.currency)} note={`at ${money(price.per_minute, price.currency, 5)} a minute`} />
        <Figure label="Video made" value={duration(figures.rendition_seconds)} note={`in all renditions, of ${duration(figures.film_seconds)} of film`} />
        <Figure label="Jobs completed" value={completed.toLocaleString("en")} note={speed > 0 ? `each at ${speed.toFixed(1)}× real time on average` : `in ${SAVED_OVER_DAYS} days`} />
      </div>
      {isAdmin && (
        <Button variant="subtle" size="compact-sm" className={classes.edit ?? ""} onClick={dialogue.open}>
          Set the cloud&rsquo;s price
        </Button>
      )}
      <Modal opened={open} onClose={dialogue.close} title="What would a cloud ask?">
        {open && <PriceForm price={price} close={dialogue.close} />}
      </Modal>
    </div>
  );
}

function PriceForm({ price, close }: { price: Schemas["CloudPrice"]; close: () => void }) {
  const [perMinute, setPerMinute] = useState<number | string>(price.per_minute);
  const [currency, setCurrency] = useState(price.currency);
  const set = useSetPrice();
  const fits = typeof perMinute === "number" && /^[A-Z]{3}$/.test(currency);
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (fits) set.mutate({ per_minute: perMinute, currency }, { onSuccess: close });
      }}
    >
      <NumberInput
        data-autofocus
        label="For a minute of one rendition"
        description="Clouds count every rung of the ladder: ten minutes in four rungs are forty. Yours is in the provider's price list."
        min={0}
        max={1000}
        step={0.001}
        decimalScale={5}
        value={perMinute}
        onChange={setPerMinute}
      />
      <TextInput
        label="Currency"
        maxLength={3}
        value={currency}
        onChange={(event) => {
          setCurrency(event.currentTarget.value.toUpperCase());
        }}
      />
      <Problem error={set.error} />
      <div className={classes.buttons}>
        <Button variant="default" onClick={close}>
          Leave it
        </Button>
        <Button type="submit" disabled={!fits} loading={set.isPending}>
          Set the price
        </Button>
      </div>
    </form>
  );
}

/** `US$12.40`; prices of a minute are below a cent and need more digits. */
function money(amount: number, currency: string, digits = 2): string {
  try {
    return new Intl.NumberFormat("en-GB", { style: "currency", currency, minimumFractionDigits: 2, maximumFractionDigits: digits }).format(amount);
  } catch {
    return `${amount.toFixed(digits)} ${currency}`;
  }
}
