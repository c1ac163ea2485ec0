import type { Snippet } from "./search";

export const SNIPPET_WORDS: Record<Snippet, string> = { curl: "curl", cli: "offpeak", typescript: "TypeScript", python: "Python", rust: "Rust" };

/** How a program reads this job and fetches what came out. `server` is the server's address, without a slash at its end. */
export function snippet(kind: Snippet, server: string, job: string): string {
  switch (kind) {
    case "curl":
      return [`curl -H "Authorization: Bearer $OFFPEAK_TOKEN" \\`, `  ${server}/v1/jobs/${job}`].join("\n");
    case "cli":
      return [`export OFFPEAK_URL=${server} OFFPEAK_TOKEN=ofp_…`, `offpeak show ${job}`, `offpeak download ${job}`].join("\n");
    case "typescript":
      return [
        `import { Offpeak } from "@offpeak/sdk";`,
        ``,
        `const offpeak = new Offpeak({ url: "${server}", token: process.env.OFFPEAK_TOKEN });`,
        `const job = await offpeak.wait("${job}");`,
        `console.log(job.outputs?.hls);`,
      ].join("\n");
    case "python":
      return [
        `import os`,
        `from offpeak import Offpeak`,
        ``,
        `with Offpeak("${server}", os.environ["OFFPEAK_TOKEN"]) as offpeak:`,
        `    job = offpeak.wait("${job}")`,
        `    print(job.outputs.hls)`,
      ].join("\n");
    case "rust":
      return [
        `let token = std::env::var("OFFPEAK_TOKEN")?;`,
        `let offpeak = offpeak_client::Client::new("${server}", Some(token))?;`,
        `let job = offpeak.wait(&"${job}".parse()?, |_| ()).await?;`,
        `println!("{:?}", job.outputs.hls);`,
      ].join("\n");
  }
}
