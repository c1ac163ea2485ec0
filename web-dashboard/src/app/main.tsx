import "@mantine/core/styles.css";
import "virtual:theme.css";
import "@mantine/notifications/styles.css";
import "../styles/tokens.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { showScheme } from "./scheme";

showScheme();
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
