/** Which rows of a long list are drawn. */

export interface Window {
  readonly first: number;
  /** One after the last. */
  readonly end: number;
}

const SPARE_ROWS = 6;

/** The rows that are in sight, and a few around them. */
export function inSight(scrollTop: number, height: number, rowHeight: number, total: number): Window {
  const first = Math.max(0, Math.min(total, Math.floor(scrollTop / rowHeight)) - SPARE_ROWS);
  const end = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + SPARE_ROWS);
  return { first, end: Math.max(first, end) };
}

/** Their numbers; the row that has the focus is drawn wherever it is, or the focus would be lost. */
export function drawn({ first, end }: Window, focused: number | undefined, total: number): number[] {
  const rows = Array.from({ length: end - first }, (_, at) => first + at);
  if (focused === undefined || focused >= total || (focused >= first && focused < end)) return rows;
  return focused < first ? [focused, ...rows] : [...rows, focused];
}
