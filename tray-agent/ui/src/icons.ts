// The few line pictures of the navigation, drawn on a grid of 20.

const PATHS = {
  status: "M3 11.5h3l2-6 4 10 2-4h3",
  join: "M10 4v12M4 10h12",
  limits: "M4 6h7m4 0h1M4 14h1m4 0h7M13 4v4M7 12v4",
  why: "M7.3 7.4a2.8 2.8 0 1 1 4.2 2.5c-1 .6-1.5 1.1-1.5 2.3M10 15.3v.2",
  log: "M5 5h10M5 10h10M5 15h6",
  settings: "M10 7.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M10 3v1.8M10 15.2V17M3 10h1.8M15.2 10H17M5.1 5.1l1.2 1.2M13.7 13.7l1.2 1.2M5.1 14.9l1.2-1.2M13.7 6.3l1.2-1.2",
  about: "M10 9.3V14M10 6.3v.2M10 3a7 7 0 1 1 0 14 7 7 0 0 1 0-14",
};

export type Icon = keyof typeof PATHS;

export function icon(name: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
