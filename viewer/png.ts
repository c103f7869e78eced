import { createRequire } from "node:module";
import { fileError } from "../runtime/files/errors.js";

type Library = typeof import("@resvg/resvg-js");

/** The faces that are tried, the usual ones of Debian, macOS and Windows; resvg takes the first that it finds. */
const face = "DejaVu Sans Mono";
const proportional = "DejaVu Sans";

/** A picture as PNG, `scale` pixels for each of the SVG's. Throws GraphError G120 where the library or a font is missing. */
export function pngOf(
  svg: string,
  scale: number,
  { fonts = "system" }: { readonly fonts?: "system" | "none" } = {},
): Uint8Array {
  requirePng(fonts);
  return draw(svg, scale, fonts).asPng();
}

/** Sees that a picture could be drawn as PNG. Throws GraphError G120 where the library or a font is missing. */
export function requirePng(fonts: "system" | "none" = "system"): void {
  // Without any font, text is left out in silence.
  const letter = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="16">M</text></svg>';
  const probe = draw(letter, 1, fonts);
  if (probe.pixels.every((byte) => byte === 0)) {
    throw fileError(
      "G120",
      "there is no font on this machine to write a PNG with",
      "install one (on Debian `apt-get install fonts-dejavu-core`), or write .svg",
    );
  }
}

function draw(svg: string, scale: number, fonts: "system" | "none") {
  const { Resvg } = load();
  return new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      loadSystemFonts: fonts === "system",
      defaultFontFamily: face,
      monospaceFamily: face,
      sansSerifFamily: proportional,
    },
  }).render();
}

function load(): Library {
  try {
    return createRequire(import.meta.url)("@resvg/resvg-js") as Library;
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : "it does not load";
    throw fileError(
      "G120",
      `a PNG needs the package @resvg/resvg-js, which is not installed for this platform (${why})`,
      "install graphc with its optional dependencies, or write .svg",
    );
  }
}
