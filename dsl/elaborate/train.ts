import type { DataSource, Mode, Signature, TrainPlan } from "../../compiler/ir/graph.js";
import type { Span } from "../../compiler/ir/span.js";
import type { Expression, Field, Path, Statement } from "../ast.js";
import { didYouMean, quote } from "../diagnostics.js";
import { pathOf } from "../paths.js";
import { dataSource } from "./data.js";
import { noteName, notePath } from "./facts.js";
import { poisoned } from "./meaning.js";
import { checkSchedules } from "./schedules.js";
import { checkOutput, isBroken, type Modes, type Signatures } from "./signatures.js";
import { type Env, report } from "./state.js";
import {
  bestFields,
  checkpointFields,
  directions,
  earlyStoppingFields,
  namesOf,
  remainders,
  reportFields,
  summaryFields,
  trainFields,
  validateFields,
} from "./train_fields.js";

type Plan = { -readonly [K in keyof TrainPlan]: TrainPlan[K] };
type Fields = readonly Field[];

/** Reads the `train` block: data, not code. Names are checked against the graph, files are not opened. */
export function trainPlan(
  env: Env,
  statements: readonly Statement[],
  signatures: Signatures,
  modes: Modes,
): TrainPlan | undefined {
  const block = statements.find((one) => one.kind === "train");
  if (block === undefined || block.kind !== "train") return undefined;
  // One that could not be read may be meant.
  const isWhole = statements.every((one) => one.kind !== "invalid" || one.word !== "signature");
  const reader = new Reader(env, signatures, isWhole);
  const fields = reader.fields(block.fields, "train", namesOf(trainFields));
  const run = reader.signature(fields.get("run"), block.span, "train", true);
  const validate = reader.validate(fields.get("validate"));
  const epochs = reader.positive(fields.get("epochs"));
  const steps = reader.positive(fields.get("steps"));
  const second = fields.get("steps");
  if (epochs !== undefined && steps !== undefined && second !== undefined) {
    report(env, "G046", second.name.span, "train has `epochs` or `steps`, not both", {
      notes: [{ span: fields.get("epochs")?.name.span, message: "the epochs" }],
    });
  }
  const mode = run?.training === false ? modes.inference : modes.training;
  const validated = validate?.signature;
  const plan: Plan = {
    run: run?.name ?? "",
    data: reader.data(fields.get("data"), run),
    validate: validate === undefined ? undefined : { run: validate.run, data: validate.data },
    batch: reader.positive(fields.get("batch")),
    shuffle: reader.boolean(fields.get("shuffle")) ?? true,
    remainder: reader.word(fields.get("remainder"), remainders) ?? "drop",
    epochs,
    steps,
    lengthSpan: (second ?? fields.get("epochs"))?.value.span ?? block.span,
    checkpoint: reader.checkpoint(fields.get("checkpoint")),
    best: reader.best(fields.get("best"), fields.has("validate"), validated),
    earlyStopping: reader.earlyStopping(fields.get("early_stopping"), fields.has("validate"), validated),
    report: reader.report(fields.get("report"), mode),
    summary: reader.summary(fields.get("summary"), mode),
    span: block.span,
  };
  if (run === undefined) return undefined;
  checkSchedules(env, plan, run);
  return plan;
}

/** Reads fields by kind; what is wrong is reported where it stands, and read as if it were left out. */
class Reader {
  readonly #env: Env;
  readonly #signatures: Signatures;
  readonly #isWhole: boolean;

  constructor(env: Env, signatures: Signatures, isWhole: boolean) {
    this.#env = env;
    this.#signatures = signatures;
    this.#isWhole = isWhole;
  }

