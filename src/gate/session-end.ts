import type { Principal, Surface } from '../core/index.ts';
import type { Keeper } from '../keeper/index.ts';
import { type Footprint, joinLeft, type LeftFiles } from './footprint.ts';

/**
 * Looks at what a session left, and records its end: numbers stand in the record, paths in its payload, so that they can be
 * erased. Call it when nothing of the session runs any more.
 *
 * @throws SallyportError AUDIT_WRITE_FAILED, KEEPER_LOST, KEEPER_CLOSED
 */
export async function recordSessionEnd(
  keeper: Pick<Keeper, 'endSession'>,
  { principal, surface }: { readonly principal: Principal; readonly surface: Surface },
  footprints: readonly Footprint[],
): Promise<LeftFiles> {
  const left = joinLeft(await Promise.all(footprints.map((footprint) => footprint.compare())));
  const { files, count, unseen } = left;
  await keeper.endSession(principal, surface, {
    detail: { selfRunningFiles: count, unseen },
    ...(files.length === 0 ? {} : { payloads: { left: { files: files.map((file) => ({ ...file })) } } }),
  });
  return left;
}
