import { join } from "node:path";
import { compile } from "../../index.js";
import { networks, slopesByLayer, trainNetwork } from "./networks.js";

const folder = import.meta.dirname;
const program = await compile(join(folder, "deep_mnist.graph"));

const slopes = await slopesByLayer(program, folder);
console.log("norm of the slope in a layer's weights, untrained   first      middle       last");
for (const { title, scope } of networks) {
  const norms = slopes.get(scope) ?? [];
  const shown = [norms[0], norms[norms.length / 2], norms.at(-1)].map((norm) => norm?.toExponential(1).padStart(11));
  console.log(`${title.padEnd(46)}${shown.join(" ")}`);
}

console.log();
for (const network of networks) {
  const { report, loss, accuracy } = await trainNetwork(program, folder, network);
  const found = `test loss ${loss.toFixed(4)}  accuracy ${accuracy.toFixed(4)}`;
  console.log(`${network.title.padEnd(27)} ${report.steps} steps in ${report.seconds.toFixed(1)} s  ${found}`);
}
