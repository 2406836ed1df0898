import { canonicalJson } from '../core/index.ts';
import type { SandboxSettings } from '../policy/index.ts';
import { openEgress, openSandboxes, type Sandboxes } from '../sandbox/index.ts';

/** The sandboxes of a gate. State: one for each settings that a policy had, owned here until the gate closes. */
export interface SandboxRoom {
  use(settings: SandboxSettings): Sandboxes;
  /** Ends everything that runs in one. Those that were given from outside stay. */
  close(): Promise<void>;
}

/** `given`: sandboxes that are open already and are used whatever the settings. */
export function openSandboxRoom(given?: Sandboxes): SandboxRoom {
  const opened = new Map<string, Sandboxes>();
  return {
    use: (settings) => {
      if (given !== undefined) return given;
      const key = canonicalJson({ ...settings });
      const known = opened.get(key) ?? openSandboxes(settings, { openEgress });
      opened.set(key, known);
      return known;
    },
    close: async () => {
      await Promise.all([...opened.values()].map((sandboxes) => sandboxes.close()));
      opened.clear();
    },
  };
}
