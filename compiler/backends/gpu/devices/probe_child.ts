import { deviceNames, openChecked, probeOf } from "./device.js";
import { nodeOpeners } from "./node.js";

/** The program of `probe.ts`: opens the device that it is given and writes what became of it, as one line of JSON. */
const name = deviceNames.find((known) => known === process.argv[2]);
if (name !== undefined) {
  const opening = await openChecked(nodeOpeners[name]);
  process.stdout.write(`${JSON.stringify(probeOf(name, opening))}\n`);
  if ("gpu" in opening) await opening.close();
}
