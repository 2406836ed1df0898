import { type Readable, Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StringDecoder } from 'node:string_decoder';
import { type Guard, guardStream, type StreamPart } from '../guard/index.ts';
import type { SandboxProcess } from '../sandbox/index.ts';

/** A program whose streams are read by the guard before anybody else gets them. */
export interface GuardedProcess {
  readonly process: SandboxProcess;
  /** Resolves when both streams were read to their end: whether something in them was withheld. */
  readonly isHostile: () => Promise<boolean>;
}

/**
 * The streams of a program as UTF-8 text that passed the guard, in parts of 16 to 32 KiB; the first part with instructions to a
 * model, and all that follows it in that stream, is withheld. ATTACKER-CONTROLLED: what the program writes.
 */
export function guardProcess(process: SandboxProcess, guard: Guard): GuardedProcess {
  const [stdout, stderr] = [guardReadable(process.stdout, guard), guardReadable(process.stderr, guard)];
  const { pid, stdin, evidence, ended } = process;
  const ends = [stdout, stderr].map(({ stream }) => finished(stream).catch(() => undefined)); // cut off with the program
  return {
    process: { pid, stdin, stdout: stdout.stream, stderr: stderr.stream, evidence, ended, stop: process.stop },
    isHostile: async () => {
      await Promise.all(ends);
      return stdout.isHostile() || stderr.isHostile();
    },
  };
}

function guardReadable(from: Readable, guard: Guard): { readonly stream: Readable; readonly isHostile: () => boolean } {
  const decoder = new StringDecoder('utf8');
  const guarded = guardStream(guard);
  const textOf = (parts: readonly StreamPart[]): string => parts.map(({ text }) => text).join('');
  const stream = new Transform({
    transform: (chunk: Buffer, _encoding, done) => done(null, textOf(guarded.push(decoder.write(chunk)))),
    flush: (done) => done(null, textOf([...guarded.push(decoder.end()), ...guarded.end()])),
  });
  from.once('error', (error) => stream.destroy(error));
  from.once('close', () => from.readableEnded || stream.destroy());
  from.pipe(stream);
  return { stream, isHostile: () => guarded.verdict === 'quarantined' || guarded.verdict === 'blocked' };
}
