import { readFileSync, realpathSync, statSync } from 'node:fs';
import { canonicalJson } from '../core/index.ts';

/** What a proof holds for: when one of these changes, the backend has to prove itself again. */
export interface ProofSubject {
  /** Absolute path of the program of the backend. */
  readonly program: string;
  /** As the program tells it. */
  readonly version: string;
  /** Who its programs run as. */
  readonly uid: number;
}

/** Holds a proof for as long as nothing that it depends on changes. */
export interface ProofCache<Proof> {
  /** The proof for the subject as it is now; asks for a new one when the program, its version, the user or the boot differ. */
  get(subject: ProofSubject, prove: () => Promise<Proof>): Promise<Proof>;
}

/** Changes with each boot, and so with each kernel; where there is none, every process proves for itself anyway. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** @throws Error when the program is gone */
function keyOf({ program, version, uid }: ProofSubject): string {
  const path = realpathSync(program);
  const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
  return canonicalJson({ path, version, uid, dev, ino, size, mtimeMs, ctimeMs, boot: bootId() });
}

/**
 * A cache in memory: a proof on disk would be a way to forge one. Two that ask at once share a proof; one that failed to be
 * made, or that `keeps` does not want (a probe that a busy machine cut short), is asked for again next time.
 */
export function proofCache<Proof>(keeps: (proof: Proof) => boolean = () => true): ProofCache<Proof> {
  let kept: { readonly key: string; readonly proof: Promise<Proof> } | null = null;
  return {
    get: async (subject, prove) => {
      const key = keyOf(subject);
      if (kept?.key === key) return kept.proof;
      const made = { key, proof: prove() };
      kept = made;
      let worthKeeping = false;
      try {
        const proof = await made.proof;
        worthKeeping = keeps(proof);
        return proof;
      } finally {
        if (!worthKeeping && kept === made) kept = null;
      }
    },
  };
}
