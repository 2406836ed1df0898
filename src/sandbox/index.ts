/** Where does it run? The isolation levels and the one door to the network; imports core only. */
export type {
  ChosenLevel,
  Cover,
  EgressAnswer,
  EgressAsk,
  EgressDoor,
  EgressEvent,
  KilledBy,
  LevelReport,
  Mount,
  SandboxBackend,
  SandboxCommand,
  SandboxEnd,
  SandboxEvidence,
  SandboxLimits,
  SandboxProcess,
  SandboxProfile,
  StartOptions,
} from './contract.ts';
export { openEgress } from './egress.ts';
export { SANDBOX_HOME, SANDBOX_TMP } from './inside.ts';
export type { SandboxOptions } from './parts.ts';
export { profileDigest } from './profile-digest.ts';
export { openSandboxes, type Sandboxes, type SandboxParts } from './sandboxes.ts';
export { shownFolders } from './system-parts.ts';
export { systemProgram } from './system-program.ts';
