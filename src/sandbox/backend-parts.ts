import type { SandboxBackend } from './contract.ts';
import type { OpenEgress, SandboxOptions } from './parts.ts';
import type { OpenRuntimeFolder } from './runtime-folder.ts';

/** What a backend is made with. */
export interface BackendParts {
  readonly options: SandboxOptions;
  /** The folder of this process, opened when it is first needed. */
  readonly runtime: () => Promise<OpenRuntimeFolder>;
  /** Null: profiles with a door to the network cannot be started. */
  readonly openEgress: OpenEgress | null;
}

/** Makes a backend; does nothing else yet. */
export type OpenBackend = (parts: BackendParts) => SandboxBackend;
