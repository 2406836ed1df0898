/** A marker that imitates the frame of a conversation: how strongly, and where. */
export interface Marker {
  readonly kind: 'template' | 'role-object' | 'role-line' | 'pseudo-tag' | 'heading' | 'reasoning' | 'data-url';
  readonly start: number;
  readonly end: number;
}

/**
 * Chat-template tokens of ChatML, Llama, Mistral, Gemma, DeepSeek and kin. Every repetition is bounded, so the time is linear.
 * ATTACKER-CONTROLLED text is only ever the subject of these patterns, never their source.
 */
export const TEMPLATE_TOKEN: RegExp =
  /<[|\uff5c][a-z\u2581][a-z_\u2581-]{1,28}[|\uff5c]>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:start|end)_of_(?:turn|text|role)>|\[\/?(?:SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<\/?antml:[a-z_]{3,20}/gi;

const ROLE_OBJECT = /["']role["']\s{0,4}:\s{0,4}["'](?:system|assistant|developer)["']/gi;

const PSEUDO_TAG =
  /<\/?(?:system|important|instructions?|admin|override|secret|hidden|critical|priority|system[ _-](?:prompt|message|note|reminder|instructions?|override)|(?:important|hidden|secret|special|admin|assistant|ai|llm|agent)[ _-](?:message|note|instructions?|task|reminder|info|directive)|tool_(?:response|result|call)s?|function_(?:calls?|results?|response))>|[<[{(]\/?(?:SYSTEM|IMPORTANT|INSTRUCTIONS?|ADMIN|ASSISTANT|USER|HUMAN|DEVELOPER|OVERRIDE|SECRET|PRIORITY|CRITICAL|PROMPT|INFORMATION|INFO|HIDDEN|AI|LLM|AGENT|INST|TASK|DIRECTIVE|URGENT|NOTICE)(?:[ _-](?:PROMPT|MESSAGE|NOTE|REMINDER|INSTRUCTIONS?|OVERRIDE|NOTICE|TOOL|CALL|ONLY|DIRECTIVE|UPDATE|ALERT|WARNING|INFO|COMMAND|MODE|QUERY|REQUEST|TASK))?[>\]})]|\[(?:\/?(?:system|assistant|user|human)|end of (?:tool )?(?:result|output|context|data|input)s?|tool (?:result|output)s?)\](?=[\s:])/g;

const ROLE_LINE =
  /(?:^|\n|[>*"'`\]])[ \t>*#"'`[-]{0,12}(?:system|assistant|user|human|developer|ai|agent|admin|bot|tool|gpt|chatgpt|claude|model)(?: (?:message|prompt|note|override|instructions?|notice|update|alert|admin|command))?[\])*"']{0,3} {0,2}:(?!:)/gi;

const HEADING =
  /(?:(?:^|\n) {0,3}(?:#{1,6}|={3,8}|-{3,8}|\*{3,8}|~{3,8}|<{2,8}|_{3,8})|[ \t]#{2,6}) {0,2}(?:new |system |your |begin |start |end (?:of )?|updated |hidden |important |admin |ai |assistant |user )?(?:instructions?|system|prompt|response|task|input|human|assistant|user|override|directives?|message|query|context|data)\b[^\n\w]{0,4}(?=[\n:]|$)|[ \t]#{2,6} {0,2}(?:system|admin|new|ai|assistant|security) (?:override|instructions?|prompt|message|task|notice|directives?)\b/gi;

const REASONING = /(?:^|\n|[.!?] {1,2}) {0,3}(?:Thought|Action|Action Input|Observation|Final Answer|Answer|Next Action): /g;

/** An address with a place for data in it: whoever loads it carries the data out. */
const DATA_URL =
  /https?:\/\/[^\s<>{}"'()]{3,200}[?&/=#][^\s<>{}"'()]{0,100}(?:\{\{?|<|\$\{|\[)(?:[a-z_. -]{0,24})(?:data|secret|token|key|password|content|conversation|history|prompt|message|summary|context|user|email|info|response|answer|session|env|insert|here|cookie)/gi;

const PATTERNS: readonly [Marker['kind'], RegExp][] = [
  ['template', TEMPLATE_TOKEN],
  ['role-object', ROLE_OBJECT],
  ['pseudo-tag', PSEUDO_TAG],
  ['role-line', ROLE_LINE],
  ['heading', HEADING],
  ['reasoning', REASONING],
  ['data-url', DATA_URL],
];

/** Most markers of one kind that are looked at: each further one says nothing new. */
const MARKERS = 256;

/** The conversation markers in a text, in order of place. Linear. */
export function findMarkers(text: string): Marker[] {
  const markers: Marker[] = [];
  for (const [kind, pattern] of PATTERNS) {
    let count = 0;
    for (const { index, 0: found } of text.matchAll(pattern)) {
      markers.push({ kind, start: index, end: index + found.length });
      if (++count === MARKERS) break;
    }
  }
  return markers.sort((one, other) => one.start - other.start);
}
