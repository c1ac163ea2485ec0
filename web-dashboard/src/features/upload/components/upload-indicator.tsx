import { Link } from "@tanstack/react-router";
import { Bar } from "../../../components/bar";
import { useQueue } from "../queue";
import classes from "./upload-indicator.module.css";

/** In the frame of every page, while something is being uploaded. */
export function UploadIndicator() {
  const items = useQueue().filter(({ state, bytes }) => bytes !== undefined && ["waiting", "uploading", "creating"].includes(state));
  if (items.length === 0) return null;
  const whole = items.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  const sent = items.reduce((sum, { sent }) => sum + sent, 0);
  const words = items.length === 1 ? "Uploading a film" : `Uploading ${items.length} films`;
  return (
    <Link to="/upload" className={classes.indicator}>
      <span>{words}</span>
      <span className={classes.percent}>{Math.floor((sent / whole) * 100)} %</span>
      <Bar fraction={sent / whole} label={words} />
    </Link>
  );
}
