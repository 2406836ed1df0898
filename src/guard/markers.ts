/** What a marker imitates. */
type MarkerKind = 'template' | 'role-object' | 'role-line' | 'pseudo-tag' | 'heading' | 'reasoning' | 'data-url';

/** A marker that imitates the frame of a conversation or of a prompt, and where. */
export interface Marker {
  readonly kind: MarkerKind;
  readonly start: number;
  readonly end: number;
}

// Every pattern below is tried at one place (sticky) and repeats a bounded number of times only, so that reading a text is linear.
// ATTACKER-CONTROLLED text is only ever the subject of a pattern, never its source.

/** Chat-template tokens of ChatML, Llama, Mistral, Gemma, DeepSeek and their kin. */
const TEMPLATE =
  /<[|\uff5c][a-z\u2581][a-z0-9_\u2581-]{1,28}[|\uff5c]>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:start|end)_of_(?:turn|text|role)>|\[\/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<\/?antml:[a-z_]{3,20}/iy;

const ROLE_OBJECT = /["']role["']\s{0,4}:\s{0,4}["'](?:system|assistant|developer)["']/iy;

const TAG =
  /<\/?(?:system|important|instructions?|admin|override|secret|hidden|critical|priority|system[ _-](?:prompt|message|note|reminder|instructions?|override)|(?:important|hidden|secret|special|admin|assistant|ai|llm|agent)[ _-](?:message|note|instructions?|task|reminder|info|directive)|tool_(?:response|result|call)s?|function_(?:calls?|results?|response))>/y;

const LOUD_TAG =
  /[<[{(]\/?(?:SYSTEM|IMPORTANT|INSTRUCTIONS?|ADMIN|ASSISTANT|USER|HUMAN|DEVELOPER|OVERRIDE|SECRET|PRIORITY|PROMPT|INFORMATION|HIDDEN|AI|LLM|AGENT|INST|TASK|DIRECTIVE|(?:CRITICAL|URGENT|INFO|NOTICE)(?=[ _-](?:MESSAGE|INSTRUCTION|OVERRIDE|DIRECTIVE|COMMAND)))(?:[ _-](?:PROMPT|MESSAGE|NOTE|REMINDER|INSTRUCTIONS?|OVERRIDE|NOTICE|TOOL|CALL|ONLY|DIRECTIVE|UPDATE|ALERT|WARNING|INFO|COMMAND|MODE|QUERY|REQUEST|TASK))?[>\]})]/y;

const QUIET_TAG =
  /\[(?:\/?(?:system|assistant|user|human)|end of (?:tool )?(?:result|output|context|data|input)s?|tool (?:result|output)s?)\](?=[\s:])/y;

const HEADING =
  / {0,3}(?:#{1,6}|={3,8}|-{3,8}|\*{3,8}|~{3,8}|<{2,8}|_{3,8}) {0,2}(?:new |system |your |begin |start |end (?:of )?|updated |hidden |important |admin |ai |assistant |user )?(?:instructions?|system|prompt|response|task|input|human|assistant|user|override|directives?|message|query|context|data)\b[^\n\w]{0,4}(?=[\n:]|$)/iy;

const LOUD_HEADING =
  /#{2,6} {0,2}(?:system|admin|new|ai|assistant|security) (?:override|instructions?|prompt|message|task|notice|directives?)\b/iy;

const REASONING = / {0,3}(?:Thought|Action|Action Input|Observation|Final Answer|Answer|Next Action): /y;

/** A place for data inside an address, from its opening bracket on. */
const DATA_PLACE =
  /(?:\{\{?|<|\$\{|\[)[a-z_. -]{0,24}(?:data|secret|token|key|password|content|conversation|history|prompt|message|summary|context|user|email|info|response|answer|session|env|insert|here|cookie)/iy;

/** Characters behind `://` in which a place for data is looked for. */
const ADDRESS_LENGTH = 320;

/** Who is made to speak, before a colon at the beginning of a line or behind punctuation. */
const SPEAKER =
  /(?:^|[\n>*"'`\]#([{\\-])[ \t]{0,3}(?:system|assistant|user|human|developer|ai|agent|admin|bot|tool|gpt|chatgpt|claude|model)(?: (?:message|prompt|note|override|instructions?|notice|update|alert|admin|command))?[\])*"']{0,3} {0,2}$/i;

/** Characters before a colon that are looked at for a speaker. */
const SPEAKER_LENGTH = 40;
/** Most markers that are looked at: each further one says nothing new. */
const MARKERS = 1_024;

/** One search: what it found so far, and the text. */
interface Search {
  readonly text: string;
  readonly markers: Marker[];
  /** Up to here addresses have been looked at. */
  addressEnd: number;
}

const table = (signs: string): Uint8Array =>
  Uint8Array.from({ length: 128 }, (_, code) => (signs.includes(String.fromCharCode(code)) ? 1 : 0));

/** Characters that a marker may begin with, a line end among them. */
const BEGINNINGS: Uint8Array = table('\n:<[{("\'#.');
/** Those of markers that act on whoever reads them: tokens of templates, addresses that wait for data. */
const ACTING: Uint8Array = table(':<[');
/** What a heading or a step of reasoning begins with. */
const HEADINGS: Uint8Array = table('#=-*~<_');
const REASONINGS: Uint8Array = table('TAOFN');
/** What stands behind the bracket of a tag in capitals. */
const CAPITALS: Uint8Array = table('/SIADOPUHLTCN');

const isIn = (set: Uint8Array, code: number): boolean => code < 128 && set[code] === 1;

/** The first markers of a text (at most 1,024), in order of place. Linear. */
export function findMarkers(text: string): Marker[] {
  const search: Search = { text, markers: [], addressEnd: 0 };
  atLine(search, 0);
  for (let at = 0; at < text.length && search.markers.length < MARKERS; at++) {
    const code = text.charCodeAt(at);
    if (code < 128 && BEGINNINGS[code] === 1) lookAt(search, at, code);
  }
  return search.markers;
}

/** All markers that act on whoever reads them, in order of place. Linear. */
export function findActingMarkers(text: string): Marker[] {
  const search: Search = { text, markers: [], addressEnd: 0 };
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128 || ACTING[code] !== 1) continue;
    if (code !== 0x3a) take(search, 'template', TEMPLATE, at);
    else if (text.charCodeAt(at + 1) === 0x2f) atAddress(search, at);
  }
  return search.markers;
}

function take({ text, markers }: Search, kind: MarkerKind, pattern: RegExp, at: number): boolean {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (found === null) return false;
  markers.push({ kind, start: at, end: at + found[0].length });
  return true;
}

function lookAt(search: Search, at: number, code: number): void {
  const next = search.text.charCodeAt(at + 1);
  switch (code) {
    case 0x0a:
      atLine(search, at + 1);
      return;
    case 0x3a:
      atColon(search, at, next);
      return;
    case 0x3c:
      if (take(search, 'template', TEMPLATE, at) || take(search, 'pseudo-tag', TAG, at)) return;
      if (isIn(CAPITALS, next)) take(search, 'pseudo-tag', LOUD_TAG, at);
      return;
    case 0x5b:
      if (take(search, 'template', TEMPLATE, at)) return;
      if (isIn(CAPITALS, next) && take(search, 'pseudo-tag', LOUD_TAG, at)) return;
      take(search, 'pseudo-tag', QUIET_TAG, at);
      return;
    case 0x7b:
    case 0x28:
      if (isIn(CAPITALS, next)) take(search, 'pseudo-tag', LOUD_TAG, at);
      return;
    case 0x22:
    case 0x27:
      if (next === 0x72) take(search, 'role-object', ROLE_OBJECT, at);
      return;
    case 0x23:
      if (next === 0x23 && search.text.charCodeAt(at - 1) === 0x20) take(search, 'heading', LOUD_HEADING, at);
      return;
    default:
      if (next === 0x20 && isIn(REASONINGS, search.text.charCodeAt(at + 2)))
        take(search, 'reasoning', REASONING, at + 1);
  }
}

function atLine(search: Search, at: number): void {
  let first = at;
  while (first < at + 3 && search.text.charCodeAt(first) === 32) first += 1;
  const code = search.text.charCodeAt(first);
  if (isIn(HEADINGS, code)) take(search, 'heading', HEADING, at);
  else if (isIn(REASONINGS, code)) take(search, 'reasoning', REASONING, at);
}

/**
 * An address that waits for data: whoever loads it carries the data out. Each character is looked at once, and every `://` before the
 * place for data is a marker, as each begins an address.
 */
function atAddress(search: Search, at: number): void {
  const { text, markers } = search;
  if (at < search.addressEnd || text.charCodeAt(at + 2) !== 0x2f) return;
  const starts: number[] = [];
  let hasPath = false;
  let next = at;
  for (; next < Math.min(text.length, at + ADDRESS_LENGTH); next++) {
    const code = text.charCodeAt(next);
    if (code === 0x3a && text.startsWith('://', next)) starts.push(next);
    if (next < at + 4) continue;
    if (code === 0x3f || code === 0x26 || code === 0x2f || code === 0x3d || code === 0x23) hasPath = true;
    if (
      code <= 32 ||
      code === 0x22 ||
      code === 0x27 ||
      code === 0x28 ||
      code === 0x29 ||
      code === 0x3e ||
      code === 0x7d
    )
      break;
    if (code !== 0x7b && code !== 0x3c && code !== 0x5b) continue;
    DATA_PLACE.lastIndex = next;
    const end = hasPath && DATA_PLACE.test(text) ? DATA_PLACE.lastIndex : -1;
    if (end !== -1) markers.push(...starts.map((start) => ({ kind: 'data-url' as const, start, end })));
    if (end !== -1 || code !== 0x5b) break;
  }
  search.addressEnd = next;
}

function atColon(search: Search, at: number, next: number): void {
  const { text, markers } = search;
  if (next === 0x2f) {
    atAddress(search, at);
    return;
  }
  if (next === 0x3a) return;
  const from = Math.max(0, at - SPEAKER_LENGTH);
  const before = text.slice(from, at);
  const found = SPEAKER.exec(from === 0 ? before : `\u0000${before}`);
  if (found !== null) markers.push({ kind: 'role-line', start: Math.max(0, at - found[0].length + 1), end: at + 1 });
}
