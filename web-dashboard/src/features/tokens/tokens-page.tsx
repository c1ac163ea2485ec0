import { Button, Checkbox, Select, TextInput } from "@mantine/core";
import { IconKey, IconPlus } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useConfirm, useNotices } from "../../components/confirm";
import { Copyable } from "../../components/copy";
import { DataTable } from "../../components/data-table";
import { FormModal } from "../../components/form-modal";
import { Page, Panel } from "../../components/page";
import { RelativeTime } from "../../components/relative-time";
import { SecretModal } from "../../components/secret-modal";
import { Empty, Loaded, LoadingRows } from "../../components/states";
import { Tag } from "../../components/status";
import type { Schemas } from "../../lib/api";
import { errorAt, otherError } from "../../lib/field-errors";
import { may, usePerson, useTeamScope } from "../../lib/session";
import { makeToken, revokeToken, type Scope, type Token, tokensQuery } from "./api/tokens";
import classes from "./components/tokens.module.css";
import { BUNDLES, isFarReaching, SCOPES } from "./scopes";

const ROW_HEIGHT = 64;

export function TokensPage() {
  const tokens = useQuery(tokensQuery);
  const queries = useQueryClient();
  const { current } = useTeamScope();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Schemas["CreatedToken"]>();
  const add = (
    <Button
      leftSection={<IconPlus size={16} />}
      onClick={() => {
        setMaking(true);
      }}
    >
      New token
    </Button>
  );
  return (
    <Page title="Tokens" about={`With which programs work for ${current?.name ?? "the team"}.`} actions={add}>
      <Panel flush>
        <Loaded query={tokens} loading={<LoadingRows rows={3} />}>
          {(all) =>
            all.length === 0 ? (
              <Empty icon={<IconKey size={28} stroke={1.6} />} title="No program has a token yet." action={add}>
                A token lets a program do what its scopes say, in this team.
              </Empty>
            ) : (
              <TokenTable tokens={all} />
            )
          }
        </Loaded>
      </Panel>
      {making && (
        <NewToken
          onClose={() => {
            setMaking(false);
          }}
          made={async (token) => {
            setMaking(false);
            setMade(token);
            await queries.invalidateQueries({ queryKey: ["tokens"] });
          }}
        />
      )}
      <SecretModal
        title={made === undefined ? "" : `The token “${made.token.name}”`}
        label="Copy the token"
        secret={made?.secret}
        onClose={() => {
          setMade(undefined);
        }}
      >
        {made?.token.scopes.includes("jobs:read") === true && (
          <div className={classes.tryIt}>
            <span className={classes.fine}>Try it:</span>
            <Copyable text={`curl -H "Authorization: Bearer ${made.secret}" ${location.origin}/v1/jobs`} label="Copy the command" />
          </div>
        )}
      </SecretModal>
    </Page>
  );
}

function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  return (
    <DataTable
      label="Tokens"
      rows={tokens}
      idOf={({ id }) => id}
      rowHeight={ROW_HEIGHT}
      columns={[
        {
          id: "name",
          header: "Token",
          width: "minmax(6rem, 1fr)",
          cell: ({ name, created_at: at }) => (
            <div className={classes.two}>
              <b className={classes.name}>{name}</b>
              <span className={classes.fine}>
                made <RelativeTime at={at} />
              </span>
            </div>
          ),
        },
        {
          id: "scopes",
          header: "May",
          width: "minmax(10rem, 2fr)",
          from: "md",
          cell: ({ scopes }) => (
            <span className={classes.scopes} title={scopes.join(", ")}>
              {scopes.map((scope) => (
                <Tag key={scope} tone={isFarReaching(scope) ? "warm" : "rest"}>
                  {scope}
                </Tag>
              ))}
            </span>
          ),
        },
        {
          id: "used",
          header: "Last used",
          width: "minmax(5.75rem, 0.7fr)",
          cell: ({ last_used_at: at }) => (at == null ? <span className={classes.fine}>never</span> : <RelativeTime at={at} />),
        },
        {
          id: "expires",
          header: "Expires",
          width: "minmax(6.5rem, 0.7fr)",
          from: "sm",
          cell: ({ expires_at: at }) => (at == null ? <span className={classes.fine}>never</span> : <RelativeTime at={at} />),
        },
        {
          id: "revoke",
          header: <span className={classes.hidden}>Revoke</span>,
          width: "4.75rem",
          align: "end",
          cell: (token) => <Revoke token={token} />,
        },
      ]}
    />
  );
}

