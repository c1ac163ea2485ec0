import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { IconMoonStars } from "@tabler/icons-react";
import { Empty } from "../components/states";

export function NotFound() {
  return (
    <Empty
      icon={<IconMoonStars size={28} stroke={1.6} />}
      title="There is nothing at this address."
      action={
        <Button component={Link} to="/" variant="default">
          To the overview
        </Button>
      }
    >
      The link may be old, or what it led to was deleted.
    </Empty>
  );
}
