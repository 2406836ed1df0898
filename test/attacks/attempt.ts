import type { ErrorCode, JsonObject } from '../../src/core/index.ts';
import { openGate, type Tool } from '../../src/gate/index.ts';
import { builtInTools } from '../../src/tools/index.ts';
import type { AttackPlace } from './path-tricks.ts';

/** What came of a call: null if it was carried out, else the code of the denial or failure. */
interface Attempted {
  readonly code: ErrorCode | null;
  readonly text: string;
}

/** A surface under attack: calls of the built-in tools. */
export interface UnderAttack {
  attempt(tool: string, args: JsonObject): Promise<Attempted>;
  close(): Promise<void>;
}

/** The gate as a library, under the policy of the place. `betweenCheckAndUse` runs after the admission, before the tool. */
export async function gateUnderAttack(place: AttackPlace, betweenCheckAndUse?: () => void): Promise<UnderAttack> {
  const swapping = (tool: Tool): Tool => ({
    ...tool,
    execute: (args, context) => {
      betweenCheckAndUse?.();
      return tool.execute(args, context);
    },
  });
  const gate = await openGate({
    ...{ policy: place.policyFile, state: place.state, tools: builtInTools().map(swapping) },
    limits: { approvalWaitMs: 0 }, // nobody is there to say yes
  });
  return {
    async attempt(tool, args) {
      const result = await gate.call(tool, args);
      return { code: result.kind === 'delivered' ? null : result.code, text: result.text };
    },
    close: () => gate.close(),
  };
}
