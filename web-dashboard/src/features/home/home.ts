import { byId } from "../../lib/dom";
import { jobIn } from "./job-in";

const form = byId("watch", HTMLFormElement);
const field = byId("job", HTMLInputElement);
const note = byId("job-note", HTMLElement);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const job = jobIn(field.value);
  if (job === undefined) {
    note.textContent = "That holds no job id. It looks like job_01J8ZC5V2M0N6QW3T7RX9KPEHD.";
    note.classList.add("wrong");
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return;
  }
  location.assign(`/watch/${job}`);
});
