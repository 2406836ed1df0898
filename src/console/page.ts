import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { HttpAnswer } from './http.ts';

/** The files of the page, by path. They hold no data, so everybody may read them. */
const FILES: ReadonlyMap<string, readonly [file: string, type: string]> = new Map([
  ['/', ['index.html', 'text/html; charset=utf-8']],
  ['/console.js', ['console.js', 'text/javascript; charset=utf-8']],
  ['/console.css', ['console.css', 'text/css; charset=utf-8']],
]);

/** The page of the console; null: there is no such file. The same place from src/console and dist/console. */
export async function pageAnswer(path: string): Promise<HttpAnswer | null> {
  const found = FILES.get(path);
  if (found === undefined) return null;
  const [file, type] = found;
  return {
    status: 200,
    type,
    body: await readFile(fileURLToPath(new URL(`../../console-web/${file}`, import.meta.url))),
  };
}
