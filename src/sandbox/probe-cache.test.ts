import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ProofSubject, proofCache } from './probe-cache.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-proof-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function counter(): { prove: () => Promise<number>; count: () => number } {
  let count = 0;
  return { prove: async () => ++count, count: () => count };
}

function program(text = 'first'): ProofSubject {
  writeFileSync(join(folder, 'program'), text);
  return { program: join(folder, 'program'), version: '1', uid: 1000 };
}

describe('proofCache', () => {
  it('proves once while nothing changes, also for two that ask at once', async () => {
    const { prove, count } = counter();
    const [cache, subject] = [proofCache<number>(), program()];
    expect(await Promise.all([cache.get(subject, prove), cache.get(subject, prove)])).toEqual([1, 1]);
    expect(await cache.get({ ...subject }, prove)).toBe(1);
    expect(count()).toBe(1);
  });

  it.each([
    [
      'has other content of the same size and time',
      (path: string) => {
        writeFileSync(`${path}.new`, 'other');
        utimesSync(`${path}.new`, 1, 1);
        renameSync(`${path}.new`, path);
      },
    ],
    [
      'is a link to another program',
      (path: string) => {
        writeFileSync(`${path}.new`, 'first');
        unlinkSync(path);
        symlinkSync(`${path}.new`, path);
      },
    ],
  ])('proves again when the program %s', async (_, change) => {
    const { prove } = counter();
    const [cache, subject] = [proofCache<number>(), program()];
    utimesSync(subject.program, 1, 1);
    expect(await cache.get(subject, prove)).toBe(1);
    change(subject.program);
    expect(await cache.get(subject, prove)).toBe(2);
  });

  it('proves again for another version and another user', async () => {
    const { prove } = counter();
    const [cache, subject] = [proofCache<number>(), program()];
    expect(await cache.get(subject, prove)).toBe(1);
    expect(await cache.get({ ...subject, version: '2' }, prove)).toBe(2);
    expect(await cache.get({ ...subject, uid: 1001 }, prove)).toBe(3);
  });

  it('keeps no proof that failed, and has none for a program that is gone', async () => {
    const { prove } = counter();
    const [cache, subject] = [proofCache<number>(), program()];
    await expect(cache.get(subject, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await cache.get(subject, prove)).toBe(1);
    const picky = proofCache<number>((proof) => proof > 2);
    expect([await picky.get(subject, prove), await picky.get(subject, prove)]).toEqual([2, 3]);
    expect(await picky.get(subject, prove)).toBe(3);
    unlinkSync(subject.program);
    await expect(cache.get(subject, prove)).rejects.toThrow('ENOENT');
  });
});
