import type { Dataset } from "../dataset.js";
import type { Session } from "../session.js";
import type { Settings, TrainOptions } from "../train_options.js";
import type { TrainingEvents } from "./events.js";

/** The events of a training that is to have some; what writes them is loaded only then. */
export async function openEvents(
  session: Session,
  { signature, batch }: Settings,
  events: TrainOptions["events"],
  dataset: Dataset,
): Promise<TrainingEvents | undefined> {
  if (events === undefined) return undefined;
  const wanted = typeof events === "string" ? { dir: events } : events;
  const { TrainingEvents } = await import("./events.js");
  return TrainingEvents.open(session, signature, wanted, dataset, batch ?? dataset.rows);
}
