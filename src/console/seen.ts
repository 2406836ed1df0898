import { equalBytes, hmacSha256Hex, randomBytes, SallyportError } from '../core/index.ts';
import type { ApprovalView } from '../keeper/index.ts';

/**
 * Receipts for screens. INVARIANT: a yes comes with the receipt of the whole screen of what it is a yes to, and such a receipt is
 * given out with a screen that hides nothing: a hidden tail disables the button.
 */
export class Receipts {
  readonly #key: Buffer = randomBytes(32);

  /** For a screen on which everything stands. */
  of({ request: { id, digest } }: ApprovalView): string {
    return hmacSha256Hex(this.#key, Buffer.from(`${id}\n${digest}`));
  }

  /** @throws SallyportError APPROVAL_INCOMPLETE */
  check(view: ApprovalView, presented: string): void {
    if (equalBytes(Buffer.from(presented), Buffer.from(this.of(view)))) return;
    throw new SallyportError('APPROVAL_INCOMPLETE', 'a yes needs the receipt of the whole screen (field seen)');
  }
}
