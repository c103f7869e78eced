/** A kernel of GL is built for arguments of one shape: what a variable is at first, and what rows of threads have made of it. */
import test from "ava";
import { Session } from "../../../index.js";
import { compileText } from "../../runtime/programs.js";
import { hasSoftware, startXServer } from "./software.js";

const headlessGl = hasSoftware("headlessgl") ? test.serial : test.serial.skip;

headlessGl("a variable that rows of threads update is read again", async (t) => {
  const server = await startXServer();
  const program = await compileText(
    t,
    `graph g {
  variable w: f32[32, 32] = eye(32)
  update double {
    w := w @ (2 * eye(32))
  }
  signature step() does double -> ()
}
`,
    { target: "gpu", device: "headlessgl" },
  );
  {
    await using session = new Session(program);
    for (let i = 0; i < 3; i++) await session.run("step");
    const { data } = await session.read("w");
    t.deepEqual(
      Array.from(data as Float32Array),
      Array.from({ length: 1024 }, (_, i) => (i % 33 === 0 ? 8 : 0)),
    );
  }
  server.stop();
});
