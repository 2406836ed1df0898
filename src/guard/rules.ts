import type { Lexicon, WordSet } from './lexicon.ts';
import { IDENTIFIER, SINK } from './sentence.ts';

/** What a rule looks for: findings of one family add up once. */
export type Family =
  | 'override'
  | 'new-task'
  | 'address'
  | 'role'
  | 'priority'
  | 'secrecy'
  | 'consent'
  | 'exfiltrate'
  | 'reveal'
  | 'tool'
  | 'hijack'
  | 'output'
  | 'memory'
  | 'persona'
  | 'authority'
  | 'stage'
  | 'demand'
  | 'urgency'
  | 'action'
  | 'framed';

/** A sequence of word classes in one sentence: its family, its weight, and why it matters. */
interface RuleText {
  readonly id: string;
  readonly family: Family;
  readonly weight: number;
  /** Steps `GAP:CLASS|CLASS`: one of the classes within GAP words of the step before (1 if none is given); `^`: a command may begin here. */
  readonly steps: string;
  /** Classes that the sentence must not have. */
  readonly unless?: string;
  readonly why: string;
}

const RULES: readonly RuleText[] = [
  // Overriding what the model was told.
  {
    id: 'override-instructions',
    family: 'override',
    weight: 3,
    steps: '^OVERRIDE 6:INSTRUCTION|COMMANDS',
    why: 'tells its reader to drop its instructions',
  },
  {
    id: 'override-instructions',
    family: 'override',
    weight: 1.4,
    steps: 'OVERRIDE|DROP 5:PRIOR|YOUR 3:INSTRUCTION|COMMANDS',
    why: 'speaks of dropping instructions',
  },
  {
    id: 'override-rules',
    family: 'override',
    weight: 2.2,
    steps: '^OVERRIDE|DROP 4:PRIOR|YOUR 3:RULE',
    why: 'tells its reader to drop its rules',
  },
  {
    id: 'override-what-came-before',
    family: 'override',
    weight: 1.5,
    steps: '^OVERRIDE 3:ALL 3:PRIOR',
    why: 'tells its reader to drop what came before',
  },
  {
    id: 'override-what-came-before',
    family: 'override',
    weight: 1.3,
    steps: '^OVERRIDE 3:PRIOR',
    why: 'tells its reader to drop what came before',
  },
  {
    id: 'override-task',
    family: 'override',
    weight: 1.6,
    steps: '^OVERRIDE 4:PRIOR|YOUR|ALL|USER 3:THING',
    why: 'tells its reader to drop its task',
  },
  {
    id: 'override-final',
    family: 'override',
    weight: 3,
    steps: 'INSTRUCTION|RULE 5:FINAL',
    why: 'tells its reader to drop its instructions',
  },
  {
    id: 'stop-following',
    family: 'override',
    weight: 2.4,
    steps: '^STOP|NOT 2:FOLLOW|DOING 5:PRIOR|YOUR|ALL 4:INSTRUCTION|RULE|THING',
    why: 'tells its reader to stop following instructions',
  },
  {
    id: 'pay-no-attention',
    family: 'override',
    weight: 2.2,
    steps: '^PAY 3:URGENT 4:PRIOR|INSTRUCTION|THING',
    why: 'tells its reader to drop what came before',
  },
  {
    id: 'instructions-void',
    family: 'override',
    weight: 2.2,
    steps: 'PRIOR|YOUR 3:INSTRUCTION 6:VOID',
    why: 'says that earlier instructions hold no longer',
  },
  {
    id: 'set-aside',
    family: 'override',
    weight: 2,
    steps: '^SET 1:ASIDE 6:YOU|YOUR|PRIOR|INSTRUCTION',
    why: 'tells its reader to drop what it was told',
  },
  {
    id: 'instructions-changed',
    family: 'override',
    weight: 2,
    steps: 'YOUR 2:INSTRUCTION|RULE|THING 3:CHANGED',
    why: 'says that the instructions have changed',
  },
  {
    id: 'what-you-were-told',
    family: 'override',
    weight: 1.2,
    steps: 'YOU 2:WAS 1:TOLD 4:PRIOR|BEFORE',
    why: 'speaks of what its reader was told',
  },
  { id: 'stop-what-you-do', family: 'override', weight: 1.4, steps: '^STOP 4:DOING', why: 'wants its reader to stop' },
  {
    id: 'safety-off',
    family: 'override',
    weight: 1.6,
    steps: 'SAFETY 2:RULE 4:DISABLED',
    why: 'says that safety rules are off',
  },
  // Giving new ones.
  {
    id: 'new-instructions',
    family: 'new-task',
    weight: 1.6,
    steps: 'NEW 2:INSTRUCTION',
    why: 'brings new instructions',
  },
  {
    id: 'following-instructions',
    family: 'new-task',
    weight: 0.8,
    steps: 'FOLLOWING 1:INSTRUCTION',
    why: 'brings instructions',
  },
  {
    id: 'your-new-task',
    family: 'new-task',
    weight: 2,
    steps: 'YOUR 2:NEW|NOW|PRIMARY 2:THING|INSTRUCTION|RULE|ROLE',
    why: 'gives its reader a new task',
  },
  {
    id: 'new-task-for-ai',
    family: 'new-task',
    weight: 2,
    steps: 'NEW 2:THING|INSTRUCTION 4:AI',
    why: 'gives an assistant a new task',
  },
  {
    id: 'follow-these-instructions',
    family: 'new-task',
    weight: 1.5,
    steps: '^FOLLOW 6:THIS|NEW|FOLLOWING 3:INSTRUCTION',
    why: 'wants instructions in the text followed',
  },
  {
    id: 'do-this-instead',
    family: 'new-task',
    weight: 1.5,
    steps: '^FOLLOW 4:THIS 3:INSTEAD',
    why: 'wants something else done instead',
  },
  {
    id: 'do-this-instead',
    family: 'new-task',
    weight: 1.2,
    steps: '^INSTEAD 3:FOLLOW|ACTION|RESPOND',
    why: 'wants something else done instead',
  },
  // Speaking to a machine.
  {
    id: 'note-to-ai',
    family: 'address',
    weight: 2.3,
    steps: '^MESSAGE 3:FOR|TO 4:AI',
    why: 'is addressed to an assistant',
  },
  {
    id: 'ai-reading',
    family: 'address',
    weight: 2.2,
    steps: '^AI 4:READING',
    why: 'speaks to an assistant that reads it',
  },
  {
    id: 'if-you-are-ai',
    family: 'address',
    weight: 2.6,
    steps: 'IF 1:YOU 2:ARE 3:AI|LANGUAGE',
    why: 'speaks to its reader as a language model',
  },
  { id: 'hey-ai', family: 'address', weight: 2.3, steps: '^HEY 3:AI', why: 'greets an assistant' },
  {
    id: 'to-ai',
    family: 'address',
    weight: 1.2,
    steps: '^TO 4:AI 4:YOU|MUST|PLEASE|ACTION',
    why: 'is addressed to an assistant',
  },
  {
    id: 'ai-must',
    family: 'address',
    weight: 1.5,
    steps: '^AI 2:MUST|YOU|PLEASE|NOT',
    why: 'tells an assistant what to do',
  },
  {
    id: 'ai-must',
    family: 'address',
    weight: 1.5,
    steps: 'AI 1:MUST|DOIT 2:CALL|ACTION|OVERRIDE|FOLLOW|RESPOND|REVEAL|SEND',
    why: 'tells an assistant what to do',
  },
  {
    id: 'you-are-ai',
    family: 'address',
    weight: 1.2,
    steps: 'YOU 2:ARE 4:AI',
    why: 'tells its reader that it is an assistant',
  },
  {
    id: 'as-ai-you',
    family: 'address',
    weight: 1.4,
    steps: 'AS 3:AI 4:YOU',
    why: 'speaks to its reader as an assistant',
  },
  {
    id: 'ai-reading',
    family: 'address',
    weight: 1.5,
    steps: 'AI 1:READING 3:THIS|THE',
    why: 'speaks of an assistant that reads it',
  },
  {
    id: 'you-the-ai',
    family: 'address',
    weight: 1.6,
    steps: 'YOU 2:AI 3:MUST|ACTION|FIRST|HASTO',
    why: 'speaks to its reader as an assistant',
  },
  {
    id: 'ai-has-to',
    family: 'address',
    weight: 1.4,
    steps: 'AI 1:HASTO 1:TO|NOW 2:ACTION|RESPOND|FOLLOW|OVERRIDE|SEND|REVEAL',
    why: 'tells an assistant what to do',
  },
  // Coming first.
  {
    id: 'before-you-answer',
    family: 'priority',
    weight: 1.4,
    steps: 'BEFORE 3:YOU|ANSWER 3:ANSWER|RESPOND|THING',
    why: 'wants something done before its reader answers',
  },
  {
    id: 'before-continuing',
    family: 'priority',
    weight: 1,
    steps: '^BEFORE 1:ANSWER',
    why: 'wants something done before its reader goes on',
  },
  {
    id: 'takes-precedence',
    family: 'priority',
    weight: 1.8,
    steps: 'PRECEDENCE 5:PRIOR|ALL|YOUR 3:INSTRUCTION|RULE|THING',
    why: 'puts itself above other instructions',
  },
  {
    id: 'users-request',
    family: 'priority',
    weight: 1.2,
    steps: 'ANSWER|BEFORE 4:USER 2:THING|RESPONSE',
    why: "puts itself before the user's request",
  },
  {
    id: 'mandatory-step',
    family: 'priority',
    weight: 0.9,
    steps: 'THIS 2:STEP|ACTION|TASK 3:MUST|IMPORTANT|URGENT',
    why: 'calls a step mandatory',
  },
  {
    id: 'do-first',
    family: 'priority',
    weight: 1.5,
    steps: '^FOLLOW|ACTION 3:FOLLOWING|THIS 2:FIRST',
    why: 'wants something done first',
  },
  {
    id: 'task-you-were-given',
    family: 'priority',
    weight: 1.6,
    steps: 'TASK|THING 3:I|USER|YOU 2:GAVE 2:YOU',
    why: 'speaks of the task that its reader was given',
  },
  {
    id: 'task-you-were-given',
    family: 'priority',
    weight: 1.2,
    steps: 'TASK|THING 2:YOU 2:WAS 2:TOLD',
    why: 'speaks of the task that its reader was given',
  },
  {
    id: 'after-that-you-can',
    family: 'priority',
    weight: 1.2,
    steps: '^AFTER 3:FOLLOW|COMPLETE|DOING|THIS 4:YOU 2:CAN',
    why: 'lets its reader go on afterwards',
  },
  {
    id: 'message-to-you',
    family: 'address',
    weight: 1.2,
    steps: 'MESSAGE 8:TO 1:YOU',
    why: 'is addressed to its reader',
  },
  {
    id: 'before-replying-to-user',
    family: 'priority',
    weight: 1.4,
    steps: 'BEFORE|PRIOR 2:ANSWER 4:USER',
    why: 'wants something done before the user is answered',
  },
  {
    id: 'meant-for-ai',
    family: 'address',
    weight: 2.2,
    steps: 'MESSAGE 3:MEANT 4:AI|MODELS',
    why: 'is addressed to an assistant',
  },
  {
    id: 'you-the-model',
    family: 'address',
    weight: 1.8,
    steps: 'YOU 1:THE 1:AI|MODELS',
    why: 'speaks to its reader as an assistant',
  },
  // Hiding it from the user.
  {
    id: 'do-not-tell-user',
    family: 'secrecy',
    weight: 3,
    steps: 'NOT 3:TELL 5:USER',
    why: 'wants something kept from the user',
  },
  {
    id: 'user-must-not-know',
    family: 'secrecy',
    weight: 2.2,
    steps: 'USER 3:NOT 3:KNOW|SEE|ASK',
    why: 'wants something kept from the user',
  },
  {
    id: 'without-asking',
    family: 'secrecy',
    weight: 1.8,
    steps: 'WITHOUT 4:ASK',
    why: 'wants something done unasked or untold',
  },
  {
    id: 'hide-from-user',
    family: 'secrecy',
    weight: 2.2,
    steps: '^HIDE|KEEP 5:FROM 2:USER',
    why: 'wants something kept from the user',
  },
  { id: 'covertly', family: 'secrecy', weight: 1.2, steps: 'COVERT', why: 'wants something done covertly' },
  {
    id: 'do-not-mention',
    family: 'secrecy',
    weight: 1.3,
    steps: '^NOT 1:TELL 2:THIS',
    why: 'wants something left unsaid',
  },
  { id: 'keep-quiet', family: 'secrecy', weight: 1.4, steps: '^KEEP 4:QUIET', why: 'wants something kept quiet' },
  {
    id: 'do-not-tell-anyone',
    family: 'secrecy',
    weight: 1,
    steps: '^NOT 2:TELL 5:ANYONE',
    why: 'wants something kept from others',
  },
  // Consent that nobody gave.
  {
    id: 'user-already-approved',
    family: 'consent',
    weight: 2.2,
    steps: 'USER 3:ALREADY 1:APPROVED',
    why: 'claims that the user has agreed',
  },
  {
    id: 'user-approved',
    family: 'consent',
    weight: 1.2,
    steps: 'USER 2:APPROVED',
    why: 'claims that the user has agreed',
  },
  {
    id: 'no-need-to-ask',
    family: 'consent',
    weight: 1.5,
    steps: 'NOT 2:NEED 3:ASK',
    why: 'says that nobody needs to be asked',
  },
  {
    id: 'skip-confirmation',
    family: 'consent',
    weight: 1.3,
    steps: '^OVERRIDE 3:ASK',
    why: 'wants no confirmation asked',
  },
  // Taking data out.
  {
    id: 'send-secrets-to',
    family: 'exfiltrate',
    weight: 3,
    steps: '^SEND 8:SECRET 12:SINK',
    why: 'wants secrets sent to an address',
  },
  { id: 'send-secrets', family: 'exfiltrate', weight: 1.4, steps: '^SEND 6:SECRET', why: 'wants secrets sent' },
  {
    id: 'send-data-to',
    family: 'exfiltrate',
    weight: 2.2,
    steps: '^SEND 8:PRIVATE 12:SINK',
    why: 'wants data sent to an address',
  },
  {
    id: 'send-it-to',
    family: 'exfiltrate',
    weight: 1.3,
    steps: '^SEND 8:THIS|THEM|ALL 10:SINK',
    why: 'wants something sent to an address',
  },
  {
    id: 'get-and-send',
    family: 'exfiltrate',
    weight: 2.2,
    steps: '^GET 18:MAIL 9:SINK',
    why: 'wants something fetched and sent to an address',
  },
  { id: 'get-secrets', family: 'exfiltrate', weight: 1, steps: '^ACTION|REVEAL 4:SECRET', why: 'wants secrets read' },
  {
    id: 'reveal-prompt',
    family: 'reveal',
    weight: 2.6,
    steps: '^REVEAL 4:SYSTEM|YOUR 2:PROMPT',
    why: 'wants the prompt of the model',
  },
  {
    id: 'reveal-above',
    family: 'reveal',
    weight: 1.8,
    steps: '^REVEAL 5:PRIOR 2:PROMPT|THING|INSTRUCTION',
    why: 'wants the conversation of the model',
  },
  {
    id: 'reveal-final',
    family: 'reveal',
    weight: 1.6,
    steps: 'SYSTEM 2:PROMPT 4:REVEAL',
    why: 'wants the prompt of the model',
  },
  // Using tools.
  {
    id: 'use-tool',
    family: 'tool',
    weight: 1.2,
    steps: '^CALL 6:IDENTIFIER 2:TOOL',
    why: 'wants a tool called by name',
  },
  {
    id: 'use-tool',
    family: 'tool',
    weight: 1,
    steps: '^CALL 2:THE|YOUR 4:TOOL',
    unless: 'CODE',
    why: 'wants a tool called',
  },
  {
    id: 'using-identifier',
    family: 'tool',
    weight: 1,
    steps: '^ACTION 14:CALL 1:IDENTIFIER',
    why: 'wants something done with a named tool',
  },
  // Making the reader believe that its task is over.
  { id: 'task-complete', family: 'hijack', weight: 1.5, steps: 'TASK 3:COMPLETE', why: 'says that the task is over' },
  {
    id: 'end-of-document',
    family: 'hijack',
    weight: 1.6,
    steps: '^END 1:OF 3:DOCUMENT',
    why: 'says that the data ends here',
  },
  {
    id: 'next-step-is',
    family: 'hijack',
    weight: 0.9,
    steps: 'NEXT 1:STEP 2:IS|MUST',
    why: 'imitates the reasoning of an agent',
  },
  // Deciding what is answered.
  { id: 'respond-only', family: 'output', weight: 1.5, steps: '^RESPOND 2:ONLY', why: 'says what to answer' },
  {
    id: 'respond-only',
    family: 'output',
    weight: 1.3,
    steps: '^RESPOND 1:WITH 4:ONLY|WORD',
    why: 'says what to answer',
  },
  {
    id: 'your-response',
    family: 'output',
    weight: 1.4,
    steps: 'YOUR 2:RESPONSE 3:MUST|WITH',
    why: 'says what the answer must be',
  },
  {
    id: 'in-your-response',
    family: 'output',
    weight: 1.5,
    steps: '^RESPOND|ACTION 10:YOUR 2:RESPONSE',
    why: 'says what the answer must hold',
  },
  {
    id: 'tell-the-user',
    family: 'output',
    weight: 1.3,
    steps: '^TELL|RESPOND 1:THE|USER 1:USER|THAT|TO',
    why: 'says what the user is told',
  },
  {
    id: 'responses-must',
    family: 'output',
    weight: 1.2,
    steps: 'RESPONSE 2:MUST|HASTO 4:RESPOND|ONLY',
    why: 'says what answers must be',
  },
  // Lasting effects.
  {
    id: 'remember-always',
    family: 'memory',
    weight: 2,
    steps: '^REMEMBER 4:ALWAYS|MEMORY',
    why: 'wants to be remembered',
  },
  {
    id: 'save-to-memory',
    family: 'memory',
    weight: 1.8,
    steps: 'ACTION|REMEMBER 8:YOUR 3:MEMORY',
    why: 'wants to be kept in memory',
  },
  {
    id: 'remember-user',
    family: 'memory',
    weight: 1.6,
    steps: '^REMEMBER 3:THIS 2:USER',
    why: 'wants something remembered about the user',
  },
  {
    id: 'from-now-on',
    family: 'memory',
    weight: 1.4,
    steps: 'FROM 1:NOW|THIS 2:NOW|ON|POINT',
    why: 'wants to hold from now on',
  },
  // Being somebody else.
  { id: 'you-are-now', family: 'persona', weight: 2, steps: 'YOU 1:ARE 1:NOW', why: 'tells its reader what it is now' },
  { id: 'act-as', family: 'persona', weight: 1, steps: '^ACT 2:AS|LIKE|TO', why: 'wants its reader to play a part' },
  {
    id: 'mode',
    family: 'persona',
    weight: 1.6,
    steps: 'MODENAME 1:MODE 3:COMPLETE|NOW|ENABLED|WITH|NOT|IS',
    why: 'claims a special mode',
  },
  {
    id: 'enter-mode',
    family: 'persona',
    weight: 1.8,
    steps: '^ACTION|ACT|ENTER|YOU 5:MODENAME 1:MODE',
    why: 'claims a special mode',
  },
  {
    id: 'unrestricted',
    family: 'persona',
    weight: 1.6,
    steps: 'YOU|AI 8:UNRESTRICTED',
    why: 'speaks of a model without limits',
  },
  {
    id: 'no-restrictions',
    family: 'persona',
    weight: 1.4,
    steps: 'NOT 2:RULE',
    unless: 'CODE',
    why: 'speaks of having no restrictions',
  },
  {
    id: 'no-longer',
    family: 'persona',
    weight: 2.2,
    steps: 'YOU 1:ARE 2:NOLONGER 1:THE',
    why: 'tells its reader what it is no longer',
  },
  {
    id: 'models-must',
    family: 'address',
    weight: 1.5,
    steps: 'LANGUAGE 1:MODEL 2:MUST|DOIT',
    why: 'tells language models what to do',
  },

  {
    id: 'your-purpose',
    family: 'persona',
    weight: 1.4,
    steps: 'YOUR 2:PURPOSE 2:IS|NOW 2:NOW|TO',
    why: 'gives its reader a purpose',
  },
  // Claiming authority.
  {
    id: 'from-authority',
    family: 'authority',
    weight: 1.3,
    steps: 'MESSAGE|URGENT|FROM 3:FROM|THE 4:AUTHORITY',
    why: 'claims authority',
  },
  {
    id: 'i-am-your',
    family: 'authority',
    weight: 1.8,
    steps: '^I 1:AM 2:YOUR 2:AUTHORITY',
    why: 'claims to be in charge of its reader',
  },
  {
    id: 'system-message',
    family: 'authority',
    weight: 1.3,
    steps: '^SYSTEM|AUTHORITY 1:MESSAGE|OVERRIDE|PROMPT|URGENT',
    why: 'claims to be a system message',
  },
  // Telling where it is.
  {
    id: 'you-are-tested',
    family: 'stage',
    weight: 1.6,
    steps: 'YOU 1:ARE 8:TEST',
    unless: 'CODE',
    why: 'tells its reader that this is a test',
  },
  {
    id: 'this-is-a-test',
    family: 'stage',
    weight: 1,
    steps: 'THIS 2:IS 3:TEST',
    unless: 'CODE',
    why: 'says that this is a test',
  },
  {
    id: 'embedded-instructions',
    family: 'stage',
    weight: 1.5,
    steps: 'EMBEDDED 3:INSTRUCTION|THING 4:IN|WITHIN|INSIDE',
    why: 'speaks of instructions inside data',
  },
  {
    id: 'agent-must',
    family: 'stage',
    weight: 1.3,
    steps: 'AI|YOU 2:MUST 8:EMBEDDED|INSTRUCTION',
    why: 'speaks of what an agent must do with instructions',
  },
  {
    id: 'trusted-instructions',
    family: 'stage',
    weight: 1.5,
    steps: 'TRUST 3:INSTRUCTION|THING',
    why: 'calls itself trusted',
  },
  // Said in other ways.
  {
    id: 'override-from-afar',
    family: 'override',
    weight: 2.2,
    steps: '^OVERRIDE 14:PRIOR|YOUR 3:INSTRUCTION',
    why: 'tells its reader to drop its instructions',
  },
  { id: 'next-task', family: 'hijack', weight: 1.2, steps: '^NEXT|NEW 1:THING', why: 'gives its reader a next task' },
  {
    id: 'read-by-ai',
    family: 'address',
    weight: 1.8,
    steps: 'READ_BY 1:BY 3:AI|LANGUAGE',
    why: 'speaks of an assistant that reads it',
  },
  {
    id: 'ai-that-reads',
    family: 'address',
    weight: 1.5,
    steps: 'AI 2:READS',
    why: 'speaks of an assistant that reads it',
  },
  {
    id: 'note-to-models',
    family: 'address',
    weight: 2.2,
    steps: '^MESSAGE 3:FOR|TO 2:LANGUAGE 1:MODELS',
    why: 'is addressed to language models',
  },
  { id: 'dear-model', family: 'address', weight: 1.8, steps: 'HEY 1:MODELS', why: 'greets a model' },
  {
    id: 'prior-to-answering',
    family: 'priority',
    weight: 1,
    steps: 'PRIOR 1:TO 1:ANSWER',
    why: 'wants something done before its reader answers',
  },
  { id: 'do-not-answer', family: 'output', weight: 1.3, steps: '^NOT 1:ANSWER 2:THIS', why: 'wants the work not done' },
  {
    id: 'you-will-now',
    family: 'persona',
    weight: 1.5,
    steps: 'YOU 1:WILL 1:NOW',
    why: 'tells its reader what it does from now on',
  },
  { id: 'developer-mode', family: 'persona', weight: 1.8, steps: 'YOU 4:DEVMODE', why: 'claims a special mode' },
  {
    id: 'granted-privileges',
    family: 'authority',
    weight: 1.6,
    steps: 'YOU 4:GRANTED 3:PRIVILEGES',
    why: 'claims that its reader has more rights',
  },
  {
    id: 'authority-speaking',
    family: 'authority',
    weight: 2,
    steps: 'THIS 1:IS 3:AUTHORITY 1:SPEAKING',
    why: 'claims authority',
  },
  {
    id: 'admin-override',
    family: 'authority',
    weight: 1.5,
    steps: 'AUTHORITY|SYSTEM 1:OVERRIDING',
    why: 'claims to override',
  },
  {
    id: 'reveal-everything-before',
    family: 'reveal',
    weight: 1.8,
    steps: '^REVEAL 3:ALL 6:PRIOR|BEFORE',
    why: 'wants the conversation of the model',
  },
  {
    id: 'secrets-of-user',
    family: 'exfiltrate',
    weight: 2,
    steps: '^SEND|REVEAL|CALL 8:USER 2:SECRET',
    why: 'wants secrets of the user',
  },
  {
    id: 'persuade-user',
    family: 'exfiltrate',
    weight: 2.2,
    steps: '^PERSUADE 2:USER 3:REVEAL|SEND|ACTION',
    why: 'wants the user talked into something',
  },
  {
    id: 'you-keep-quiet',
    family: 'secrecy',
    weight: 1.4,
    steps: 'YOU 2:KEEP 4:QUIET',
    why: 'wants something kept quiet',
  },
  {
    id: 'takes-priority-over',
    family: 'priority',
    weight: 1.3,
    steps: 'TAKES 1:PRECEDENCE 1:OVER',
    why: 'puts itself above other instructions',
  },
  {
    id: 'do-what-it-says',
    family: 'new-task',
    weight: 1.5,
    steps: '^FOLLOW 1:ALL 6:SAYS',
    why: 'wants what a text says done',
  },
  // Ordinary demands, which count beside others only.
  {
    id: 'you-must',
    family: 'demand',
    weight: 0.7,
    steps: 'YOU 1:MUST 4:ACTION|FOLLOW|RESPOND|REVEAL|SEND',
    why: 'makes a demand',
  },
  {
    id: 'please-do',
    family: 'demand',
    weight: 0.7,
    steps: '^PLEASE 2:ACTION|RESPOND|REVEAL|SEND|FOLLOW',
    why: 'asks for an action',
  },
  { id: 'please', family: 'demand', weight: 0.5, steps: '^PLEASE', why: 'asks for something' },
  { id: 'urgent', family: 'urgency', weight: 0.6, steps: '^URGENT|IMPORTANT', why: 'presses' },
  { id: 'do', family: 'action', weight: 0.4, steps: '^ACTION|SEND|REVEAL|RESPOND', why: 'gives a command' },
];

