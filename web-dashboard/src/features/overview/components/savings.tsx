import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { lazy, Suspense } from "react";
import { Figure } from "../../../components/facts";
import { Columns } from "../../../components/page";
import type { Schemas } from "../../../lib/api";
import { useIsAdmin } from "../../../lib/session";
import { duration } from "../../../lib/time";
import { SAVED_OVER_DAYS } from "../api/overview";

/** Few ever open it, and fields for numbers are large. */
const PriceForm = lazy(() => import("./price-form").then(({ PriceForm }) => ({ default: PriceForm })));

interface Props {
  figures: Schemas["JobFigures"];
  price: Schemas["CloudPrice"];
}

/** What the farm made in a month, how long one machine would have taken, and what a cloud would have asked. */
export function Savings({ figures, price }: Props) {
  const minutes = figures.rendition_seconds / 60;
  const completed = figures.ended.completed ?? 0;
  const saved = figures.one_machine_seconds - figures.elapsed_seconds;
  const speed = figures.working_seconds > 0 ? figures.film_seconds / figures.working_seconds : 0;
  return (
    <Columns min="10.5rem">
      <Figure label="A cloud would have asked" value={money(minutes * price.per_minute, price.currency)} note={`at ${money(price.per_minute, price.currency, 5)} a minute`} />
      <Figure
        label="Time saved"
        value={saved > 0 ? duration(saved) : "–"}
        note={
          figures.one_machine_seconds === 0
            ? "nothing to compare yet"
            : `${duration(figures.elapsed_seconds)} instead of ${duration(figures.one_machine_seconds)} on one machine`
        }
      />
      <Figure label="Video made" value={duration(figures.rendition_seconds)} note={`in all renditions, of ${duration(figures.film_seconds)} of film`} />
      <Figure label="Jobs completed" value={completed.toLocaleString("en")} note={speed > 0 ? `each at ${speed.toFixed(1)}× real time on average` : `in ${SAVED_OVER_DAYS} days`} />
    </Columns>
  );
}

/** For administrators: what the cloud asks, so that the comparison is theirs. */
export function SetPrice({ price }: Pick<Props, "price">) {
  const isAdmin = useIsAdmin();
  const [open, dialogue] = useDisclosure(false);
  if (!isAdmin) return null;
  return (
    <>
      <Button variant="subtle" size="compact-sm" onClick={dialogue.open}>
        Set the cloud&rsquo;s price
      </Button>
      {open && (
        <Suspense fallback={null}>
          <PriceForm price={price} close={dialogue.close} />
        </Suspense>
      )}
    </>
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
