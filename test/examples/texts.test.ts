import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { encode, mobyDick, perplexityByFrequency, rowsOf } from "../../examples/lstm/text.js";
import { columnsOf, type Mail, spamAssassin, vocabularyOf, wordsOf } from "../../examples/text_classifier/mails.js";
import { compile, Session } from "../../index.js";

const root = join(import.meta.dirname, "..", "..", "..");
const examples = join(root, "dist", "examples");

async function open(t: ExecutionContext, name: string): Promise<Session> {
  const session = new Session(await compile(join(examples, name, `${name}.graph`)));
  t.teardown(() => session.close());
  return session;
}

/** Training takes the reference evaluator minutes: it is done natively. */
const nativeTest = probe().available ? test : test.skip;

test("the words of a mail are those of its subject and its text, without other headers and tags", (t) => {
  const mail = "From: someone\nSUBJECT: Win $100 Now!\nTo: x\n\n<b>It's <i\nx='y'>free</b> </i> ok";
  t.deepEqual(wordsOf(mail, 80), ["win", "$", "now", "!", "it", "s", "free", "ok"]);
  t.deepEqual(wordsOf(mail, 3), ["win", "$", "now"]);
  t.deepEqual(wordsOf("From: a\r\nX: Subject: no\r\n\r\nhi", 80), ["hi"]);
  t.deepEqual(wordsOf("", 80), []);
});

test("words become numbers, rare ones 1, and rows are filled up in front", (t) => {
  const mails: readonly Mail[] = [
    { words: ["a", "b", "a"], spam: true },
    { words: ["b", "a", "c", "d"], spam: false },
    { words: [], spam: false },
  ];
  const vocabulary = vocabularyOf(mails, 4);
  t.deepEqual(
    [...vocabulary],
    [
      ["a", 2],
      ["b", 3],
    ],
  );
  const { words, label } = columnsOf(mails, vocabulary, 4);
  t.deepEqual(words, { dtype: "i32", shape: [3, 4], data: Int32Array.of(0, 2, 3, 2, 3, 2, 1, 1, 0, 0, 0, 0) });
  t.deepEqual(label, { dtype: "u8", shape: [3], data: Uint8Array.of(1, 0, 0) });
});

const corpus = existsSync(join(root, "node_modules", "@stdlib", "datasets-spam-assassin"));
if (!corpus) console.log("examples: npm install brings the corpus of mails; without it they are not read");
(corpus ? test : test.skip)("the corpus has as many mails as it says, and each only once here", (t) => {
  const mails = spamAssassin(80);
  // 4150 and 1896 with those that are the same.
  const spam = mails.filter((mail) => mail.spam).length;
  t.true(spam > 1500 && spam <= 1896, `${spam} are spam`);
  t.true(mails.length - spam > 3500 && mails.length - spam <= 4150, `${mails.length - spam} are not`);
  t.is(new Set(mails.map(({ words }) => words.join(" "))).size, mails.length);
});

nativeTest("the text classifier learns that an early word before others makes a mail spam", async (t) => {
  const session = await open(t, "text_classifier");
  // Both kinds hold the same words; only their order tells them apart, so a count of words would be right half of the time.
  const made = (count: number, from: number): readonly Mail[] =>
    Array.from({ length: count }, (_, i) => {
      const spam = i % 2 === 0;
      const around = Array.from({ length: 6 }, (_, k) => `w${((i + from) * (k + 3)) % 37}`);
      const [first, second] = spam ? ["free", "meeting"] : ["meeting", "free"];
      return { words: [first, ...around.slice(0, 3), second, ...around.slice(3)], spam };
    });
  const practice = made(400, 0);
  const vocabulary = vocabularyOf(practice, 5000);
  await session.train({ data: columnsOf(practice, vocabulary, 80), steps: 150 });
  const { accuracy } = await session.evaluate("evaluate", columnsOf(made(200, 1000), vocabulary, 80));
  t.true((accuracy ?? 0) > 0.95, `accuracy ${accuracy}`);
});

test("a text is numbers by its alphabet, and rows share the character between them", (t) => {
  const { alphabet, codes } = encode("abcabd");
  t.deepEqual(alphabet, ["a", "b", "c", "d"]);
  t.deepEqual(codes, Uint8Array.of(0, 1, 2, 0, 1, 3));
  t.deepEqual(rowsOf(codes, 3), { dtype: "u8", shape: [2, 3], data: Uint8Array.of(0, 1, 2, 2, 0, 1) });
  t.deepEqual(rowsOf(Uint8Array.of(1), 3).shape, [0, 3]);
  // Of 256 characters with a count of 1 more each, the text below has two with 128 more: exp(log((256 + 256) / 129)).
  const half = Uint8Array.from({ length: 256 }, (_, i) => i % 2);
  t.true(Math.abs(perplexityByFrequency(half, half) - 512 / 129) < 1e-9);
});

const book = existsSync(join(root, "node_modules", "@stdlib", "datasets-moby-dick"));
if (!book) console.log("examples: npm install brings the text of Moby-Dick; without it it is not read");
(book ? test : test.skip)("the book begins as it does, and has as many different characters as the graph says", (t) => {
  const text = mobyDick();
  t.true(text.includes("Call me Ishmael. Some years ago"));
  t.is(encode(text).alphabet.length, 89);
});

nativeTest(
  "the lstm comes near the perplexity that a source of words has, and goes on from what a run has left",
  async (t) => {
    const session = await open(t, "lstm");
    // Words of four characters, each of the four with the same chance: log(4) nats a word, a perplexity of sqrt(2) a character.
    const words = ["aaab", "bcda", "cacd", "dddc"] as const;
    let seed = 1;
    const drawn = Array.from({ length: 16_000 }, () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return words[seed % 4];
    });
    const { codes } = encode(drawn.join(""));
    const [practice, heldOut] = [codes.subarray(0, 60_000), codes.subarray(60_000)];
    await session.train({ data: { text: rowsOf(practice, 65) }, steps: 120 });
    const { loss } = await session.evaluate("evaluate", { text: rowsOf(heldOut, 65) }, { batch: 50 });
    const perplexity = Math.exp(loss ?? Number.NaN);
    t.true(perplexity > 1.35 && perplexity < 1.7, `${perplexity}`);

    const whole = await session.run("write", { text: [[0, 0, 0, 1, 3, 3]] });
    const first = await session.run("write", { text: [[0, 0, 0]] });
    const { state_after: state, cell_after: cell } = first;
    if (state?.dtype !== "f32" || cell?.dtype !== "f32") throw new Error("no memory");
    const second = await session.run("write", { text: [[1, 3, 3]], state, cell });
    for (const name of ["state_after", "cell_after"]) {
      const expected = [...(whole[name]?.data ?? [])].map(Number);
      t.is(expected.length, 192);
      expected.forEach((value, i) => {
        t.true(Math.abs(Number(second[name]?.data[i]) - value) < 1e-5);
      });
    }
  },
);