function Revoke({ token }: { token: Token }) {
  const queries = useQueryClient();
  const confirm = useConfirm();
  const notices = useNotices();
  const revoke = async () => {
    const isDone = await confirm({
      title: `Revoke “${token.name}”?`,
      body: (
        <p>
          From its next request on, whatever uses it is refused.{" "}
          {token.last_used_at == null ? (
            "It was never used."
          ) : (
            <>
              It was last used <RelativeTime at={token.last_used_at} />.
            </>
          )}
        </p>
      ),
      action: "Revoke it",
      danger: true,
      run: () => revokeToken(token.id),
    });
    if (!isDone) return;
    notices.done(`${token.name} is good for nothing now`);
    await queries.invalidateQueries({ queryKey: ["tokens"] });
  };
  return (
    <Button size="compact-sm" variant="subtle" color="red" aria-label={`Revoke ${token.name}`} onClick={() => void revoke()}>
      Revoke
    </Button>
  );
}

const ENDS = [
  { value: "7", label: "In a week" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
  { value: "never", label: "Never" },
];

const USUAL_END = "365";

function NewToken({ onClose, made }: { onClose: () => void; made: (token: Schemas["CreatedToken"]) => Promise<void> }) {
  const person = usePerson();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(BUNDLES[0]?.scopes ?? []);
  const [end, setEnd] = useState(USUAL_END);
  const isDirty = name !== "" || scopes !== BUNDLES[0]?.scopes || end !== USUAL_END;
  const offered = SCOPES.filter(({ needs }) => may(person, needs));
  return (
    <FormModal
      opened
      isDirty={isDirty}
      size="lg"
      title="New token"
      action="Make it"
      onClose={onClose}
      disabled={name.trim() === "" || scopes.length === 0}
      rest={(error) => otherError(error, ["name", "scopes"])}
      onSubmit={async () => {
        await made(await makeToken({ name: name.trim(), scopes: [...scopes], days: end === "never" ? undefined : Number(end) }));
      }}
    >
      {(error) => (
        <>
          <div className={classes.fields}>
            <TextInput
              label="Name"
              description="Which program it is for."
              placeholder="Intranet"
              maxLength={120}
              data-autofocus
              value={name}
              onChange={({ currentTarget }) => {
                setName(currentTarget.value);
              }}
              {...errorAt(error, "name")}
            />
            <Select
              label="Expires"
              description="Then it needs a new one."
              allowDeselect={false}
              data={ENDS}
              value={end}
              onChange={(value) => {
                setEnd(value ?? USUAL_END);
              }}
            />
          </div>
          <fieldset className={classes.scopesField}>
            <legend>It may</legend>
            <div className={classes.bundles}>
              {BUNDLES.map(({ label, scopes: bundle }) => {
                const isChosen = bundle.length === scopes.length && bundle.every((scope) => scopes.includes(scope));
                return (
                  <Button
                    key={label}
                    size="compact-sm"
                    variant={isChosen ? "light" : "default"}
                    aria-pressed={isChosen}
                    onClick={() => {
                      setScopes(bundle);
                    }}
                  >
                    {label}
                  </Button>
                );
              })}
            </div>
            <div className={classes.checks}>
              {offered.map(({ scope, about }) => (
                <Checkbox
                  key={scope}
                  label={scope}
                  description={about}
                  checked={scopes.includes(scope)}
                  onChange={({ currentTarget }) => {
                    const others = scopes.filter((one) => one !== scope);
                    setScopes(currentTarget.checked ? [...others, scope] : others);
                  }}
                />
              ))}
            </div>
            {errorAt(error, "scopes").error !== undefined && <p role="alert">{errorAt(error, "scopes").error}</p>}
          </fieldset>
        </>
      )}
    </FormModal>
  );
}
