import * as fs from 'node:fs';
import * as path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALL_OK,
  appendCall,
  filesBelow,
  flipBit,
  openLog,
  openRaw,
  statuses,
  temporaryFolder,
  verify,
  writeLog,
} from '../../test/faults/log-fixture.ts';
import { signCheckpoint } from './checkpoint.ts';
import { encodeBundledEntry, entrySpans } from './entry-bundle.ts';
import { layoutOf } from './layout.ts';
import { realFiles } from './log-files.ts';
import { loadLogKey, newLogKey } from './log-key.ts';
import { leafHash } from './merkle.ts';
import { storeCheckpoint } from './publisher.ts';
import { TileTree } from './tile-tree.ts';
import { FRESH_MS, verifyLog } from './verify-log.ts';
import { exitCodeOfReport } from './verify-report.ts';

const RUNS = process.env['SLOW'] === undefined ? 60 : 2_000;

/** Rewrites a log of one partial bundle with the operator's own key: what only a thief of the key can do. */
async function resign(directory: string, change: (entries: Buffer[]) => Buffer[]): Promise<void> {
  const layout = layoutOf(directory);
  const folder = path.dirname(layout.tile('entries', 0, 1));
  const width = Number(fs.readdirSync(folder)[0]);
  const bundle = fs.readFileSync(layout.tile('entries', 0, width));
  const entries = change(entrySpans(bundle, width).map(({ start, end }) => bundle.subarray(start, end)));
  const tree = new TileTree();
  for (const entry of entries) tree.append(leafHash(entry).toString('latin1'));
  fs.writeFileSync(layout.tile('entries', 0, entries.length), Buffer.concat(entries.map(encodeBundledEntry)));
  fs.writeFileSync(layout.tile(0, 0, entries.length), tree.partialTiles()[0]!.hashes);
  const signer = (await loadLogKey(realFiles, layout))!;
  await storeCheckpoint(realFiles, layout, signCheckpoint({ size: tree.size, root: tree.root() }, signer));
}