  fields(given: Fields, where: string, known: readonly string[]): ReadonlyMap<string, Field> {
    const fields = new Map<string, Field>();
    for (const field of given) {
      const name = field.name.text;
      if (known.includes(name)) fields.set(name, field);
      else {
        report(this.#env, "G046", field.name.span, `${where} has no field ${quote(name)}`, {
          hint: didYouMean(name, known) ?? `its fields are ${known.join(", ")}`,
        });
      }
    }
    return fields;
  }

  #record(
    field: Field | undefined,
    where: string,
    known: readonly string[],
    needed: readonly string[],
  ): ReadonlyMap<string, Field> | undefined {
    if (field === undefined) return undefined;
    if (field.value.kind !== "record") {
      this.#wrong(field, `a record such as \`{ ${needed[0] ?? known[0]} = ... }\``);
      return undefined;
    }
    const fields = this.fields(field.value.fields, where, known);
    const missing = needed.filter((name) => !fields.has(name));
    if (missing.length === 0) return fields;
    report(this.#env, "G046", field.value.span, `${where} needs ${missing.map((name) => `\`${name}\``).join(" and ")}`);
    return undefined;
  }

  #wrong(field: Field, expected: string): undefined {
    report(this.#env, "G046", field.value.span, `${quote(field.name.text)} is ${expected}`);
    return undefined;
  }

  positive(field: Field | undefined): number | undefined {
    if (field === undefined) return undefined;
    const { value } = field;
    const number = value.kind === "integer" ? Number(value.value) : undefined;
    if (number !== undefined && number > 0 && Number.isSafeInteger(number)) return number;
    return this.#wrong(field, "an integer above 0");
  }

  boolean(field: Field | undefined): boolean | undefined {
    if (field === undefined) return undefined;
    return field.value.kind === "boolean" ? field.value.value : this.#wrong(field, "`true` or `false`");
  }

  #string(field: Field | undefined): string | undefined {
    if (field === undefined) return undefined;
    return field.value.kind === "string" ? field.value.value : this.#wrong(field, "a string");
  }

  #number(field: Field | undefined): number | undefined {
    if (field === undefined) return undefined;
    const { value } = field;
    if (value.kind === "float") return value.value;
    return value.kind === "integer" ? Number(value.value) : this.#wrong(field, "a number");
  }

  /** One of a few words, written bare or as a string. */
  word<const W extends string>(field: Field | undefined, words: readonly W[]): W | undefined {
    if (field === undefined) return undefined;
    const { value } = field;
    const text = value.kind === "string" ? value.value : value.kind === "reference" ? value.text : "";
    const found = words.find((word) => word === text);
    return found ?? this.#wrong(field, words.map((word) => `\`${word}\``).join(" or "));
  }

  signature(field: Field | undefined, span: Span, where: string, trains: boolean): Signature | undefined {
    if (field === undefined) {
      report(this.#env, "G046", span, `${where} needs \`run\`: the signature that it runs`, {
        hint: "`run = fit`, for `signature fit(...) does UPDATE -> (...)`",
      });
      return undefined;
    }
    const path = pathOf(field.value);
    const { all, incomplete } = this.#signatures;
    const found = all.find(({ name }) => name === path?.text);
    if (path === undefined) return this.#wrong(field, "the name of a signature");
    if (found === undefined && (this.#env.names.incomplete || !this.#isWhole || incomplete.has(path.text)))
      return undefined;
    if (found === undefined) {
      const names = all.map(({ name }) => name);
      report(this.#env, "G012", field.value.span, `unknown signature ${quote(path.text)}`, {
        hint:
          didYouMean(path.text, names) ??
          (names.length === 0
            ? `a signature is declared: \`signature ${path.text}(x, label) does learn -> (loss)\``
            : undefined),
      });
      return undefined;
    }
    noteName(this.#env, field.value.span, { meaning: poisoned, span: found.span });
    if (trains && found.updates.length === 0 && !found.training) {
      report(
        this.#env,
        "G046",
        field.value.span,
        `the signature ${quote(found.name)} does no update, so it trains nothing`,
        {
          notes: [{ span: found.span, message: "the signature" }],
          hint: `\`signature ${found.name}(...) does UPDATE -> (...)\``,
        },
      );
    }
    return found;
  }

  data(field: Field | undefined, run: Signature | undefined): ReadonlyMap<string, DataSource> {
    const sources = new Map<string, DataSource>();
    if (field === undefined) return sources;
    if (field.value.kind !== "record") {
      this.#wrong(field, 'a record such as `{ image = idx("images"), ... }`');
      return sources;
    }
    for (const entry of field.value.fields) {
      const name = entry.name.text;
      const known = this.#env.state.shared.placeholders;
      notePath(this.#env, entry.name);
      if (!known.has(name)) {
        if (isBroken(this.#env, entry.name)) continue;
        report(this.#env, "G012", entry.name.span, `unknown placeholder ${quote(name)}`, {
          hint: didYouMean(name, known.keys()),
        });
      } else if (run !== undefined && !run.inputs.includes(name)) {
        report(this.#env, "G046", entry.name.span, `${quote(name)} is no input of the signature ${quote(run.name)}`, {
          notes: [{ span: run.span, message: "the signature" }],
        });
      }
      const source = dataSource(this.#env, entry.value);
      if (source !== undefined) sources.set(name, source);
    }
    return sources;
  }

  validate(field: Field | undefined) {
    const fields = this.#record(field, "validate", namesOf(validateFields), ["run", "data"]);
    if (fields === undefined || field === undefined) return undefined;
    const signature = this.signature(fields.get("run"), field.span, "validate", false);
    const data = this.data(fields.get("data"), signature);
    return { run: signature?.name ?? "", data, signature };
  }

  checkpoint(field: Field | undefined): TrainPlan["checkpoint"] {
    const fields = this.#record(field, "checkpoint", namesOf(checkpointFields), ["to"]);
    if (fields === undefined) return undefined;
    const path = fields.get("to");
    const to = this.#string(path);
    if (path === undefined || to === undefined) return undefined;
    const { span } = path.value;
    return { every: this.positive(fields.get("every")), to, keep: this.positive(fields.get("keep")), span };
  }

  best(field: Field | undefined, validates: boolean, validated: Signature | undefined): TrainPlan["best"] {
    const fields = this.#record(field, "best", namesOf(bestFields), ["metric", "to"]);
    if (fields === undefined || field === undefined) return undefined;
    const metric = this.#metric(field, fields.get("metric"), validates, validated);
    const path = fields.get("to");
    const to = this.#string(path);
    if (metric === undefined || path === undefined || to === undefined) return undefined;
    const { span } = path.value;
    return { metric, mode: this.word(fields.get("mode"), directions) ?? "min", to, span };
  }

  earlyStopping(
    field: Field | undefined,
    validates: boolean,
    validated: Signature | undefined,
  ): TrainPlan["earlyStopping"] {
    const fields = this.#record(field, "early_stopping", namesOf(earlyStoppingFields), ["metric", "patience"]);
    if (fields === undefined || field === undefined) return undefined;
    const metric = this.#metric(field, fields.get("metric"), validates, validated);
    const patience = this.positive(fields.get("patience"));
    if (metric === undefined || patience === undefined) return undefined;
    const mode = this.word(fields.get("mode"), directions) ?? "min";
    return { metric, mode, patience, minDelta: this.#number(fields.get("min_delta")) ?? 0 };
  }

  /** An output of the validation: it is what is compared after each epoch. */
  #metric(
    owner: Field,
    field: Field | undefined,
    validates: boolean,
    validated: Signature | undefined,
  ): string | undefined {
    if (field === undefined) return undefined;
    const path = pathOf(field.value);
    if (path === undefined) return this.#wrong(field, "the name of an output");
    notePath(this.#env, path);
    if (validated === undefined) {
      // One that is wrong has been reported.
      if (validates) return undefined;
      report(
        this.#env,
        "G046",
        owner.name.span,
        `${quote(owner.name.text)} compares validations, and there is no \`validate\``,
      );
      return undefined;
    }
    if (validated.outputs.includes(path.text)) return path.text;
    report(
      this.#env,
      "G012",
      field.value.span,
      `${quote(path.text)} is no output of the signature ${quote(validated.name)}`,
      {
        notes: [{ span: validated.span, message: "the signature" }],
        hint: didYouMean(path.text, validated.outputs),
      },
    );
    return undefined;
  }

  report(field: Field | undefined, mode: Mode): TrainPlan["report"] {
    const fields = this.#record(field, "report", namesOf(reportFields), ["of"]);
    return fields === undefined
      ? undefined
      : { every: this.positive(fields.get("every")), of: this.#names(fields.get("of"), mode) };
  }

  summary(field: Field | undefined, mode: Mode): TrainPlan["summary"] {
    const fields = this.#record(field, "summary", namesOf(summaryFields), ["every", "of"]);
    const every = this.positive(fields?.get("every"));
    return fields === undefined || every === undefined ? undefined : { every, of: this.#names(fields.get("of"), mode) };
  }

  #names(field: Field | undefined, mode: Mode): readonly string[] {
    if (field === undefined) return [];
    const given: readonly Expression[] = field.value.kind === "list" ? field.value.items : [field.value];
    const paths: Path[] = [];
    for (const expression of given) {
      const path = pathOf(expression);
      if (path === undefined) {
        report(this.#env, "G046", expression.span, `${quote(field.name.text)} lists names, such as \`[metrics.loss]\``);
      } else if (checkOutput(this.#env, path, mode)) paths.push(path);
    }
    return paths.map((path) => path.text);
  }
}
