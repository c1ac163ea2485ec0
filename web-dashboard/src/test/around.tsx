import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { ConfirmProvider } from "../components/confirm";

/** Draws something with what the app puts around its parts, but for the router. */
export function renderWithin(node: ReactNode) {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <MantineProvider env="test" withCssVariables={false} withGlobalClasses={false}>
      <QueryClientProvider client={queries}>
        <ConfirmProvider>{node}</ConfirmProvider>
        <Notifications />
      </QueryClientProvider>
    </MantineProvider>,
  );
}
