// Bare players, each with its defaults but for one thing: playback starts when the test says so.
const LIBRARIES = {
  hlsjs: "/node_modules/hls.js/dist/hls.min.js",
  dashjs: "/node_modules/dashjs/dist/modern/umd/dash.all.min.js",
  shaka: "/node_modules/shaka-player/dist/shaka-player.compiled.js",
};

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = resolve;
    script.onerror = () => reject(new Error(`cannot load ${address}`));
    document.head.append(script);
  });
}

/** Puts `address` into the page's video element with the named player. */
window.load = async (player, address) => {
  const video = document.getElementById("video");
  observeVideo(video);
  await loadScript(LIBRARIES[player]);
  await { hlsjs: loadHls, dashjs: loadDash, shaka: loadShaka }[player](video, address);
};

async function loadHls(video, address) {
  const hls = new Hls();
  hls.on(Hls.Events.ERROR, (_, { type, details, fatal, error }) => {
    // A decoder that waits for a busy processor looks like a stall to hls.js; observe.js judges whether it goes on too long.
    if (details === Hls.ErrorDetails.BUFFER_STALLED_ERROR && !fatal && !lacksData(video)) return;
    noteTrouble(`hls.js ${fatal ? "fatal " : ""}${type} ${details}: ${error?.message}`);
  });
  hls.loadSource(address);
  hls.attachMedia(video);
}

async function loadDash(video, address) {
  const player = dashjs.MediaPlayer().create();
  const events = dashjs.MediaPlayer.events;
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE } });
  player.on(events.ERROR, ({ error }) => noteTrouble(`dash.js error ${error?.code}: ${error?.message}`));
  player.on(events.PLAYBACK_ERROR, ({ error }) => noteTrouble(`dash.js playback error: ${error?.message ?? error}`));
  player.initialize(video, address, false);
}

async function loadShaka(video, address) {
  const player = new shaka.Player();
  player.addEventListener("error", ({ detail }) => noteTrouble(`Shaka error ${detail.code}: ${detail.data}`));
  await player.attach(video);
  await player.load(address);
}
