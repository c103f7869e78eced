import { commands, type OutputChannel, window } from "vscode";

/** A message with a button. Nothing waits for the answer, since it may stand for hours. */
function tell(text: string, button: string, press: () => void): void {
  window.showErrorMessage(text, button).then(
    (answer) => {
      if (answer === button) press();
    },
    () => undefined,
  );
}

/** There is no graphc: with the way to say where it is. */
export function tellMissing(text: string): void {
  tell(text, "Open Setting", () => {
    commands.executeCommand("workbench.action.openSettings", "graphc.path").then(undefined, () => undefined);
  });
}

export function tellFailure(text: string, output: OutputChannel): void {
  tell(text, "Show Output", () => output.show());
}
