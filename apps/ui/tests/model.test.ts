/** Rows in sight, words of pages, and what is said of time. */

import { expect, test } from 'vitest';

import { drawn, inSight } from '../src/model/list.js';
import { doubtfulFrom, placeOf, readResults, uprightTransform } from '../src/model/results.js';
import { languagesOf, recall, DEFAULTS } from '../src/model/wishes.js';
import { around, languageName, nameOf, parts, plain, timeLeft, withoutName } from '../src/model/words.js';
import { writtenResults } from './fake.js';

test('of ten thousand rows those in sight are drawn, and the one with the focus', () => {
  expect(inSight(0, 400, 40, 10_000)).toEqual({ first: 0, end: 16 });
  expect(inSight(200_000, 400, 40, 10_000)).toEqual({ first: 4994, end: 5016 });
  expect(inSight(399_600, 400, 40, 10_000)).toEqual({ first: 9984, end: 10_000 });
  expect(inSight(5000, 400, 40, 3)).toEqual({ first: 0, end: 3 });
  expect(drawn({ first: 10, end: 12 }, 3, 100)).toEqual([3, 10, 11]);
  expect(drawn({ first: 10, end: 12 }, 11, 100)).toEqual([10, 11]);
  expect(drawn({ first: 10, end: 12 }, 100, 100)).toEqual([10, 11]);
});

test('words have their boxes and grades, and the doubtful ones follow each other', () => {
  const { pages } = readResults(writtenResults());
  const words = pages[0]!.lines.flat();

  expect(words).toMatchObject([
    { text: 'Clear', box: [50, 100, 180, 40], grade: 'good' },
    { text: 'smudgcd', grade: 'poor' },
  ]);
  expect(doubtfulFrom(words, 0)).toBe(1);
  expect(doubtfulFrom(words, 2)).toBeUndefined();
  expect(pages[1]!.lines.flat().map(({ grade }) => grade)).toEqual(['own']);
  expect(doubtfulFrom(pages[1]!.lines.flat(), 0)).toBeUndefined();
  expect(placeOf(words, 'clear SMUDG')).toBe(0);
  expect(placeOf(words, 'smudgcd clear')).toBeUndefined();
});

test('what is set apart in a message is told from the rest, and a name may have a mark of its own', () => {
  const said = 'a page is too large; lower `dpi` or `max_pixels`';

  expect(parts(said)).toEqual(['a page is too large; lower ', 'dpi', ' or ', 'max_pixels', '']);
  expect(plain(said)).toBe('a page is too large; lower dpi or max_pixels');
  expect(parts('`x`: odd`.pdf')).toEqual(['', 'x', ': odd`.pdf']);
  expect(parts('nothing')).toEqual(['nothing']);
});

test('a picture that lies on its side is turned upright behind the boxes', () => {
  const [upright, onItsSide] = readResults(writtenResults()).pages;

  expect(uprightTransform(upright!)).toBe('');
  expect(uprightTransform(onItsSide!)).toBe('translate(800 0) rotate(90)');
});

test('time left is said in round figures', () => {
  expect([3, 42, 130, 3700].map(timeLeft)).toEqual(['5 s left', '45 s left', '2 min left', '1 h 2 min left']);
});

test('names and languages are read as users write them', () => {
  expect([nameOf('/a/b.pdf'), nameOf('C:\\a\\b.pdf'), nameOf('/a/b/')]).toEqual(['b.pdf', 'b.pdf', 'b']);
  expect(languagesOf(' deu+eng, fra ')).toEqual(['deu', 'eng', 'fra']);
});

test('languages have names, but for what says more than one, or is none', () => {
  expect(['deu', 'fas', 'chi_sim', 'script/Latin', 'osd'].map(languageName)).toEqual(['German', 'Persian', undefined, undefined, undefined]);
});

test('beside its name, a file is not named again', () => {
  expect(withoutName('a.pdf is damaged; get it again', 'a.pdf')).toBe('it is damaged; get it again');
  expect(withoutName('a.pdf.gz is damaged', 'a.pdf')).toBe('a.pdf.gz is damaged');
  expect(withoutName('It needs a password', '')).toBe('It needs a password');
});

test('what was searched for is found in its excerpt whatever its case and its spaces', () => {
  expect(around('to the Great  house', 'GREAT')).toEqual(['to the ', 'Great', '  house']);
  expect(around('of the Great House', ' great   house')).toEqual(['of the ', 'Great House', '']);
  expect(around('Straße', 'strasse')).toEqual(['Straße', '', '']);
});

test('what was kept by another version, or is no JSON, costs the options alone', () => {
  expect(recall({ getItem: () => '{', setItem: () => undefined })).toEqual(DEFAULTS);
});