describe('verifyLog', () => {
  it('accepts a log and counts what it holds', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 300);
    const report = await verify(directory);
    expect(report).toMatchObject({
      origin: 'example.com/log',
      size: 901,
      unsigned: 0,
      unwitnessed: 901,
      payloads: 600,
      boots: 1,
      counts: { intent: 300, admitted: 300, outcome: 300, shutdown: 1 },
      openAdmissions: [],
      findingsTotal: 0,
    });
    expect([statuses(report), exitCodeOfReport(report)]).toEqual([ALL_OK, 0]);
  });

  it('[T7.2] finds the change of any one bit in any file of a log', { timeout: 300_000 }, async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 300);
    const apart = ['log/wal/owner', 'log/reserve'];
    const files = filesBelow(directory).filter((file) => !file.startsWith('keys/') && !apart.includes(file));
    expect(files).toHaveLength(2 + 4 + 4 + 1 + 4);
    const sizes = files.map((file) => fs.statSync(path.join(directory, file)).size);
    const anyBit = fc
      .nat({ max: files.length - 1 })
      .chain((at) => fc.tuple(fc.constant(files[at]!), fc.nat({ max: sizes[at]! * 8 - 1 })));
    const oneByFile = files.map((file, at): [[string, number]] => [[file, sizes[at]! * 4]]);
    await fc.assert(
      fc.asyncProperty(anyBit, async ([file, bit]) => {
        flipBit(path.join(directory, file), bit);
        const report = await verify(directory);
        flipBit(path.join(directory, file), bit);
        expect(report.findingsTotal, `${file} bit ${bit}`).toBeGreaterThan(0);
        expect(exitCodeOfReport(report)).toBeGreaterThanOrEqual(10);
      }),
      { numRuns: RUNS, examples: oneByFile },
    );
    expect(statuses(await verify(directory))).toBe(ALL_OK);
  });

  it('names the first entry that is wrong', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 300);
    const bundle = path.join(directory, 'log/tile/entries/002');
    const { start } = entrySpans(fs.readFileSync(bundle), 256)[88]!;
    flipBit(bundle, (start + 3) * 8);
    const { integrity, authenticity, findings } = await verify(directory);
    expect(integrity).toMatchObject({ status: 'failed', first: { code: 'AUDIT_INTEGRITY', entry: 600 } });
    expect(findings[0]).toMatchObject({ aspect: 'integrity', entry: 600 });
    expect(authenticity.status).toBe('ok');
  });

  it.each([
    ['an entry bundle', 'log/tile/entries/001', 'completeness', 256, 11],
    ['a tile', 'log/tile/0/001', 'completeness', 256, 11],
    ['a tile of a higher level', 'log/tile/1/000.p/3', 'completeness', null, 11],
    ['a payload bundle', 'log/blobs/001', 'completeness', 257, 11],
    ['the checkpoint', 'log/checkpoint', 'completeness', null, 11],
    ['the second copy', 'checkpoint', 'completeness', null, 11],
  ] as const)('misses %s', async (_, file, aspect, entry, exit) => {
    const directory = temporaryFolder();
    await writeLog(directory, 300);
    fs.rmSync(path.join(directory, file));
    const report = await verify(directory);
    expect(report[aspect].first?.entry).toBe(entry);
    expect([report.integrity.status, exitCodeOfReport(report)]).toEqual(['ok', exit]);
  });

  it('cannot prove what follows when both an entry bundle and its hashes are gone', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 300);
    fs.rmSync(path.join(directory, 'log/tile/entries/001'));
    fs.rmSync(path.join(directory, 'log/tile/0/001'));
    expect((await verify(directory)).integrity.first?.entry).toBe(256);
  });

  it('judges nothing of a folder that holds no log', async () => {
    const report = await verifyLog({ directory: temporaryFolder(), verifierKey: newLogKey('x').verifier.vkey, now: 0 });
    expect([statuses(report), exitCodeOfReport(report)]).toEqual(['unknown unknown failed unknown', 13]);
  });

  it('accepts no other key', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    const report = await verifyLog({
      directory,
      verifierKey: newLogKey('example.com/log').verifier.vkey,
      now: Date.now(),
    });
    expect([statuses(report), exitCodeOfReport(report)]).toEqual(['failed unknown unknown unknown', 13]);
    await expect(verifyLog({ directory, verifierKey: 'nonsense', now: 0 })).rejects.toMatchObject({
      code: 'AUDIT_FORGED',
    });
  });

  it('judges freshness by the last signed record', async () => {
    const directory = temporaryFolder();
    const now = Date.parse('2026-11-24T18:00:00Z');
    const log = await openLog(directory, { clock: { now: () => now, mono: () => 0 } });
    log.append({ type: 'heartbeat' });
    await log.checkpoint();
    const freshness = async (at: number): Promise<unknown> => (await verify(directory, at)).freshness.status;
    expect([await freshness(now), await freshness(now + FRESH_MS)]).toEqual(['ok', 'ok']);
    expect([await freshness(now + FRESH_MS + 1), await freshness(now - 60_001)]).toEqual(['failed', 'failed']);
    expect(exitCodeOfReport(await verify(directory, now + FRESH_MS + 1))).toBe(12);
    log.append({ type: 'shutdown' });
    await log.close();
    expect(await freshness(now + 86_400_000)).toBe('ok');
  });

  it('counts the tail that nothing signs yet, and the calls under way', async () => {
    const directory = temporaryFolder();
    const log = await openLog(directory);
    appendCall(log, 0);
    await log.checkpoint();
    const { seq } = log.append({ type: 'intent', decision: 'allow' });
    await log.append({ type: 'admitted', intentSeq: seq }).durable;
    const report = await verify(directory);
    expect(report).toMatchObject({ size: 3, unsigned: 2, tornBytes: 0, openAdmissions: [4] });
    expect(statuses(report)).toBe(ALL_OK);
    const [segment] = fs.readdirSync(path.join(directory, 'log/wal')).filter((name) => name.endsWith('.wal'));
    fs.truncateSync(path.join(directory, 'log/wal', segment!), 10);
    expect(await verify(directory)).toMatchObject({ size: 3, unsigned: 0, tornBytes: 10 });
  });

  it('is not satisfied by a signature alone: what the records say must fit', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 2);
    await resign(directory, (entries) => entries.filter((_, at) => at !== 2));
    const report = await verify(directory);
    expect(report.authenticity.status).toBe('ok');
    expect(report.integrity.first).toMatchObject({ entry: 2, reason: 'entry 2 states another number' });
    expect(report.completeness.status).toBe('failed');
  });

  it('sees a record that is none, and payloads that no record commits to', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    await resign(directory, ([_, ...rest]) => [Buffer.from('{"v":1}'), ...rest]);
    const reasons = (await verify(directory)).findings.map(({ reason }) => reason);
    expect(reasons).toContain('entry 0 is not a record');
    expect(reasons).toContain('a payload beside entry 0 is not what it commits to');
  });

  it('sees a crash that the next boot kept quiet about', async () => {
    const directory = temporaryFolder();
    const first = await openLog(directory);
    await appendCall(first, 0).durable;
    const second = await openRaw(directory);
    second.append({ type: 'recovery' });
    await second.close();
    await resign(directory, (entries) =>
      entries.map((bytes) => Buffer.from(bytes.toString().replace('"type":"recovery"', '"type":"session"'))),
    );
    expect((await verify(directory)).completeness.first).toMatchObject({
      entry: 3,
      reason: 'entry 3 (session) comes before the recovery record of a boot that ended without shutdown',
    });
  });

  it('takes a checkpoint that was kept elsewhere for the second copy', async () => {
    const directory = temporaryFolder();
    await writeLog(directory, 1);
    const backup = temporaryFolder();
    fs.cpSync(directory, backup, { recursive: true });
    await writeLog(directory, 1);
    const stateCheckpoint = fs.readFileSync(path.join(directory, 'checkpoint'), 'utf8');
    const verifierKey = fs.readFileSync(path.join(directory, 'keys/log.vkey'), 'utf8').trim();
    expect(statuses(await verify(backup))).toBe(ALL_OK);
    const report = await verifyLog({ directory: backup, verifierKey, now: Date.now(), stateCheckpoint });
    expect(report.completeness).toMatchObject({ status: 'failed', first: { code: 'AUDIT_INCOMPLETE', entry: 4 } });
  });
});
