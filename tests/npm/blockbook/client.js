// @trezor/blockchain-link, unchanged, driven line by line: a command is {"id", "call", "args"} as JSON on stdin, its
// answer {"id", "result"} or {"id", "error"} on stdout, and what the server pushes {"event", "data"}.
"use strict";

const readline = require("node:readline");
const BlockchainLink = require("@trezor/blockchain-link").default;
const worker = require("@trezor/blockchain-link/lib/workers/blockbook").default;

const link = new BlockchainLink({
  name: "Flux",
  worker,
  server: [process.argv[2]],
  debug: false,
  timeout: 20000,
  throttleBlockEvent: 0,
});

function say(message) {
  process.stdout.write(JSON.stringify(message) + "\n");
}

for (const event of ["connected", "disconnected", "error", "block", "notification"]) {
  link.on(event, (data) => say({ event, data: data === undefined ? null : data }));
}

async function obey({ id, call, args }) {
  try {
    const result = await link[call](...args);
    say({ id, result: result === undefined ? null : result });
  } catch (error) {
    say({ id, error: String(error && error.message ? error.message : error) });
  }
}

const lines = readline.createInterface({ input: process.stdin });
lines.on("line", (line) => obey(JSON.parse(line)));
lines.on("close", () => {
  link.dispose();
  process.exit(0);
});
