/** Pixels of a key, and the least that the panel and the picture keep. */
const step = 40;
const least = 220;

/** The border between the picture and the panel: it is dragged, or moved by arrow keys, Home and End. The page forgets it. */
export function divider(border: HTMLElement, around: HTMLElement): void {
  let width = Number.parseFloat(getComputedStyle(around).getPropertyValue("--panel"));
  const most = (): number => Math.max(least, around.clientWidth - least);
  const set = (wanted: number): void => {
    width = Math.round(Math.min(most(), Math.max(least, wanted)));
    around.style.setProperty("--panel", `${width}px`);
    border.setAttribute("aria-valuenow", String(width));
    border.setAttribute("aria-valuemin", String(least));
    border.setAttribute("aria-valuemax", String(most()));
  };
  set(width);
  border.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    border.setPointerCapture(event.pointerId);
    border.focus();
  });
  border.addEventListener("pointermove", (event) => {
    if (border.hasPointerCapture(event.pointerId)) set(around.getBoundingClientRect().right - event.clientX);
  });
  border.addEventListener("keydown", (event) => {
    const wanted: Readonly<Record<string, number>> = {
      ArrowLeft: width + step,
      ArrowRight: width - step,
      Home: least,
      End: most(),
    };
    const next = wanted[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    set(next);
  });
}
