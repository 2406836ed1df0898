import { canonicalJson, deepFreeze, type JsonValue, sha256Hex } from '../core/index.ts';
import type { SandboxProfile } from './contract.ts';

/** SHA-256 (hexadecimal) of the canonical JSON of a profile; a door to the network counts by its own digest. */
export const profileDigest = (profile: SandboxProfile): string => sha256Hex(canonicalJson(profileJson(profile)));

/** A profile as plain data: what its digest is made of. */
function profileJson(profile: SandboxProfile): JsonValue {
  const { egress, limits } = profile;
  return deepFreeze({
    mounts: profile.mounts.map(({ path, access }) => ({ path, access })),
    covers: profile.covers.map(({ path, kind }) => ({ path, kind })),
    reserved: [...profile.reserved],
    runtime: [...profile.runtime],
    limits: { ...limits },
    egress: egress === null ? null : { digest: egress.digest, terminateTls: egress.terminateTls },
  });
}

/** A deeply frozen copy: what was checked is what is started, whatever the caller does with the original. */
export function freezeProfile(profile: SandboxProfile): SandboxProfile {
  return Object.freeze({
    mounts: Object.freeze(profile.mounts.map((mount) => Object.freeze({ ...mount }))),
    covers: Object.freeze(profile.covers.map((cover) => Object.freeze({ ...cover }))),
    reserved: Object.freeze([...profile.reserved]),
    runtime: Object.freeze([...profile.runtime]),
    limits: Object.freeze({ ...profile.limits }),
    egress: profile.egress === null ? null : Object.freeze({ ...profile.egress }),
  });
}
