import { copyJson, isJsonObject, type JsonObject, type JsonValue, type Limits, SallyportError } from '../core/index.ts';
import type { Content, ToolOutput } from './tool.ts';

const malformed = (what: string): SallyportError => new SallyportError('RESULT_MALFORMED', `the tool returned ${what}`);

/**
 * Reads what a tool returned into frozen content with known fields only. ATTACKER-CONTROLLED: all of it; a getter runs
 * once, a later change by the tool reaches nobody.
 *
 * @throws SallyportError RESULT_MALFORMED, RESULT_TOO_LARGE
 */
export function parseOutput(output: unknown, limits: Limits): ToolOutput {
  if (typeof output === 'string') return parseOutput({ content: [{ type: 'text', text: output }] }, limits);
  const copied = copyResult(output, limits);
  if (!isJsonObject(copied)) throw malformed('neither a text nor a result');
  const { content, structuredContent, isError } = copied;
  if (!Array.isArray(content)) throw malformed('no content');
  if (structuredContent !== undefined && !isJsonObject(structuredContent))
    throw malformed('structured content that is no object');
  if (isError !== undefined && typeof isError !== 'boolean') throw malformed('an error flag that is no boolean');
  const pieces = (content as readonly JsonValue[]).map(parsePiece);
  checkSizes(pieces, structuredContent, limits);
  return Object.freeze({
    content: Object.freeze(pieces),
    ...(structuredContent === undefined ? {} : { structuredContent }),
    isError: isError === true,
  });
}

function copyResult(output: unknown, limits: Limits): JsonValue {
  const maxBytes = limits.resultTextBytes * 2 + limits.resultBinaryBytes * 2;
  try {
    return copyJson(output, { maxBytes, maxDepth: limits.argumentDepth });
  } catch (error) {
    // A getter of the result may throw anything.
    if (!(error instanceof SallyportError)) throw new SallyportError('RESULT_MALFORMED', 'the result cannot be read');
    const code = error.code === 'INPUT_TOO_LARGE' ? 'RESULT_TOO_LARGE' : 'RESULT_MALFORMED';
    throw new SallyportError(code, `the tool returned something that cannot be delivered: ${error.message}`, {
      cause: error,
    });
  }
}

function parsePiece(piece: JsonValue): Content {
  if (!isJsonObject(piece)) throw malformed('a piece of content that is no object');
  const { type } = piece;
  switch (type) {
    case 'text':
      return Object.freeze({ type, text: text(piece, 'text') });
    case 'image':
    case 'audio':
      return Object.freeze({ type, data: base64(piece, 'data'), mimeType: mimeType(piece) });
    case 'resource_link':
      return Object.freeze({ type, uri: text(piece, 'uri'), name: text(piece, 'name'), ...texts(piece, LINK_FIELDS) });
    case 'resource':
      return Object.freeze({ type, resource: parseResource(piece['resource']) });
    default:
      throw malformed('content of an unknown type');
  }
}

const LINK_FIELDS = ['title', 'description', 'mimeType'];

function parseResource(resource: JsonValue | undefined): JsonObject {
  if (!isJsonObject(resource)) throw malformed('a resource that is no object');
  const body = resource['blob'] === undefined ? { text: text(resource, 'text') } : { blob: base64(resource, 'blob') };
  return Object.freeze({ uri: text(resource, 'uri'), ...texts(resource, ['mimeType']), ...body });
}

function text(piece: JsonObject, field: string): string {
  const value = piece[field];
  if (typeof value !== 'string') throw malformed(`content without a text in its field ${field}`);
  return value;
}

/** RFC 6838 allows 127 characters each for type and subtype; parameters fit in the rest. */
function mimeType(piece: JsonObject): string {
  const value = text(piece, 'mimeType');
  if (value.length > 512) throw malformed('content with a MIME type that is too long');
  return value;
}

function base64(piece: JsonObject, field: string): string {
  const value = text(piece, field);
  if (value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value))
    throw malformed(`no base64 in the field ${field}`);
  return value;
}

function texts(piece: JsonObject, fields: readonly string[]): Record<string, string> {
  const present = fields.filter((field) => piece[field] !== undefined);
  return Object.fromEntries(present.map((field) => [field, text(piece, field)]));
}

function checkSizes(pieces: readonly Content[], structured: JsonObject | undefined, limits: Limits): void {
  let textBytes = structured === undefined ? 0 : Buffer.byteLength(JSON.stringify(structured));
  let binaryBytes = 0;
  for (const piece of pieces) {
    const blob = piece.type === 'resource' ? piece.resource['blob'] : undefined;
    if (piece.type === 'image' || piece.type === 'audio') binaryBytes += piece.data.length * 0.75;
    else if (typeof blob === 'string') binaryBytes += blob.length * 0.75;
    else textBytes += Buffer.byteLength(JSON.stringify(piece));
  }
  if (textBytes > limits.resultTextBytes || binaryBytes > limits.resultBinaryBytes) {
    throw new SallyportError(
      'RESULT_TOO_LARGE',
      `the result is larger than ${limits.resultTextBytes} bytes of text or ${limits.resultBinaryBytes} bytes of binary`,
    );
  }
}
