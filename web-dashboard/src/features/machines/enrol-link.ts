/**
 * All that enrolling needs in one line: `offpeak://host:port/CODE`, or `offpeak+http://` for a server without TLS. (The
 * fingerprint of a certificate that the server made itself only the server's terminal knows.)
 */
export function enrolLink(origin: string, code: string): string {
  const { protocol, host } = new URL(origin);
  return `${protocol === "https:" ? "offpeak" : "offpeak+http"}://${host}/${code}`;
}

export type Platform = "linux" | "windows" | "macos" | "headless";

export interface Step {
  text: string;
  /** What is typed, if something is. */
  command?: string;
}

/** What to do at a machine, in order. */
export function stepsFor(platform: Platform, link: string): Step[] {
  switch (platform) {
    case "linux":
      return [
        { text: "Put offpeak-agent and its ffmpeg on the machine, in a folder of their own." },
        { text: "Enrol it, in a terminal, as the person whose machine it is:", command: `./offpeak-agent enrol '${link}'` },
        { text: "Let it try everything that work needs:", command: "./offpeak-agent check" },
        { text: "Start it. From now on it works whenever the policy allows:", command: "./offpeak-agent run" },
      ];
    case "windows":
      return [
        { text: "Put offpeak-agent.exe and its ffmpeg on the machine, in a folder of their own." },
        { text: "Enrol it, in PowerShell:", command: `.\\offpeak-agent.exe enrol "${link}"` },
        { text: "Let it try everything that work needs:", command: ".\\offpeak-agent.exe check" },
        { text: "Start it. From now on it works whenever the policy allows:", command: ".\\offpeak-agent.exe run" },
      ];
    case "macos":
      return [
        { text: "Put offpeak-agent and its ffmpeg on the Mac, in a folder of their own." },
        { text: "Enrol it, in Terminal:", command: `./offpeak-agent enrol '${link}'` },
        { text: "Let it try everything that work needs:", command: "./offpeak-agent check" },
        { text: "Start it. From now on it works whenever the policy allows:", command: "./offpeak-agent run" },
      ];
    case "headless":
      return [
        {
          text: "For servers, containers and images that are started many times: give the link as a variable, and the engine enrols itself when it starts first.",
        },
        {
          text: "Keep its folder of state, or each start joins as another machine:",
          command: `OFFPEAK_ENROL_CODE='${link}' offpeak-agent run --state-dir /var/lib/offpeak`,
        },
        { text: "It stops politely when it gets SIGTERM: what it finished stays, the rest goes to other machines." },
      ];
  }
}

/** The system that this browser runs on, as the likeliest one to be asked about. */
export function platformOf(userAgent: string): Platform {
  if (/windows/i.test(userAgent)) return "windows";
  return /mac os|macintosh|iphone|ipad/i.test(userAgent) ? "macos" : "linux";
}
