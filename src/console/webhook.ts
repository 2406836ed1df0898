import type { IncomingMessage } from 'node:http';
import { type JsonObject, parseStrictJson, SallyportError, shape, singleHeader, text } from '../core/index.ts';
import { type Answer, type Keeper, type OperatorProof, readAnswer } from '../keeper/index.ts';
import type { ConsoleLimits } from './limits.ts';

interface Signed {
  readonly request: string;
  readonly answer: Answer;
  /** What the proof is over; the keeper compares it with the one of request and answer. */
  readonly challenge: string;
}
const readSigned = shape<Signed>({ request: text(64), answer: readAnswer, challenge: text(64) });

/** The longest body that is signed, in bytes. */
export const MAX_SIGNED_BYTES = 16_384;

/**
 * Takes an answer that a server of an operator signed: headers name operator, time and nonce, the signature is over them and the
 * body as it was sent. Needs no token: it is its own proof. ATTACKER-CONTROLLED: everything.
 */
export class SignedAnswers {
  readonly #keeper: Keeper;
  readonly #atOnce: number;
  #running = 0;

  constructor(keeper: Keeper, { webhooks }: ConsoleLimits) {
    this.#keeper = keeper;
    this.#atOnce = webhooks;
  }

  /** @throws SallyportError CONSOLE_BUSY, APPROVER_REFUSED, APPROVAL_UNKNOWN, and the INPUT codes */
  async take(request: IncomingMessage, body: string): Promise<JsonObject> {
    const proof = proofOf(request, body);
    const { request: id, answer } = readSigned(
      parseStrictJson(body, { maxBytes: MAX_SIGNED_BYTES, maxDepth: 16 }),
      'body',
    );
    if (this.#running >= this.#atOnce) throw new SallyportError('CONSOLE_BUSY', 'too many signed answers at once');
    this.#running += 1;
    try {
      return { ...(await this.#keeper.answer(id, answer, proof)) };
    } finally {
      this.#running -= 1;
    }
  }
}

function proofOf(request: IncomingMessage, body: string): OperatorProof {
  const header = (name: string): string => singleHeader(request, `x-sallyport-${name}`) ?? '';
  const [operator, time, nonce, signature] = [header('operator'), header('time'), header('nonce'), header('signature')];
  const isWhole = /^[0-9]{1,15}$/.test(time) && /^[0-9a-f]{64}$/.test(signature) && operator.length <= 40;
  if (isWhole && nonce.length <= 128) {
    return { class: 'webhook', operator, timestamp: Number(time), nonce, body, signature };
  }
  throw new SallyportError('APPROVER_REFUSED', 'name operator, time, nonce and signature in the x-sallyport- headers');
}
