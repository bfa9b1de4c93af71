/** The words of a file with their places, from NAME_ocr_results.json. */

export type Grade = 'good' | 'fair' | 'poor' | 'own';

export interface Word {
  readonly text: string;
  /** Left, top, width and height in pixels of the upright page. */
  readonly box: readonly [number, number, number, number];
  readonly grade: Grade;
  /** In percent; null for text that the file had itself. */
  readonly confidence: number | null;
}

export interface Page {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  /** Degrees clockwise by which the picture was turned upright. */
  readonly rotation: number;
  readonly text: string;
  readonly lines: readonly (readonly Word[])[];
  /** Why there is no text. */
  readonly error?: string;
}

export interface Results {
  readonly source: string;
  readonly isPicture: boolean;
  readonly pages: readonly Page[];
}

const GOOD_PERCENT = 85;
const FAIR_PERCENT = 60;
// What web views draw of the types that the worker reads.
const PICTURES = ['png', 'jpeg', 'gif', 'webp', 'bmp'];

interface Written {
  source: { path: string; type: string };
  pages: WrittenPage[];
}

interface WrittenPage {
  page: number;
  width_px: number;
  height_px: number;
  rotation: number;
  text: string;
  error?: { message: string };
  lines: { words: { text: string; box_px: [number, number, number, number]; confidence: number | null }[] }[];
}

export function readResults(json: string): Results {
  const { source, pages } = JSON.parse(json) as Written;
  return { source: source.path, isPicture: PICTURES.includes(source.type), pages: pages.map(readPage) };
}

function readPage(page: WrittenPage): Page {
  return {
    number: page.page,
    width: page.width_px,
    height: page.height_px,
    rotation: page.rotation,
    text: page.text,
    lines: page.lines.map(({ words }) => words.map(readWord)),
    ...(page.error && { error: page.error.message }),
  };
}

function readWord({ text, box_px: [left, top, right, bottom], confidence }: WrittenPage['lines'][0]['words'][0]): Word {
  return { text, box: [left, top, right - left, bottom - top], grade: gradeOf(confidence), confidence };
}

function gradeOf(confidence: number | null): Grade {
  if (confidence === null) return 'own';
  if (confidence >= GOOD_PERCENT) return 'good';
  return confidence >= FAIR_PERCENT ? 'fair' : 'poor';
}

/** The next word after `at` that should be looked at; undefined if there is none. */
export function nextDoubtful(words: readonly Word[], at: number): number | undefined {
  const places = words.map((_, step) => (at + 1 + step) % words.length);
  return places.find((place) => words[place]?.grade === 'poor' || words[place]?.grade === 'fair');
}

/** How a picture as it is on disk is laid behind the upright page. */
export function uprightTransform({ width, height, rotation }: Page): string {
  const shift = { 90: `${width} 0`, 180: `${width} ${height}`, 270: `0 ${height}` }[rotation];
  return shift === undefined ? '' : `translate(${shift}) rotate(${rotation})`;
}
