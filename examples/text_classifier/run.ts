import { join } from "node:path";
import { compile, Session } from "../../index.js";
import { columnsOf, spamAssassin, vocabularyOf } from "./mails.js";

const program = await compile(join(import.meta.dirname, "text_classifier.graph"));
await using session = new Session(program);

const length = 80;
const mails = spamAssassin(length);
// Each fifth mail is held out: the corpus stands in its groups, so that both parts have of each.
const practice = mails.filter((_, i) => i % 5 !== 0);
const exam = mails.filter((_, i) => i % 5 === 0);
const vocabulary = vocabularyOf(practice, 5000);
console.log(`${practice.length} mails to learn from, ${exam.length} held out`);

const report = await session.train({
  data: columnsOf(practice, vocabulary, length),
  onReport: ({ step, metrics }) =>
    console.log(`step ${step}  loss ${metrics["loss"]?.toFixed(4)}  accuracy ${metrics["accuracy"]?.toFixed(4)}`),
});
console.log(`${report.steps} steps in ${report.seconds.toFixed(1)} s on ${report.device}`);

const held = columnsOf(exam, vocabulary, length);
const test = await session.evaluate("evaluate", held);
const spam = exam.filter((mail) => mail.spam).length;
console.log(`held-out accuracy ${test["accuracy"]?.toFixed(4)}`);
console.log(`calling no mail spam ${(Math.max(spam, exam.length - spam) / exam.length).toFixed(4)}`);

const { probability } = await session.run("predict", { words: held.words });
const taken = [...(probability?.data ?? [])].map((share) => Number(share) > 0.5);
const count = (isSpam: boolean, asSpam: boolean): number =>
  exam.filter((mail, i) => mail.spam === isSpam && taken[i] === asSpam).length;
console.log(`of ${spam} spam mails ${count(true, true)} are found`);
console.log(`of ${exam.length - spam} others ${count(false, true)} are taken for spam`);
