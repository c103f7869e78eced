/** Loops and branches on devices, with the gradients through them: in f32 what the reference gives. */
import { Session } from "../../../index.js";
import { programs } from "../../control-flow/programs.js";
import { compileText } from "../../runtime/programs.js";
import { fetch, near } from "../../std/support.js";
import { forEachDevice } from "./support.js";

for (const { name, text, fetches, inputs = [] } of programs) {
  const [first] = fetches;
  const gradients = inputs.map((input, i) => `  d${i} = gradients(${first}, [${input}])`).join("\n");
  const imports = text.includes("dense(") ? 'import { dense } from "std/layers"\n' : "";
  const whole = `${imports}${text.slice(0, text.lastIndexOf("}"))}${gradients}\n}\n`.replaceAll("f64", "f32");
  const all = [...fetches, ...inputs.map((_, i) => `d${i}`)];

  forEachDevice(`${name}, and its gradients`, async (t, device) => {
    await using oracle = new Session(await compileText(t, whole));
    await using session = new Session(await compileText(t, whole, { target: "gpu", device, onWarning: () => {} }));
    const [expected, found] = [await fetch(oracle, all), await fetch(session, all)];
    for (const one of all) near(t, found.get(one), expected.get(one) ?? [], 1e-4, one);
  });
}
