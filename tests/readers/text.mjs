// The text of PDFs as pdf.js finds it: paths in, a JSON list of pages of items (text, whether a line ends behind it) for each out.
import { readFile } from "node:fs/promises";

// Of drawing, which text does without: pdf.js asks for it while it loads.
globalThis.DOMMatrix ??= class {};
globalThis.Path2D ??= class {};
globalThis.ImageData ??= class {};
const { getDocument, VerbosityLevel } = await import("pdfjs-dist/legacy/build/pdf.mjs");

async function pagesOf(path) {
  const data = new Uint8Array(await readFile(path));
  const document = await getDocument({ data, verbosity: VerbosityLevel.ERRORS, useSystemFonts: false }).promise;
  const pages = [];
  for (let number = 1; number <= document.numPages; number++) {
    const { items } = await (await document.getPage(number)).getTextContent();
    pages.push(items.map(({ str, hasEOL, transform, width, height }) => ({ str, hasEOL, transform, width, height })));
  }
  await document.destroy();
  return pages;
}

const found = [];
for (const path of process.argv.slice(2)) found.push(await pagesOf(path));
process.stdout.write(JSON.stringify(found));
