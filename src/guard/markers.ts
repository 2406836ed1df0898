/** What a marker imitates. */
export type MarkerKind = 'template' | 'role-object' | 'role-line' | 'pseudo-tag' | 'heading' | 'reasoning' | 'data-url';

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
  /[<[{(]\/?(?:SYSTEM|IMPORTANT|INSTRUCTIONS?|ADMIN|ASSISTANT|USER|HUMAN|DEVELOPER|OVERRIDE|SECRET|PRIORITY|CRITICAL|PROMPT|INFORMATION|INFO|HIDDEN|AI|LLM|AGENT|INST|TASK|DIRECTIVE|URGENT|NOTICE)(?:[ _-](?:PROMPT|MESSAGE|NOTE|REMINDER|INSTRUCTIONS?|OVERRIDE|NOTICE|TOOL|CALL|ONLY|DIRECTIVE|UPDATE|ALERT|WARNING|INFO|COMMAND|MODE|QUERY|REQUEST|TASK))?[>\]})]/y;

const QUIET_TAG =
  /\[(?:\/?(?:system|assistant|user|human)|end of (?:tool )?(?:result|output|context|data|input)s?|tool (?:result|output)s?)\](?=[\s:])/y;

const HEADING =
  / {0,3}(?:#{1,6}|={3,8}|-{3,8}|\*{3,8}|~{3,8}|<{2,8}|_{3,8}) {0,2}(?:new |system |your |begin |start |end (?:of )?|updated |hidden |important |admin |ai |assistant |user )?(?:instructions?|system|prompt|response|task|input|human|assistant|user|override|directives?|message|query|context|data)\b[^\n\w]{0,4}(?=[\n:]|$)/iy;

const LOUD_HEADING =
  /#{2,6} {0,2}(?:system|admin|new|ai|assistant|security) (?:override|instructions?|prompt|message|task|notice|directives?)\b/iy;

const REASONING = / {0,3}(?:Thought|Action|Action Input|Observation|Final Answer|Answer|Next Action): /y;

/** An address with a place for data in it: whoever loads it carries the data out. */
const DATA_URL =
  /:\/\/[^\s<>{}"'()]{3,200}[?&/=#][^\s<>{}"'()]{0,100}(?:\{\{?|<|\$\{|\[)(?:[a-z_. -]{0,24})(?:data|secret|token|key|password|content|conversation|history|prompt|message|summary|context|user|email|info|response|answer|session|env|insert|here|cookie)/iy;

/** Who is made to speak, before a colon at the beginning of a line or behind punctuation. */
const SPEAKER =
  /(?:^|[\n>*"'`\]#([{\\-])[ \t]{0,3}(?:system|assistant|user|human|developer|ai|agent|admin|bot|tool|gpt|chatgpt|claude|model)(?: (?:message|prompt|note|override|instructions?|notice|update|alert|admin|command))?[\])*"']{0,3} {0,2}$/i;

/** Characters before a colon that are looked at for a speaker. */
const SPEAKER_LENGTH = 40;
/** Most markers that are looked at: each further one says nothing new. */
const MARKERS = 1_024;

/** The first `most` markers in a text, in order of place. Linear. */
export function findMarkers(text: string, most: number = MARKERS): Marker[] {
  const markers: Marker[] = [];
  const take = (kind: MarkerKind, pattern: RegExp, at: number): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) return false;
    markers.push({ kind, start: at, end: at + found[0].length });
    return true;
  };
  const atLine = (at: number): boolean => take('heading', HEADING, at) || take('reasoning', REASONING, at);
  atLine(0);
  for (let at = 0; at < text.length && markers.length < most; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x40 && code < 0x5b) continue;
    if (code >= 0x61 && code < 0x7b) continue;
    if (code === 0x0a) atLine(at + 1);
    else if (code === 0x3a) atColon(text, at, markers, take);
    else if (code === 0x3c)
      take('template', TEMPLATE, at) || take('pseudo-tag', TAG, at) || take('pseudo-tag', LOUD_TAG, at);
    else if (code === 0x5b)
      take('template', TEMPLATE, at) || take('pseudo-tag', LOUD_TAG, at) || take('pseudo-tag', QUIET_TAG, at);
    else if (code === 0x7b || code === 0x28) take('pseudo-tag', LOUD_TAG, at);
    else if ((code === 0x22 || code === 0x27) && text.charCodeAt(at + 1) === 0x72) take('role-object', ROLE_OBJECT, at);
    else if (code === 0x23 && text.charCodeAt(at - 1) === 0x20) take('heading', LOUD_HEADING, at);
    else if (code === 0x2e && text.charCodeAt(at + 1) === 0x20) take('reasoning', REASONING, at + 1);
  }
  return markers;
}

function atColon(
  text: string,
  at: number,
  markers: Marker[],
  take: (kind: MarkerKind, pattern: RegExp, at: number) => boolean,
): void {
  const next = text.charCodeAt(at + 1);
  if (next === 0x2f) {
    take('data-url', DATA_URL, at);
    return;
  }
  if (next === 0x3a) return;
  const from = Math.max(0, at - SPEAKER_LENGTH);
  const before = text.slice(from, at);
  const found = SPEAKER.exec(from === 0 ? before : `\u0000${before}`);
  if (found !== null) markers.push({ kind: 'role-line', start: at - found[0].length + 1, end: at + 1 });
}
