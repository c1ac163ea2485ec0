/** Goes to the page for logging in, which comes back to where one was. */
export function logIn() {
  const here = location.pathname + location.search;
  location.assign(here === "/" ? "/login" : `/login?next=${encodeURIComponent(here)}`);
}
