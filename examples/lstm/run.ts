import { fileURLToPath } from "node:url";
import { compile, Session } from "../../index.js";
import { encode, mobyDick, perplexityByFrequency, rowsOf } from "./text.js";

const program = await compile(fileURLToPath(new URL("lstm.graph", import.meta.url)));
await using session = new Session(program);

const length = 65;
const { alphabet, codes } = encode(mobyDick());
// The last tenth of the book is not trained on.
const cut = Math.floor(0.9 * codes.length);
const [practice, heldOut] = [codes.subarray(0, cut), codes.subarray(cut)];
console.log(`${codes.length} characters, ${alphabet.length} different ones; ${heldOut.length} are held out`);

const report = await session.train({
  data: { text: rowsOf(practice, length) },
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  perplexity ${Math.exp(metrics["loss"] ?? Number.NaN).toFixed(2)}`),
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(1)} s on ${report.device}`);

const { loss } = await session.evaluate("evaluate", { text: rowsOf(heldOut, length) }, { batch: 64 });
console.log(`held-out perplexity ${Math.exp(loss ?? Number.NaN).toFixed(2)}`);
console.log(`by the frequency of each character alone ${perplexityByFrequency(heldOut, practice).toFixed(2)}`);

// For the picture, and for other texts: the file that is named on the command line, or one beside this program.
const [, , weights = fileURLToPath(new URL("trained.safetensors", import.meta.url))] = process.argv;
await session.save(weights);

/** Goes on after `start`: each character that is drawn is fed back, with the state that the run before has left. */
async function write(start: string, count: number, temperature: number): Promise<string> {
  let written = start;
  let codes = Uint8Array.from(start, (character) => alphabet.indexOf(character));
  let memory = {};
  for (let i = 0; i < count; i++) {
    const { next_character, state_after, cell_after } = await session.run("write", {
      text: [[...codes]],
      temperature,
      ...memory,
    });
    const code = Number(next_character?.data[0]);
    written += alphabet[code];
    codes = Uint8Array.of(code);
    if (state_after === undefined || cell_after === undefined) break;
    memory = { state: state_after, cell: cell_after };
  }
  return written;
}

for (const temperature of [0.5, 1]) {
  console.log(`\ntemperature ${temperature}`);
  console.log(await write("The whale ", 400, temperature));
}
