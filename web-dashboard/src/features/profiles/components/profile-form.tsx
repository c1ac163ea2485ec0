import { ActionIcon, Button, NumberInput, Radio, Select, Textarea, TextInput } from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { Panel } from "../../../components/page";
import type { Schemas } from "../../../lib/api";
import type { Field, Whole } from "../check";
import classes from "./profiles.module.css";

interface Props {
  profile: Whole;
  change: (profile: Whole) => void;
  errors: Partial<Record<Field, string>>;
  /** A profile's name is its address: it stays what it is. */
  isNew: boolean;
}

const PRESETS: { value: Schemas["X264Preset"]; label: string }[] = [
  { value: "ultrafast", label: "ultrafast: quickest, largest files" },
  { value: "superfast", label: "superfast" },
  { value: "veryfast", label: "veryfast" },
  { value: "faster", label: "faster" },
  { value: "fast", label: "fast" },
  { value: "medium", label: "medium: x264’s own choice" },
  { value: "slow", label: "slow" },
  { value: "slower", label: "slower" },
  { value: "veryslow", label: "veryslow: best, takes longest" },
];
const USUAL_CRF = 23;

/** An empty field is no number: the check says so. */
const number = (value: number | string) => (value === "" ? Number.NaN : Number(value));
const shown = (value: number) => (Number.isNaN(value) ? "" : value);

export function ProfileForm({ profile, change, errors, isNew }: Props) {
  const set = (part: Partial<Whole>) => {
    change({ ...profile, ...part });
  };
  return (
    <>
      <Panel title="Name">
        <div className={classes.fields} data-single>
          <TextInput
            label="Name"
            description="Jobs name it. Lower-case letters, digits and hyphens."
            placeholder="phone-app"
            disabled={!isNew}
            value={profile.name}
            onChange={({ currentTarget }) => {
              set({ name: currentTarget.value });
            }}
            error={errors.name}
          />
          <Textarea
            label="Description"
            description="For those who choose."
            rows={2}
            value={profile.description}
            onChange={({ currentTarget }) => {
              set({ description: currentTarget.value });
            }}
            error={errors.description}
          />
        </div>
      </Panel>
      <Panel title="Pictures" about="H.264, one rendition for each rung that the source is large enough for.">
        <Rungs profile={profile} change={change} errors={errors} />
        <div className={classes.fields}>
          <Select
            label="Effort"
            description="x264’s preset."
            allowDeselect={false}
            data={PRESETS}
            value={profile.video.preset ?? "medium"}
            onChange={(value) => {
              const preset = PRESETS.find((one) => one.value === value)?.value;
              if (preset !== undefined) set({ video: { ...profile.video, preset } });
            }}
          />
          <QualityField profile={profile} change={change} error={errors["video.quality.crf"]} />
          <NumberInput
            label="Frame rate, at most"
            description="Higher ones are lowered to it."
            min={1}
            max={240}
            value={shown(profile.max_frame_rate)}
            onChange={(value) => {
              set({ max_frame_rate: number(value) });
            }}
            error={errors.max_frame_rate}
          />
        </div>
      </Panel>
      <Panel title="Sound" about="AAC-LC.">
        <div className={classes.fields}>
          <NumberInput
            label="Bit rate"
            suffix=" kbit/s"
            min={32}
            max={512}
            allowDecimal={false}
            value={shown(profile.audio.bitrate_kbps)}
            onChange={(value) => {
              set({ audio: { ...profile.audio, bitrate_kbps: number(value) } });
            }}
            error={errors["audio.bitrate_kbps"]}
          />
          <Select
            label="Channels"
            allowDeselect={false}
            data={[
              { value: "1", label: "Mono" },
              { value: "2", label: "Stereo" },
            ]}
            value={String(profile.audio.channels)}
            onChange={(value) => {
              set({ audio: { ...profile.audio, channels: Number(value) } });
            }}
            error={errors["audio.channels"]}
          />
        </div>
      </Panel>
      <Panel title="Segments and spans" about="A segment is what players fetch; a span is what one machine is given at a time.">
        <div className={classes.fields}>
          <NumberInput
            label="Segment"
            suffix=" s"
            min={1}
            max={30}
            value={shown(profile.segment_seconds)}
            onChange={(value) => {
              set({ segment_seconds: number(value) });
            }}
            error={errors.segment_seconds}
          />
          <NumberInput
            label="Span, at most"
            suffix=" s"
            min={1}
            max={3600}
            value={shown(profile.span_seconds)}
            onChange={(value) => {
              set({ span_seconds: number(value) });
            }}
            error={errors.span_seconds}
          />
        </div>
      </Panel>
      <Panel title="Files" about="Made from the finished segments, without encoding again.">
        <Files profile={profile} change={change} errors={errors} />
      </Panel>
      <Panel title="Who can watch">
        <Radio.Group
          aria-label="Who can watch"
          value={profile.access}
          onChange={(value) => {
            set({ access: value === "signed" ? "signed" : "public" });
          }}
        >
          <div className={classes.choices}>
            <Radio
              value="public"
              label="Whoever knows the job’s id"
              description="It has 80 random bits and cannot be guessed, but whoever has it can hand it on."
            />
            <Radio
              value="signed"
              label="Signed addresses only"
              description="Players need an address that the server signed; it is good for some hours."
            />
          </div>
        </Radio.Group>
      </Panel>
    </>
  );
}

type Part = Omit<Props, "isNew">;

