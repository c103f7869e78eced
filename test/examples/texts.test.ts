import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import { probe } from "../../compiler/backends/llvm/availability.js";
import { columnsOf, type Mail, spamAssassin, vocabularyOf, wordsOf } from "../../examples/text_classifier/mails.js";
import { compile, Session } from "../../index.js";

const root = join(import.meta.dirname, "..", "..", "..");
const examples = join(root, "dist", "examples");

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
  const session = new Session(await compile(join(examples, "text_classifier", "text_classifier.graph")));
  t.teardown(() => session.close());
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
