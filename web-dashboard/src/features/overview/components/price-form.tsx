import { NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { FormModal } from "../../../components/form-modal";
import type { Schemas } from "../../../lib/api";
import { errorAt, otherError } from "../../../lib/field-errors";
import { useSetPrice } from "../api/overview";

/** What a cloud asks, as an administrator knows it. */
export function PriceForm({ price, close }: { price: Schemas["CloudPrice"]; close: () => void }) {
  const [perMinute, setPerMinute] = useState<number | string>(price.per_minute);
  const [currency, setCurrency] = useState(price.currency);
  const set = useSetPrice();
  const fits = typeof perMinute === "number" && /^[A-Z]{3}$/.test(currency);
  return (
    <FormModal
      opened
      isDirty={perMinute !== price.per_minute || currency !== price.currency}
      title="What would a cloud ask?"
      action="Set the price"
      onClose={close}
      onSubmit={async () => {
        await set.mutateAsync({ per_minute: Number(perMinute), currency });
        close();
      }}
      rest={(error) => otherError(error, ["per_minute", "currency"])}
      disabled={!fits}
    >
      {(error) => (
        <>
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
            {...errorAt(error, "per_minute")}
          />
          <TextInput
            label="Currency"
            maxLength={3}
            value={currency}
            onChange={(event) => {
              setCurrency(event.currentTarget.value.toUpperCase());
            }}
            {...errorAt(error, "currency")}
          />
        </>
      )}
    </FormModal>
  );
}
