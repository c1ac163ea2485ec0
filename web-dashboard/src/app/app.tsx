import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useState } from "react";
import { ConfirmProvider } from "../components/confirm";
import { whenSignedOut } from "../lib/api";
import { logIn } from "./log-in";
import { makeQueryClient } from "./query-client";
import { makeRouter } from "./router";
import { schemes } from "./scheme";
import { theme } from "./theme";

/** The whole dashboard, with everything that its parts find around them. */
export function App() {
  const [{ queries, router }] = useState(() => {
    const queries = makeQueryClient();
    whenSignedOut(logIn);
    return { queries, router: makeRouter(queries) };
  });
  // The theme's styles are a file (build/theme-styles.ts): the pages' policy allows no style elements.
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={schemes} withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <ConfirmProvider>
          <RouterProvider router={router} />
        </ConfirmProvider>
        <Notifications position="bottom-right" />
      </QueryClientProvider>
    </MantineProvider>
  );
}