function Rungs({ profile, change, errors }: Part) {
  const { ladder } = profile.video;
  const set = (next: typeof ladder) => {
    change({ ...profile, video: { ...profile.video, ladder: next } });
  };
  const add = () => {
    const lowest = ladder.toSorted((a, b) => a.height - b.height)[0] ?? { height: 1440, max_kbps: 8000 };
    const height = Math.max(64, Math.round((lowest.height * 2) / 3 / 2) * 2);
    set([...ladder, { height, max_kbps: Math.max(50, Math.round(lowest.max_kbps / 2 / 50) * 50) }]);
  };
  const error = errors["video.ladder"] ?? errors["video.ladder[].height"] ?? errors["video.ladder[].max_kbps"];
  return (
    <div className={classes.ladder}>
      {ladder.map((rung, at) => (
        <div key={at} className={classes.rungFields} role="group" aria-label={`Rung ${at + 1}`}>
          <NumberInput
            aria-label={`Lines of rung ${at + 1}`}
            suffix="p"
            min={2}
            step={2}
            allowDecimal={false}
            value={shown(rung.height)}
            onChange={(value) => {
              set(ladder.map((one, index) => (index === at ? { ...one, height: number(value) } : one)));
            }}
          />
          <NumberInput
            aria-label={`Cap of rung ${at + 1}`}
            suffix=" kbit/s"
            min={1}
            step={100}
            allowDecimal={false}
            thousandSeparator=","
            value={shown(rung.max_kbps)}
            onChange={(value) => {
              set(ladder.map((one, index) => (index === at ? { ...one, max_kbps: number(value) } : one)));
            }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            c="dimmed"
            aria-label={`Remove rung ${at + 1}`}
            disabled={ladder.length === 1}
            onClick={() => {
              set(ladder.filter((_, index) => index !== at));
            }}
          >
            <IconTrash size={17} />
          </ActionIcon>
        </div>
      ))}
      {error !== undefined && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
      <div>
        <Button size="xs" variant="subtle" leftSection={<IconPlus size={15} />} onClick={add}>
          Add a rung
        </Button>
      </div>
    </div>
  );
}

function QualityField({ profile, change, error }: Omit<Part, "errors"> & { error: string | undefined }) {
  const quality = profile.video.quality ?? { mode: "capped_crf", crf: USUAL_CRF };
  const set = (next: Schemas["Quality"]) => {
    change({ ...profile, video: { ...profile.video, quality: next } });
  };
  return (
    <>
      <Select
        label="Quality"
        description="Under each rung’s cap."
        allowDeselect={false}
        data={[
          { value: "capped_crf", label: "Constant quality (CRF)" },
          { value: "lossless", label: "Lossless, without caps" },
        ]}
        value={quality.mode}
        onChange={(mode) => {
          set(mode === "lossless" ? { mode } : { mode: "capped_crf", crf: USUAL_CRF });
        }}
      />
      {quality.mode === "capped_crf" && (
        <NumberInput
          label="CRF"
          description="Lower is better and larger; 18 to 28 is usual."
          min={1}
          max={51}
          step={0.5}
          value={shown(quality.crf)}
          onChange={(value) => {
            set({ mode: "capped_crf", crf: number(value) });
          }}
          error={error}
        />
      )}
    </>
  );
}

const HIGHEST = "highest";

function Files({ profile, change, errors }: Part) {
  const { files } = profile;
  const set = (next: Whole["files"]) => {
    change({ ...profile, files: next });
  };
  const rungs = [...new Set(profile.video.ladder.map(({ height }) => height))].filter((height) => height > 0).sort((a, b) => b - a);
  const error = errors.files ?? errors["files[].name"];
  return (
    <div className={classes.ladder}>
      {files.length === 0 && <p className={classes.fine}>None: jobs make streams only.</p>}
      {files.map((file, at) => (
        <div key={at} className={classes.rungFields} role="group" aria-label={`File ${at + 1}`}>
          <TextInput
            aria-label={`Name of file ${at + 1}`}
            value={file.name}
            onChange={({ currentTarget }) => {
              set(files.map((one, index) => (index === at ? { ...one, name: currentTarget.value } : one)));
            }}
          />
          <Select
            aria-label={`Rung of file ${at + 1}`}
            allowDeselect={false}
            data={[
              { value: HIGHEST, label: "The highest rung" },
              ...rungs.map((height) => ({ value: String(height), label: `${height}p` })),
            ]}
            value={file.height == null ? HIGHEST : String(file.height)}
            onChange={(value) => {
              const { name, container } = file;
              const next = value === null || value === HIGHEST ? { name, container } : { name, container, height: Number(value) };
              set(files.map((one, index) => (index === at ? next : one)));
            }}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            c="dimmed"
            aria-label={`Remove file ${at + 1}`}
            onClick={() => {
              set(files.filter((_, index) => index !== at));
            }}
          >
            <IconTrash size={17} />
          </ActionIcon>
        </div>
      ))}
      {error !== undefined && (
        <p className={classes.error} role="alert">
          {error}
        </p>
      )}
      <div>
        <Button
          size="xs"
          variant="subtle"
          leftSection={<IconPlus size={15} />}
          onClick={() => {
            set([...files, { name: files.length === 0 ? "film.mp4" : `film-${files.length + 1}.mp4`, container: "mp4" }]);
          }}
        >
          Add a file
        </Button>
      </div>
    </div>
  );
}
