// One page for logging in and for the links by which people come in. What it is for says its address.

const byId = (id) => document.getElementById(id);

const purposes = {
  "/login": { title: "Log in", about: "With your account on this Offpeak server.", email: true, password: "current-password" },
  "/setup": {
    title: "Set up Offpeak",
    about: "You are the first here: this makes your account, an administrator’s.",
    email: true,
    name: true,
    password: "new-password",
  },
  "/invitation": {
    title: "Welcome to Offpeak",
    about: "You were invited. Choose a password; a sentence of a few words is a good one.",
    name: true,
    password: "new-password",
  },
  "/reset": { title: "A new password", about: "You will be logged out everywhere else.", password: "new-password" },
};

function ownAddress(given) {
  if (!URL.canParse(given, location.origin)) return "/";
  const wanted = new URL(given, location.origin);
  // The path of `/.//elsewhere` is `//elsewhere`: taken by itself it would lead away, and here there is no such page.
  const isHere = wanted.origin === location.origin && !wanted.pathname.startsWith("//");
  return isHere ? wanted.pathname + wanted.search : "/";
}

const purpose = purposes[location.pathname] ?? purposes["/login"];
const search = new URLSearchParams(location.search);
const code = search.get("code");
// Where one was before, on this server only: `//elsewhere` and `https:` would lead away from it.
const next = ownAddress(search.get("next") ?? "/");
// The code is a secret: it stays neither in the address bar nor in the history.
if (code !== null) history.replaceState(null, "", location.pathname);

document.title = `${purpose.title} – Offpeak`;
byId("title").textContent = purpose.title;
byId("about").textContent = purpose.about;
byId("email-field").hidden = !purpose.email;
byId("name-field").hidden = !purpose.name;
const form = byId("form");
form.elements.email.required = purpose.email === true;
form.elements.password.autocomplete = purpose.password;
if (purpose.password === "new-password") form.elements.password.minLength = 10;
form.hidden = false;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  byId("problem").textContent = "";
  const body = { password: form.elements.password.value };
  if (purpose.email) body.email = form.elements.email.value;
  if (purpose.name && form.elements.name.value !== "") body.name = form.elements.name.value;
  if (code !== null) body.code = code;
  try {
    const answer = await fetch(code === null ? "/v1/session" : "/v1/links", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.ok) {
      location.replace(next);
      return;
    }
    const problem = await answer.json();
    byId("problem").textContent = [problem.detail, problem.hint].filter(Boolean).join(" ");
  } catch {
    byId("problem").textContent = "The server does not answer. Try again in a moment.";
  }
  button.disabled = false;
});
