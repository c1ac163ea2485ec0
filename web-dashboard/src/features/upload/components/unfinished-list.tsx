import { CloseButton } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Panel } from "../../../components/page";
import { RelativeTime } from "../../../components/relative-time";
import { byteSize } from "../../../lib/format";
import { forget, unfinished, useQueue } from "../queue";
import classes from "./unfinished-list.module.css";

/** Uploads of this browser that stopped when the page was closed. */
export function UnfinishedList() {
  const queries = useQueryClient();
  const busy = useQueue().map(({ id, state }) => `${id}${state}`).join();
  const { data = [] } = useQuery({ queryKey: ["unfinished-uploads", busy], queryFn: unfinished });
  if (data.length === 0) return null;
  return (
    <Panel title="Not finished" about="Choose or drop the same file again: what has arrived stays, the rest is sent.">
      <ul className={classes.list}>
        {data.map(({ key, name, bytes, begunAt }) => (
          <li key={key}>
            <span className={classes.name}>{name}</span>
            <span className={classes.soft}>
              {byteSize(bytes)} · begun <RelativeTime at={begunAt} />
            </span>
            <CloseButton
              size="sm"
              aria-label={`Forget ${name}`}
              onClick={() => {
                void forget(key).then(() => queries.invalidateQueries({ queryKey: ["unfinished-uploads"] }));
              }}
            />
          </li>
        ))}
      </ul>
    </Panel>
  );
}
