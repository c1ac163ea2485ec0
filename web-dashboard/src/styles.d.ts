import "react";

declare module "react" {
  /** Styles may set variables of their own, which a file of styles then uses. */
  // eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- an interface can be added to, a record cannot
  interface CSSProperties {
    [variable: `--${string}`]: string | number | undefined;
  }
}