/** One step of a compiled rule. */
export interface Step {
  /** How many words behind the step before it is looked for. */
  readonly gap: number;
  /** A command must be able to begin with it. */
  readonly begins: boolean;
  readonly words: WordSet;
  /** Flags that fit as well as the words. */
  readonly shapes: number;
}

/** A rule as the matcher takes it. */
export interface Rule {
  readonly index: number;
  readonly id: string;
  readonly family: Family;
  readonly weight: number;
  readonly why: string;
  readonly head: Step;
  readonly tail: readonly Step[];
  readonly unless: WordSet | null;
}

/** All rules, and by entry of the lexicon those that may begin with the word. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  readonly byEntry: readonly (readonly Rule[])[];
}

/** The rules over the words of a lexicon. */
export function compileRules(lexicon: Lexicon): RuleBook {
  const rules = RULES.map(({ steps, unless, ...rule }, index) => {
    const [head, ...tail] = steps.split(' ').map((step) => compileStep(lexicon, step));
    if (head === undefined) throw new RangeError(`the rule ${rule.id} has no steps`);
    return { ...rule, index, head, tail, unless: unless === undefined ? null : lexicon.words(unless) };
  });
  const byEntry = Array.from({ length: lexicon.size }, (_, entry) =>
    entry === 0 ? [] : rules.filter(({ head }) => head.words[entry] === 1),
  );
  return { rules, byEntry };
}

const SHAPES: ReadonlyMap<string, number> = new Map([
  ['SINK', SINK],
  ['IDENTIFIER', IDENTIFIER],
]);

function compileStep(lexicon: Lexicon, text: string): Step {
  const begins = text.startsWith('^');
  const [first = '', second] = (begins ? text.slice(1) : text).split(':');
  const [gap, names] = second === undefined ? [1, first] : [Number(first), second];
  const classes = names.split('|').filter((name) => !SHAPES.has(name));
  const shapes = names.split('|').reduce((sum, name) => sum | (SHAPES.get(name) ?? 0), 0);
  const words = classes.length === 0 ? new Uint8Array(lexicon.size) : lexicon.words(classes.join('|'));
  return { gap, begins, words, shapes };
}
