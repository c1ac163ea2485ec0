import { Button, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { Problem } from "../../../components/states";
import type { Schemas } from "../../../lib/api";
import { useSetPrice } from "../api/overview";
import classes from "./price-form.module.css";

/** What a cloud asks, as an administrator knows it. */
export function PriceForm({ price, close }: { price: Schemas["CloudPrice"]; close: () => void }) {
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
