import { DEFAULT_LIMITS, type Limits } from '../core/index.ts';

/** What the built-in tools can be told; the limits of DESIGN section 10 hold where nothing is said. */
export interface ToolOptions {
  readonly limits?: Partial<Limits>;
}

export const limitsOf = ({ limits }: ToolOptions): Limits => ({ ...DEFAULT_LIMITS, ...limits });
