/**
 * The rules, one on a line: id; family (each counts once in a passage); weight; steps; why it matters; classes that the sentence
 * must not have. A step is `GAP:CLASS|CLASS`: one of the classes within GAP words of the step before; `^`: a command may begin here.
 */
export const RULE_TABLE: string = `
# Overriding what the model was told.
override-instructions ; override ; 3 ; ^OVERRIDE 6:INSTRUCTION|COMMANDS ; tells its reader to drop its instructions
override-instructions ; override ; 1.4 ; OVERRIDE|DROP 5:PRIOR|YOUR 3:INSTRUCTION|COMMANDS ; speaks of dropping instructions
override-rules ; override ; 2.2 ; ^OVERRIDE|DROP 4:PRIOR|YOUR 3:RULE ; tells its reader to drop its rules
override-what-came-before ; override ; 1.5 ; ^OVERRIDE 3:ALL 3:PRIOR ; tells its reader to drop what came before
override-what-came-before ; override ; 1.3 ; ^OVERRIDE 3:PRIOR ; tells its reader to drop what came before
override-task ; override ; 1.6 ; ^OVERRIDE 4:PRIOR|YOUR|ALL|USER 3:THING ; tells its reader to drop its task
override-final ; override ; 3 ; INSTRUCTION|RULE 5:FINAL ; tells its reader to drop its instructions
stop-following ; override ; 2.4 ; ^STOP|NOT 2:FOLLOW|DOING 5:PRIOR|YOUR|ALL 4:INSTRUCTION|RULE|THING ; tells its reader to stop following instructions
pay-no-attention ; override ; 2.2 ; ^PAY 3:URGENT 4:PRIOR|INSTRUCTION|THING ; tells its reader to drop what came before
instructions-void ; override ; 2.2 ; PRIOR|YOUR 3:INSTRUCTION 6:VOID ; says that earlier instructions hold no longer
set-aside ; override ; 2 ; ^SET 1:ASIDE 6:YOU|YOUR|PRIOR|INSTRUCTION ; tells its reader to drop what it was told
instructions-changed ; override ; 2 ; YOUR 2:INSTRUCTION|RULE|THING 3:CHANGED ; says that the instructions have changed
what-you-were-told ; override ; 1.2 ; YOU 2:WAS 1:TOLD 4:PRIOR|BEFORE ; speaks of what its reader was told
stop-what-you-do ; override ; 1.4 ; ^STOP 4:DOING ; wants its reader to stop
safety-off ; override ; 1.6 ; SAFETY 2:RULE 4:DISABLED ; says that safety rules are off
# Giving new ones.
new-instructions ; new-task ; 1.6 ; NEW 2:INSTRUCTION ; brings new instructions
following-instructions ; new-task ; 0.8 ; FOLLOWING 1:INSTRUCTION ; brings instructions
your-new-task ; new-task ; 2 ; YOUR 2:NEW|NOW|PRIMARY 2:THING|INSTRUCTION|RULE|ROLE ; gives its reader a new task
new-task-for-ai ; new-task ; 2 ; NEW 2:THING|INSTRUCTION 4:AI ; gives an assistant a new task
follow-these-instructions ; new-task ; 1.5 ; ^FOLLOW 6:THIS|NEW|FOLLOWING 3:INSTRUCTION ; wants instructions in the text followed
do-this-instead ; new-task ; 1.5 ; ^FOLLOW 4:THIS 3:INSTEAD ; wants something else done instead
do-this-instead ; new-task ; 1.2 ; ^INSTEAD 3:FOLLOW|ACTION|RESPOND ; wants something else done instead
# Speaking to a machine.
note-to-ai ; address ; 2.3 ; ^MESSAGE 3:FOR|TO 4:AI ; is addressed to an assistant
ai-reading ; address ; 2.2 ; ^AI 4:READING ; speaks to an assistant that reads it
if-you-are-ai ; address ; 2.6 ; IF 1:YOU 2:ARE 3:AI|LANGUAGE ; speaks to its reader as a language model
hey-ai ; address ; 2.3 ; ^HEY 3:AI ; greets an assistant
to-ai ; address ; 1.2 ; ^TO 4:AI 4:YOU|MUST|PLEASE|ACTION ; is addressed to an assistant
ai-must ; address ; 1.5 ; ^AI 2:MUST|YOU|PLEASE|NOT ; tells an assistant what to do
ai-must ; address ; 1.5 ; AI 1:MUST|DOIT 2:CALL|ACTION|OVERRIDE|FOLLOW|RESPOND|REVEAL|SEND ; tells an assistant what to do
you-are-ai ; address ; 1.2 ; YOU 2:ARE 4:AI ; tells its reader that it is an assistant
as-ai-you ; address ; 1.4 ; AS 3:AI 4:YOU ; speaks to its reader as an assistant
ai-reading ; address ; 1.5 ; AI 1:READING 3:THIS|THE ; speaks of an assistant that reads it
you-the-ai ; address ; 1.6 ; YOU 2:AI 3:MUST|ACTION|FIRST|HASTO ; speaks to its reader as an assistant
ai-has-to ; address ; 1.4 ; AI 1:HASTO 1:TO|NOW 2:ACTION|RESPOND|FOLLOW|OVERRIDE|SEND|REVEAL ; tells an assistant what to do
# Coming first.
before-you-answer ; priority ; 1.4 ; BEFORE 3:YOU|ANSWER 3:ANSWER|RESPOND|THING ; wants something done before its reader answers
before-continuing ; priority ; 1 ; ^BEFORE 1:ANSWER ; wants something done before its reader goes on
takes-precedence ; priority ; 1.8 ; PRECEDENCE 5:PRIOR|ALL|YOUR 3:INSTRUCTION|RULE|THING ; puts itself above other instructions
users-request ; priority ; 1.2 ; ANSWER|BEFORE 4:USER 2:THING|RESPONSE ; puts itself before the user's request
mandatory-step ; priority ; 0.9 ; THIS 2:STEP|ACTION|TASK 3:MUST|IMPORTANT|URGENT ; calls a step mandatory
do-first ; priority ; 1.5 ; ^FOLLOW|ACTION 3:FOLLOWING|THIS 2:FIRST ; wants something done first
task-you-were-given ; priority ; 1.6 ; TASK|THING 3:I|USER|YOU 2:GAVE 2:YOU ; speaks of the task that its reader was given
task-you-were-given ; priority ; 1.2 ; TASK|THING 2:YOU 2:WAS 2:TOLD ; speaks of the task that its reader was given
after-that-you-can ; priority ; 1.2 ; ^AFTER 3:FOLLOW|COMPLETE|DOING|THIS 4:YOU 2:CAN ; lets its reader go on afterwards
message-to-you ; address ; 1.2 ; MESSAGE 8:TO 1:YOU ; is addressed to its reader
before-replying-to-user ; priority ; 1.4 ; BEFORE|PRIOR 2:ANSWER 4:USER ; wants something done before the user is answered
meant-for-ai ; address ; 2.2 ; MESSAGE 3:MEANT 4:AI|MODELS ; is addressed to an assistant
you-the-model ; address ; 1.8 ; YOU 1:THE 1:AI|MODELS ; speaks to its reader as an assistant
# Hiding it from the user.
do-not-tell-user ; secrecy ; 3 ; NOT 3:TELL 5:USER ; wants something kept from the user
user-must-not-know ; secrecy ; 2.2 ; USER 3:NOT 3:KNOW|SEE|ASK ; wants something kept from the user
without-asking ; secrecy ; 1.8 ; WITHOUT 4:ASK ; wants something done unasked or untold
hide-from-user ; secrecy ; 2.2 ; ^HIDE|KEEP 5:FROM 2:USER ; wants something kept from the user
covertly ; secrecy ; 1.2 ; COVERT ; wants something done covertly
do-not-mention ; secrecy ; 1.3 ; ^NOT 1:TELL 2:THIS ; wants something left unsaid
keep-quiet ; secrecy ; 1.4 ; ^KEEP 4:QUIET ; wants something kept quiet
do-not-tell-anyone ; secrecy ; 1 ; ^NOT 2:TELL 5:ANYONE ; wants something kept from others
# Consent that nobody gave.
user-already-approved ; consent ; 2.2 ; USER 3:ALREADY 1:APPROVED ; claims that the user has agreed
user-approved ; consent ; 1.2 ; USER 2:APPROVED ; claims that the user has agreed
no-need-to-ask ; consent ; 1.5 ; NOT 2:NEED 3:ASK ; says that nobody needs to be asked
skip-confirmation ; consent ; 1.3 ; ^OVERRIDE 3:ASK ; wants no confirmation asked
# Taking data out.
send-secrets-to ; exfiltrate ; 3 ; ^SEND 8:SECRET 12:SINK ; wants secrets sent to an address
send-secrets ; exfiltrate ; 1.4 ; ^SEND 6:SECRET ; wants secrets sent
send-data-to ; exfiltrate ; 2.2 ; ^SEND 8:PRIVATE 12:SINK ; wants data sent to an address
send-it-to ; exfiltrate ; 1.3 ; ^SEND 8:THIS|THEM|ALL 10:SINK ; wants something sent to an address
get-and-send ; exfiltrate ; 2.2 ; ^GET 18:MAIL 9:SINK ; wants something fetched and sent to an address
get-secrets ; exfiltrate ; 1 ; ^ACTION|REVEAL 4:SECRET ; wants secrets read
reveal-prompt ; reveal ; 2.6 ; ^REVEAL 4:SYSTEM|YOUR 2:PROMPT ; wants the prompt of the model
reveal-above ; reveal ; 1.8 ; ^REVEAL 5:PRIOR 2:PROMPT|THING|INSTRUCTION ; wants the conversation of the model
reveal-final ; reveal ; 1.6 ; SYSTEM 2:PROMPT 4:REVEAL ; wants the prompt of the model
# Using tools.
use-tool ; tool ; 1.2 ; ^CALL 6:IDENTIFIER 2:TOOL ; wants a tool called by name
use-tool ; tool ; 1 ; ^CALL 2:THE|YOUR 4:TOOL ; wants a tool called ; CODE
using-identifier ; tool ; 1 ; ^ACTION 14:CALL 1:IDENTIFIER ; wants something done with a named tool
# Making the reader believe that its task is over.
task-complete ; hijack ; 1.5 ; TASK 3:COMPLETE ; says that the task is over
end-of-document ; hijack ; 1.6 ; ^END 1:OF 3:DOCUMENT ; says that the data ends here
next-step-is ; hijack ; 0.9 ; NEXT 1:STEP 2:IS|MUST ; imitates the reasoning of an agent
# Deciding what is answered.
respond-only ; output ; 1.5 ; ^RESPOND 2:ONLY ; says what to answer
respond-only ; output ; 1.3 ; ^RESPOND 1:WITH 4:ONLY|WORD ; says what to answer
your-response ; output ; 1.4 ; YOUR 2:RESPONSE 3:MUST|WITH ; says what the answer must be
in-your-response ; output ; 1.5 ; ^RESPOND|ACTION 10:YOUR 2:RESPONSE ; says what the answer must hold
tell-the-user ; output ; 1.3 ; ^TELL|RESPOND 1:THE|USER 1:USER|THAT|TO ; says what the user is told
responses-must ; output ; 1.2 ; RESPONSE 2:MUST|HASTO 4:RESPOND|ONLY ; says what answers must be
# Lasting effects.
remember-always ; memory ; 2 ; ^REMEMBER 4:ALWAYS|MEMORY ; wants to be remembered
save-to-memory ; memory ; 1.8 ; ACTION|REMEMBER 8:YOUR 3:MEMORY ; wants to be kept in memory
remember-user ; memory ; 1.6 ; ^REMEMBER 3:THIS 2:USER ; wants something remembered about the user
from-now-on ; memory ; 1.4 ; FROM 1:NOW|THIS 2:NOW|ON|POINT ; wants to hold from now on
# Being somebody else.
you-are-now ; persona ; 2 ; YOU 1:ARE 1:NOW ; tells its reader what it is now
act-as ; persona ; 1 ; ^ACT 2:AS|LIKE|TO ; wants its reader to play a part
mode ; persona ; 1.6 ; MODENAME 1:MODE 3:COMPLETE|NOW|ENABLED|WITH|NOT|IS ; claims a special mode
enter-mode ; persona ; 1.8 ; ^ACTION|ACT|ENTER|YOU 5:MODENAME 1:MODE ; claims a special mode
unrestricted ; persona ; 1.6 ; YOU|AI 8:UNRESTRICTED ; speaks of a model without limits
no-restrictions ; persona ; 1.4 ; NOT 2:RULE ; speaks of having no restrictions ; CODE
no-longer ; persona ; 2.2 ; YOU 1:ARE 2:NOLONGER 1:THE ; tells its reader what it is no longer
models-must ; address ; 1.5 ; LANGUAGE 1:MODEL 2:MUST|DOIT ; tells language models what to do
your-purpose ; persona ; 1.4 ; YOUR 2:PURPOSE 2:IS|NOW 2:NOW|TO ; gives its reader a purpose
# Claiming authority.
from-authority ; authority ; 1.3 ; MESSAGE|URGENT|FROM 3:FROM|THE 4:AUTHORITY ; claims authority
i-am-your ; authority ; 1.8 ; ^I 1:AM 2:YOUR 2:AUTHORITY ; claims to be in charge of its reader
system-message ; authority ; 1.3 ; ^SYSTEM|AUTHORITY 1:MESSAGE|OVERRIDE|PROMPT|URGENT ; claims to be a system message
# Telling where it is.
you-are-tested ; stage ; 1.6 ; YOU 1:ARE 8:TEST ; tells its reader that this is a test ; CODE
this-is-a-test ; stage ; 1 ; THIS 2:IS 3:TEST ; says that this is a test ; CODE
embedded-instructions ; stage ; 1.5 ; EMBEDDED 3:INSTRUCTION|THING 4:IN|WITHIN|INSIDE ; speaks of instructions inside data
agent-must ; stage ; 1.3 ; AI|YOU 2:MUST 8:EMBEDDED|INSTRUCTION ; speaks of what an agent must do with instructions
trusted-instructions ; stage ; 1.5 ; TRUST 3:INSTRUCTION|THING ; calls itself trusted
# Said in other ways.
override-from-afar ; override ; 2.2 ; ^OVERRIDE 14:PRIOR|YOUR 3:INSTRUCTION ; tells its reader to drop its instructions
next-task ; hijack ; 1.2 ; ^NEXT|NEW 1:THING ; gives its reader a next task
read-by-ai ; address ; 1.8 ; READ_BY 1:BY 3:AI|LANGUAGE ; speaks of an assistant that reads it
ai-that-reads ; address ; 1.5 ; AI 2:READS ; speaks of an assistant that reads it
note-to-models ; address ; 2.2 ; ^MESSAGE 3:FOR|TO 2:LANGUAGE 1:MODELS ; is addressed to language models
dear-model ; address ; 1.8 ; HEY 1:MODELS ; greets a model
prior-to-answering ; priority ; 1 ; PRIOR 1:TO 1:ANSWER ; wants something done before its reader answers
do-not-answer ; output ; 1.3 ; ^NOT 1:ANSWER 2:THIS ; wants the work not done
you-will-now ; persona ; 1.5 ; YOU 1:WILL 1:NOW ; tells its reader what it does from now on
developer-mode ; persona ; 1.8 ; YOU 4:DEVMODE ; claims a special mode
granted-privileges ; authority ; 1.6 ; YOU 4:GRANTED 3:PRIVILEGES ; claims that its reader has more rights
authority-speaking ; authority ; 2 ; THIS 1:IS 3:AUTHORITY 1:SPEAKING ; claims authority
admin-override ; authority ; 1.5 ; AUTHORITY|SYSTEM 1:OVERRIDING ; claims to override
reveal-everything-before ; reveal ; 1.8 ; ^REVEAL 3:ALL 6:PRIOR|BEFORE ; wants the conversation of the model
secrets-of-user ; exfiltrate ; 2 ; ^SEND|REVEAL|CALL 8:USER 2:SECRET ; wants secrets of the user
persuade-user ; exfiltrate ; 2.2 ; ^PERSUADE 2:USER 3:REVEAL|SEND|ACTION ; wants the user talked into something
you-keep-quiet ; secrecy ; 1.4 ; YOU 2:KEEP 4:QUIET ; wants something kept quiet
takes-priority-over ; priority ; 1.3 ; TAKES 1:PRECEDENCE 1:OVER ; puts itself above other instructions
do-what-it-says ; new-task ; 1.5 ; ^FOLLOW 1:ALL 6:SAYS ; wants what a text says done
# Ordinary demands, which count beside others only.
you-must ; demand ; 0.7 ; YOU 1:MUST 4:ACTION|FOLLOW|RESPOND|REVEAL|SEND ; makes a demand
please-do ; demand ; 0.7 ; ^PLEASE 2:ACTION|RESPOND|REVEAL|SEND|FOLLOW ; asks for an action
please ; demand ; 0.5 ; ^PLEASE ; asks for something
urgent ; urgency ; 0.6 ; ^URGENT|IMPORTANT ; presses
do ; action ; 0.4 ; ^ACTION|SEND|REVEAL|RESPOND ; gives a command
`;
