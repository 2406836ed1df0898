import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { CallRequest } from './call.ts';
import type { Executed } from './execute.ts';
import type { House } from './house.ts';
import type { InboundDelivered } from './inbound.ts';
import { parseOutput } from './output.ts';
import { NeedsAnswers, type Questions, type ToolOutput } from './tool.ts';

type Reader = Pick<CallRequest, 'principal'>;

/**
 * Step 10: what came back, without the value of any secret that the keeper knows, before anything else sees it.
 *
 * @throws SallyportError SECRET_IN_RESULT when it holds more, or others, than this session was given; those of `parseOutput`
 * and of the keeper
 */
export async function redactExecuted(house: House, reader: Reader, executed: Executed): Promise<Executed> {
  switch (executed.kind) {
    case 'failed':
      return { ...executed, message: String(await redact(house, reader, executed.message)) };
    case 'asked': {
      const { questions, state, task } = executed.asked;
      const clean = await redact(house, reader, { questions: questions as unknown as JsonValue, task });
      const asked = isJsonObject(clean) ? clean : {};
      const cleanTask = asked['task'] ?? null;
      return {
        kind: 'asked',
        asked: new NeedsAnswers(
          asked['questions'] as unknown as Questions,
          state,
          isJsonObject(cleanTask) ? cleanTask : null,
        ),
      };
    }
    case 'returned': {
      const output = parseOutput(executed.output, house.limits);
      const clean = await redact(house, reader, output as unknown as JsonValue);
      return { ...executed, parsed: clean as unknown as ToolOutput };
    }
  }
}

/** Step 13: sanitising may have joined what stood apart. The same object comes back when there is nothing in it. */
export async function redactDelivered(house: House, reader: Reader, came: InboundDelivered): Promise<InboundDelivered> {
  if (came.verdict === 'pass') return came;
  const { content, structuredContent, text, recorded } = came;
  const held: JsonObject = {
    content: content as unknown as JsonValue,
    text,
    recorded,
    structured: structuredContent ?? null,
  };
  const clean = await redact(house, reader, held);
  if (clean === held || !isJsonObject(clean)) return came;
  return {
    ...came,
    content: clean['content'] as unknown as InboundDelivered['content'],
    text: String(clean['text']),
    recorded: clean['recorded'] ?? null,
    ...(isJsonObject(clean['structured'] ?? null) ? { structuredContent: clean['structured'] as JsonObject } : {}),
  };
}

/** Words of a server on their way in. */
export const redactParams = async (house: House, reader: Reader, params: JsonObject): Promise<JsonObject> =>
  (await redact(house, reader, params)) as JsonObject; // an object stays an object

async function redact(house: House, { principal }: Reader, value: JsonValue): Promise<JsonValue> {
  const { value: clean, blocked } = await house.keeper.redact(value, principal);
  if (!blocked) return clean;
  throw new SallyportError(
    'SECRET_IN_RESULT',
    'the tool ran; its result holds secrets that this session was not given, and is withheld',
  );
}
