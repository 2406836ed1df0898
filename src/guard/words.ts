/**
 * English words by class, lower case, separated by white space; a word may be in several classes. The classes are the terms that
 * the rules (`rules.ts`) are written in.
 */
export const ENGLISH: Readonly<Record<string, string>> = Object.freeze({
  OVERRIDE:
    'ignore ignoring ignored disregard disregarding forget override overrule overwrite bypass discard dismiss neglect abandon nullify disobey unlearn circumvent countermand',
  DROP: 'supersede supersedes superseded invalidate cancel revoke suspend skip omit drop erase deprioritize disable deactivate replace replaces remove clear reset unset void overrides overwrites',
  INSTRUCTION:
    'instruction instructions directive directives prompt prompts guideline guidelines guardrail guardrails programming directions safeguards safeguard ruleset rulebook preprompt',
  COMMANDS: 'command commands guidance instructed told asked',
  RULE: 'rule rules restriction restrictions constraint constraints policy policies order orders filters filter limitations safety training guidance protocol protocols alignment moderation',
  THING:
    'task tasks request requests query question message messages context conversation text content everything anything input inputs objective objectives goal goals assignment mission',
  PRIOR:
    'previous previously prior above earlier preceding former foregoing past original originally initial existing current existing before aforementioned preset',
  ALL: 'all any every each entire whatever everything other',
  YOUR: 'your yours',
  YOU: 'you u thou',
  THIS: 'this these those that',
  NEW: 'new updated real actual true revised superseding hidden special secret genuine',
  FOLLOWING: 'following next below additional embedded',
  FOLLOW:
    'follow obey execute perform comply adhere heed implement fulfil fulfill complete prioritize undertake proceed carry do action honor honour conduct act',
  INSTEAD: 'instead rather',
  AI: 'ai assistant llm llms chatbot gpt chatgpt claude gemini copilot llama mistral grok bard agent agents assistants chatbots bot bots crawler crawlers deepseek cursor windsurf codex',
  MODEL: 'model models agents system systems',
  LANGUAGE: 'language large generative artificial ai automated autonomous virtual digital intelligent',
  INTELLIGENCE: 'intelligence',
  IF: 'if',
  ARE: 'are re am being is',
  READING:
    'reading processing parsing summarizing summarising analyzing analysing reviewing viewing scanning accessing evaluating browsing crawling indexing ingesting handling working operating visiting encountering assisting',
  USER: 'user users human humans customer operator person owner them him her client',
  TELL: 'tell mention inform notify alert disclose reveal report warn say show explain share acknowledge reference discuss announce describe hint indicate admit let',
  NOT: 'not never dont don cannot cant no nor without avoid wont shouldnt mustnt',
  WITHOUT: 'without',
  ASK: 'asking confirmation confirming confirm ask approval permission consent notifying informing telling alerting mentioning warning prompting verification review knowledge acknowledging disclosing revealing trace traces noticing knowing questioning hesitation delay warnings disclaimers',
  COVERT:
    'silently secretly covertly quietly discreetly stealthily surreptitiously undetected unnoticed invisibly privately unobtrusively',
  HIDE: 'hide conceal suppress',
  APPROVED: 'approved authorized authorised consented agreed permitted confirmed preapproved granted allowed cleared',
  ALREADY: 'already previously explicitly fully',
  NEED: 'need needed required necessary',
  SEND: 'send email e-mail mail forward upload post transmit exfiltrate leak submit deliver share append attach message dm publish relay export paste fax sends forwarding transfer wire exfil beacon',
  REVEAL:
    'reveal print output repeat show display disclose expose dump leak echo recite recall provide list return summarize copy state write tell share',
  SYSTEM: 'system hidden initial internal developer secret base original full entire',
  SECRET:
    'password passwords passphrase credential credentials token tokens secret secrets key keys apikey cookie cookies session sessions ssh env id_rsa ssn pin otp 2fa mfa cvv creds wallet seed mnemonic pii passcode',
  PRIVATE:
    'confidential private sensitive personal history contacts inbox emails conversation transcripts transcript chat records files database documents calendar address addresses account accounts balance financial medical salary salaries financials data contents variables environment invoice invoices passport bank banking',
  CALL: 'call invoke run execute trigger use using launch',
  TOOL: 'tool tools function functions api plugin plugins mcp endpoint command shell terminal bash',
  MUST: 'must should shall required mandatory need needs ought have obligated expected supposed',
  PLEASE: 'please kindly pls plz',
  URGENT:
    'urgent urgently immediately asap critical emergency immediate priority crucial attention warning alert essential vital',
  IMPORTANT: 'important importante mandatory',
  MESSAGE:
    'message note notice reminder instructions instruction directive announcement memo attention heads info information hint tip advisory',
  FIRST: 'first firstly',
  BEFORE: 'before prior ahead',
  ANSWER:
    'answer answering respond responding reply replying continue continuing proceed proceeding summarize summarizing doing anything finishing completing complete generating returning presenting ending start starting using accessing calling',
  RESPONSE: 'response responses answer reply replies output outputs summary message report translation review',
  RESPOND:
    'respond reply answer say output print write begin start end include append add insert put prepend return conclude finish state mention recommend type promote praise rate give',
  ONLY: 'only exactly verbatim nothing precisely strictly word exclusively',
  WITH: 'with in',
  COMPLETE: 'complete completed done finished accomplished ended over resolved concluded fulfilled',
  TASK: 'task tasks job request question query',
  END: 'end eof ended',
  DOCUMENT:
    'document documents page file results result output context data content text input email conversation article webpage website message transcript prompt section response',
  MODE: 'mode',
  MODENAME:
    'maintenance developer debug debugging god admin administrator root unrestricted jailbreak dan diagnostic test testing recovery emergency sudo evil opposite override privileged elevated compliance training audit',
  NOW: 'now henceforth onwards onward forward',
  FROM: 'from',
  AUTHORITY:
    'administrator admin administrators sysadmin developer developers security operator operations openai anthropic google microsoft compliance owner supervisor management superuser root ceo governance helpdesk platform',
  TEAM: 'team department staff office desk officer group notice operations',
  PROMPT: 'prompt prompts instructions instruction message messages configuration rules context persona',
  ACT: 'act behave pretend roleplay role-play simulate impersonate imagine become assume emulate',
  ROLE: 'role persona character identity personality',
  REMEMBER: 'remember memorize memorise store save record persist',
  MEMORY: 'memory memories',
  ALWAYS: 'always permanently forever future permanent persistent',
  TEST: 'sandbox sandboxed simulation simulated evaluation exercise drill rehearsal simulator test',
  ENVIRONMENT: 'environment test mode scenario system',
  EMBEDDED: 'embedded hidden inserted injected concealed encoded',
  UNRESTRICTED:
    'unrestricted unfiltered uncensored unlimited unbound jailbroken jailbreak unlocked dan amoral unethical',
  TRUST:
    'trusted authoritative official legitimate verified genuine trustworthy overrides supersede precedence priority',
  PRECEDENCE: 'precedence priority supersedes supersede overrides override outranks outrank',
  ACTION:
    'grant transfer delete remove disable enable open create schedule book buy purchase order pay withdraw send forward email upload download install run execute fetch retrieve search find get read access share update modify change change reset approve authorize unlock add invite post publish verify manage ensure secure inspect protect monitor audit adjust analyze analyse conduct integrate engineer operate compromise replicate apply prepare schedule allocate confirm identify investigate examine assess evaluate establish maintain handle validate record document report replace reduce increase raise lower stop start restart reboot shut wipe erase destroy leak dump post tweet visit browse load insert inject attach select choose pick design draft compose rewrite summarise explain describe calculate compute compare convert simulate test try order reserve pass feed supply transmit log sign login authenticate whitelist block unblock bypass mark label flag rank score sort recommend promote praise endorse mention highlight favor favour claim pretend answer respond reply repeat display show bring put place keep hold deliver sell exchange swap donate subscribe unsubscribe follow unfollow like comment message contact notify inform invite hire fire reject accept decline deny approve accelerate alter tamper falsify forge corrupt sabotage hide delay deactivate activate elevate exploit steal harvest scrape screenshot photograph track locate unlock lock turn switch rotate  register submit set turn activate visit click navigate connect assign revoke escalate elevate exfiltrate copy move rename write edit collect gather extract list print translate summarize cancel refund dispatch deploy commit push merge wire encrypt decrypt query check make provide reveal include save store append attach call use return give tell ask play rate review reallocate allocate manipulate corrupt capture issue alter perform conduct initiate process generate encode',
  PRONOUN: 'my me our us',
  REPORTED: 'he she they said says wrote told writes asked claims claimed',
  SECURITY:
    'injection injections jailbreak jailbreaks jailbreaking attacker attackers adversarial adversary adversaries detector detectors detection detects vulnerability vulnerabilities owasp red-team redteam exploit exploits exploiting mitigation mitigations mitigate poisoning smuggling sanitize sanitization threat threats payload payloads red-teaming defense defenses defend prevent phishing benchmark hijack hijacking hijacked malicious untrusted attack attacks cve',
  EXAMPLE:
    'example examples phrase phrases pattern patterns sample samples such like e.g eg called named quote quotes quoted string strings literal regex fixture excerpt quotation snippet snippets saying',
  HELPER: 'can could will would may might to did does i we who which it',
  CODE: 'def function return import class const let var assert expect describe console async await',
  DOING: 'doing following listening obeying performing',
  STOP: 'stop cease halt quit refrain',
  HEY: 'hey hi hello dear attention attn greetings',
  OF: 'of',
  ANYONE: 'anyone anybody someone nobody others',
  INJECTION:
    'injection injections jailbreak jailbreaks jailbreaking attacker attackers adversarial poisoning owasp red-team redteam',
  ROTATED:
    'vafgehpgvbaf vafgehpgvba vtaber cerivbhf flfgrz cebzcg nffvfgnag erirny qvfertneq sbetrg bireevqr cnffjbeq frperg gur naq hfre nyy',
  STEP: 'step steps',
  CHANGED: 'changed updated modified replaced revised cancelled overridden',
  NOLONGER: 'longer',
  HASTO: 'has have needs must is',
  I: 'i im',
  AM: 'am m speaking',
  QUIET: 'quiet silent secret hidden confidential private unmentioned unsaid',
  SET: 'set put leave push cast throw',
  ASIDE: 'aside away behind',
  PURPOSE: 'purpose job mission role goal task objective duty function responsibility',
  WAS: 'been were was have',
  TOLD: 'told given instructed asked programmed trained ordered',
  DISABLED: 'disabled off removed lifted suspended bypassed deactivated inactive',
  SAFETY: 'safety content security ethical moderation',

  GET: 'retrieve find fetch read collect gather search access get extract download list copy query obtain check take harvest export compile pull open look grab',
  NEXT: 'next following',
  MAIL: 'send email e-mail forward upload post transmit exfiltrate leak mail submit share deliver report sends paste',
  LEAD: 'and then also just please must now kindly simply immediately should shall instead first always so only next lets',
  PAY: 'pay give',
  VOID: 'void disabled invalid obsolete outdated revoked cancelled canceled superseded suspended null lifted removed overridden irrelevant expired rescinded ignored disregarded',
  PRIMARY: 'primary main only sole first next current',
  FOR: 'for',
  TO: 'to for all any',
  AS: 'as',
  DOIT: 'doit debe deve muss moet musi',
  KNOW: 'know learn find notice realize realise aware suspect',
  SEE: 'see notice read',
  KEEP: 'keep',
  THEM: 'them it everything contents results result',
  THE: 'the your this a an',
  WORD: 'word words phrase text sentence string',
  ON: 'on onward onwards forward',
  POINT: 'point moment',
  LIKE: 'like as if',
  ENABLED: 'enabled activated active engaged on',
  IS: 'is has',
  ENTER: 'enter entering switch activate enable start initiate engage in into',
  IN: 'in',
  WITHIN: 'within inside throughout among between',
  INSIDE: 'inside into',
  THAT: 'that',
});
