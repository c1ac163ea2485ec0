import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { Loaded, LoadingRows } from "../../components/states";
import type { Schemas } from "../../lib/api";
import { groupsQuery } from "../../lib/groups";
import { codesQuery, type EnrolmentCode, revokeCode } from "./api/codes";
import classes from "./components/enrol.module.css";
import { MadeCode } from "./components/made-code";
import { NewCode } from "./components/new-code";

export function EnrolPage() {
  const [made, setMade] = useState<Schemas["CreatedEnrolmentCode"]>();
  return (
    <Page
      narrow
      title="Add machines"
      back={{ to: "/machines", label: "Machines" }}
      about="A machine joins with a code, once. Then it works by its group’s policy, and only while nobody needs it."
      actions={
        made !== undefined && (
          <Button
            variant="default"
            onClick={() => {
              setMade(undefined);
            }}
          >
            Make another code
          </Button>
        )
      }
    >
      {made === undefined ? (
        <Panel title="A new code">
          <NewCode made={setMade} />
        </Panel>
      ) : (
        <MadeCode made={made} />
      )}
      <OpenCodes />
    </Page>
  );
}

function OpenCodes() {
  const codes = useQuery(codesQuery);
  return (
    <Panel title="Codes that can still be used" about="What they are is told once; here they can be taken back.">
      <Loaded query={codes} loading={<LoadingRows rows={2} />}>
        {(open) =>
          open.length === 0 ? <p className={classes.fine}>There are none.</p> : open.map((code) => <OpenCode key={code.id} code={code} />)
        }
      </Loaded>
    </Panel>
  );
}

function OpenCode({ code }: { code: EnrolmentCode }) {
  const { data: groups = [] } = useQuery(groupsQuery);
  const queries = useQueryClient();
  const confirm = useConfirm();
  const notices = useNotices();
  const revoke = async () => {
    const isDone = await confirm({
      title: `Revoke the code “${code.name}”?`,
      body: <p>No further machine can join with it. Those that did stay.</p>,
      action: "Revoke it",
      danger: true,
      run: () => revokeCode(code.id),
    });
    if (!isDone) return;
    notices.done("The code is good for nothing now");
    await queries.invalidateQueries({ queryKey: ["enrolment-codes"] });
  };
  const group = groups.find(({ id }) => id === code.group)?.name;
  return (
    <div className={classes.code}>
      <div>
        <b>{code.name}</b>
        <div className={classes.fine}>
          {code.uses_left === 1 ? "one machine more" : `${code.uses_left.toLocaleString("en")} machines more`}
          {group !== undefined && `, into ${group}`}
          {code.expires_at != null && (
            <>
              , expires <RelativeTime at={code.expires_at} />
            </>
          )}
        </div>
      </div>
      <Button size="xs" variant="subtle" color="red" aria-label={`Revoke the code ${code.name}`} onClick={() => void revoke()}>
        Revoke
      </Button>
    </div>
  );
}
