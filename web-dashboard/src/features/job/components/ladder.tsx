import type { Job } from "@offpeak/sdk";
import { Bar } from "../../../components/bar";
import { bitRate, byteSize } from "../../../lib/format";
import { secondsOf } from "../film";
import classes from "./ladder.module.css";

/** Every rendition: how large its picture is, how far it is, what it weighs. */
export function Ladder({ job }: { job: Job }) {
  const seconds = secondsOf(job);
  const total = job.progress.renditions.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <div className={classes.scroll} tabIndex={0} role="region" aria-label="Renditions">
      <table className={classes.ladder}>
        <thead>
          <tr>
            <th scope="col">Rendition</th>
            <th scope="col">Picture</th>
            <th scope="col" className={classes.wide}>
              Segments
            </th>
            <th scope="col" className={classes.number}>
              Bitrate
            </th>
            <th scope="col" className={classes.number}>
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {job.progress.renditions.map((rendition) => {
            const { id, width, height, segments_done: done, segments_total: all, frames_done: frames, frames_total: of, bytes } = rendition;
            const made = seconds !== undefined && of !== undefined && of > 0 ? (frames / of) * seconds : 0;
            return (
              <tr key={id}>
                <th scope="row">{id}</th>
                <td>{width == null || height == null ? "–" : `${width} × ${height}`}</td>
                <td>
                  <div className={classes.progress}>
                    <Bar fraction={all === 0 ? 0 : done / all} label={`${id}: segments made`} tone={done === all ? "done" : "work"} />
                    <span>
                      {done} of {all}
                    </span>
                  </div>
                </td>
                <td className={classes.number}>{made > 0 ? bitRate((bytes * 8) / made) : "–"}</td>
                <td className={classes.number}>{bytes > 0 ? byteSize(bytes) : "–"}</td>
              </tr>
            );
          })}
        </tbody>
        <tfoot>
          <tr>
            <td colSpan={4}>All renditions</td>
            <td className={classes.number}>{byteSize(total)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}
