import { Button, Menu } from "@mantine/core";
import { IconCheck, IconChevronDown } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { bitRate } from "../../../lib/format";
import { play, type Playback, type Rung } from "../../../lib/playback";
import classes from "./player.module.css";

/** Plays a stream, with the browser's own controls and a menu of qualities. Loaded when there is something to play. */
export function Player({ address, label }: { address: string; label: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const playback = useRef<Playback>(undefined);
  const [ladder, setLadder] = useState<Rung[]>([]);
  const [shown, setShown] = useState<number>();
  const [wish, setWish] = useState<number>();
  const [broken, setBroken] = useState<string>();

  useEffect(() => {
    if (video.current === null) return;
    const playing = play(video.current, address, { onLadder: setLadder, onRung: setShown, onBroken: setBroken });
    playback.current = playing;
    return () => {
      playing.stop();
    };
  }, [address]);

  const choose = (index: number | undefined) => {
    setWish(index);
    playback.current?.choose(index);
  };
  const now = ladder.find(({ index }) => index === (wish ?? shown));
  const quality = wish === undefined ? `Auto${now === undefined ? "" : ` · ${nameOf(now)}`}` : now === undefined ? "Auto" : nameOf(now);

  return (
    <div className={classes.player}>
      {/* What is made of a source has no captions of its own yet. */}
      <video ref={video} className={classes.video} controls playsInline preload="metadata" aria-label={label} />
      {broken !== undefined && (
        <p className={classes.broken} role="alert">
          {broken}
        </p>
      )}
      {ladder.length > 0 && (
        <div className={classes.bar}>
          <span className={classes.shown} data-testid="playing">
            {now === undefined ? "Not playing yet" : `Playing ${nameOf(now)} at up to ${bitRate(now.bitsPerSecond)}`}
          </span>
          <Menu position="bottom-end" width={220}>
            <Menu.Target>
              <Button className={classes.quality ?? ""} variant="default" size="compact-sm" rightSection={<IconChevronDown size={14} aria-hidden />}>
                <span className={classes.ears}>Quality: </span>
                {quality}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item
                rightSection={wish === undefined ? <IconCheck size={15} /> : undefined}
                onClick={() => {
                  choose(undefined);
                }}
              >
                Auto, as the network carries
              </Menu.Item>
              {ladder.map((rung) => (
                <Menu.Item
                  key={rung.index}
                  rightSection={wish === rung.index ? <IconCheck size={15} /> : <span className={classes.rate}>{bitRate(rung.bitsPerSecond)}</span>}
                  onClick={() => {
                    choose(rung.index);
                  }}
                >
                  {nameOf(rung)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        </div>
      )}
    </div>
  );
}

function nameOf(rung: Rung): string {
  return rung.height > 0 ? `${rung.height}p` : bitRate(rung.bitsPerSecond);
}
