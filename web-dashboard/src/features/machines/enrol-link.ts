const OF_THIS_MACHINE = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * All that enrolling needs in one line: `offpeak://host:port/CODE?fp=FINGERPRINT`, or `offpeak+http://` for a server without TLS. It
 * is the server's own link, unless the server takes itself for one that only its own machine reaches (or knows no address), and
 * the page came from elsewhere: then under the address of the page.
 */
export function enrolLink({ code, link }: { code: string; link?: string | null }, origin: string): string {
  const { protocol, host, hostname } = new URL(origin);
  const byPage = `${protocol === "https:" ? "offpeak" : "offpeak+http"}://${host}/${code}`;
  if (link == null) return byPage;
  // Browsers know hosts of schemes that they know.
  const own = new URL(link.replace(/^offpeak(\+http)?:/, "http:"));
  return OF_THIS_MACHINE.has(own.hostname) && !OF_THIS_MACHINE.has(hostname) ? byPage + own.search : link;
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
