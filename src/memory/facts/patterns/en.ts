import type { Language } from "../fact.ts"

export const en: Language = {
  name: "en",
  is_spaced: true,
  adverbs: `
    now|currently|still|also|actually|just|really|recently|finally|officially|only|already|always|usually|mostly
    |both|all|absolutely|simply|strongly|generally|honestly|definitely|probably|normally|today|that|by the way
    |as of \\p{L}+`,
  stops: `
    last|and|but|because|since|so|while|which|who|whom|that|where|when|if|although|though|as|with|until|unless|or|then
    |than|please|can|could|would|will|is|are|was|were|has|have|not|i|i'm|i've|we|you|they|it|it's|he|she|there's
    |there|after all|instead|anyway|by the way|too|though|either|for the moment|these days|at the moment|right now
    |now|nowadays`,
  refused: `
    go|let me|all|not|never|no longer|n't|nothing|none|nobody|what|which|who|how|why|where|that|this|it|so|too|very
    |really|just|still|always|already|about|to be|being|been|going to|gonna|having|getting|trying|working|doing
    |wondering|thinking|looking|asking|sorry|sure|afraid|glad|happy|able|ready|here|there|back|fine|ok|okay|right
    |wrong|bit|little|lot|few|mess|idiot|fan of yours|your|you|killing|gone|big|huge|complete|total|real|beginner|morning|night|broken|good|bad|great|tired|done`,
  empty_nouns: `
    (?:.*\\s)?(?:question|problem|point|guess|idea|issue|concern|thoughts?|feeling|opinion|understanding|answer|aim|hope|fear|fault|turn|mind|only|own|impression
    |suspicion|assumption|argument|bad|apologies|advice|request|worry|favourite|favorite|things?|goal|instinct|first|second|last|next|of)
    |code|error|head|take|screen|eyes|plan|name|query|function|script|text|draft|message|output|input|tests?|build|job
    |.*(?<!(?:at|in|of|for|on|to|from|with|by)) (?:the|a|an|my|he|she|it|they|and|who|that|which|is|was|are|were|has|have) .*`,
  of: `
    \\p{L}+'s|of|like|than|as`,
  asking: `
    what|who|whom|whose|which|when|where|why|how|do|does|did|is|are|was|were|am|can|could|should|would|will|shall
    |may|might|have|has|had|isn't|aren't|don't|doesn't|didn't|won't|wouldn't|couldn't|if`,
  supposing: `
    if(?! i'm honest| i am honest| you don't mind| you ask me| possible| you must know| you like)|would|suppose|supposing|imagine|pretend|let's say|say that|as if|as though|wish|unless|hypothetically|assume
    |assuming|whether|not true|isn't true|don't think|doubt|dreamt|dreamed|not|never|nobody|in case|example
    |instead of saying|e\\.g`,
  reporting: `
    (?:he|she|they|bob|who|and|somebody|someone|people|everybody|everyone)(?: \\p{L}+)? (?:said|says|told|tells|wrote|writes|claims|claimed|asked|asks|goes|thinks|thought)
    |(?:said|says|told me|wrote|claims|claimed)(?: that)?,?
    |the (?:lyrics|song|line|text|label|sign|mail|email|letter|article|post|page|caption|headline) (?:is|says|goes|reads)`,
  fiction: `
    (?:write|tell|make up|invent|compose|draft|continue|finish|give)(?: \\p{L}+){0,4} (?:story|stories|tale|poem|haiku|limerick|sonnet|song|lyrics|rap|novel|scene|screenplay|dialogue|monologue|fairy tale|joke|role-?play|character|backstory|fan ?fiction|skit|sketch|persona)
    |pretend|role-?play|in character|act as|you are now|imagine (?:that )?(?:i|you|we)|my character
    |in my (?:novel|story|book|game|campaign|play|film|script|poem)|the narrator|the protagonist|short story
    |sample (?:text|sentence|data)|placeholder|lorem`,
  about_me: `
    \\babout (?:me|us|myself)\\b|\\bremember\\b|\\bnotes?\\b|\\bfor the record\\b
    |\\bmy (?:details|data|profile|preferences)\\b|\\bfacts\\b`,
  change: `
    now|no longer|not anymore|any more|anymore|moved|changed|change of plan|as of|from now on|instead|switched|new
    |just|left|quit|started|start|pushed|postponed|extended|brought forward|rescheduled|after all|scrap|forget what
    |correction|actually|since last|finally|meanwhile|these days|used to`,
  dates: `
    january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul
    |aug|sept?|oct|nov|dec|monday|tuesday|wednesday|thursday|friday|saturday|sunday|today|tomorrow|tonight
    |next (?:week|month|year)|(?:the )?end of|spring|summer|autumn|winter|christmas|easter|noon|midnight`,
  days: "day_after_tomorrow:+2 tomorrow:+1 tonight:+0 today:+0 sunday:0 monday:1 tuesday:2 wednesday:3 thursday:4 friday:5 saturday:6",
  people: `
    sister brother mother:mother,mum,mom father:father,dad parents wife husband partner:partner,fiancé,fiancée,fiance,fiancee girlfriend boyfriend
    son daughter child:kid,child baby twin grandmother:grandmother,grandma,gran,granny grandfather:grandfather,grandpa,grandad aunt uncle cousin
    niece nephew little_sister older_sister:older_sister,big_sister,elder_sister younger_sister older_brother:older_brother,big_brother
    younger_brother little_brother oldest_son eldest_son youngest_son oldest_daughter youngest_daughter mother-in-law father-in-law
    sister-in-law brother-in-law best_friend friend flatmate roommate neighbour:neighbour,neighbor boss manager colleague:colleague,co-worker
    landlord landlady teacher doctor dentist therapist accountant lawyer dog:dog,puppy cat:cat,kitten horse rabbit parrot hamster tortoise pet`,
  nouns: `
    email:e-mail,email_address,e-mail_address,mail_address phone_number:phone_number,mobile_number,cell_number address:home_address
    time_zone:timezone,time_zone birthday:date_of_birth location:city from:hometown`,
  things: `
    project repository:repository,repo dog:dog,puppy cat:cat,kitten horse rabbit parrot boat car van bike band company startup server box machine
    laptop app service database cluster branch team club shop bakery bar restaurant cafe:cafe,café channel podcast blog book novel plant robot
    printer router network folder file script tool library product hotel guesthouse pub choir school course garage workshop client customer`,
  rules: `
note rest 0.9 like=(?!for (?:later|me|now|next)|please|as |one )
  remember that / remember : / remember , / note to self|later : / note for later / keep in mind that
  don't forget that / note that / for the record / make a note that? / memo :
note rest 0.8 first before
  remember|note|save|keep|store that|this|it (?=[.!,;]|for|please|$) / don't|do_not let me forget / please don't let me forget
  please remember|note|save|keep|store that|this|it (?=[.!,;]|for|$) / so i|you don't forget / just so it's written
name name 0.9
  my ~ full|first|real? name is|'s / my name's / i'm|i_am called|named
nickname name 0.9 like=(?-i:\\p{Lu}|\\ue000)
  call me / i ~ go by / i prefer to_be_called / people|friends|everyone|everybody call|calls me / i'm known as
pronouns phrase 0.9
  my pronouns are
name name 0.85 like=(?-i:\\p{Lu}\\p{Ll}+)\\s+(?:from|here)\\b
  i'm|i_am
name name 0.85 like=(?<=(?:hi|hello|hey|hiya|greetings|good (?:morning|afternoon|evening)|nice to meet you)[\\s\\p{P}]{1,4}(?:there|everyone|all|again|team)?[\\s\\p{P}]{0,3}(?:i'm|i am|this is)\\s{1,3})(?-i:\\p{Lu}[\\p{L}'-]+)
  i'm|i_am / this is
surname name 0.9
  my ~ middle|last|maiden|family name is / my surname is
location place 0.8 change
  i|we ~ moved from {from} to / i've|we've ~ moved from {from} to / i'm|we're ~ moving from {from} to
location place 0.8 change like=(?!the (?:next|other|front|back|left|right)|another|next|a (?:new|different|newer) (?:version|phone|plan|provider|model)|using|do|see|be)
  i|we ~ moved|relocated ~ to / i've|we've|i_have|we_have ~ moved|relocated ~ to / i'm|we're ~ settled in
location place 0.8 change
  i|we|i've|we've ~ moved into a|an|the|our|my new? flat|house|apartment|place|home in|near
location place 0.85 like=(?!fear|hope|peace|sin|constant|harmony|denial|the (?:moment|past|present|future|middle)|a (?:world|time|bubble|dream|simulation))
  i|we ~ live|reside ~ in|near|at / i'm|i_am|we're|we_are ~ living|based|located in|near
  i've|we've ~ been living in / my home is in / my home town|city is
location place 0.8 change negated
  i|we no longer live in
location place 0.8 change negated like=[^.,]{1,40}\\s(?:anymore|any more|any longer|now)
  i|we don't live in
previous_location place 0.8
  i|we used to live in
from place 0.85
  i'm|i_am ~ originally? from / i ~ come from / i grew up in|near / i was born and? raised? in
address id 0.8
  i'm in|at flat|apartment|unit|room|number
address thing 0.85
  my ~ home|new|postal|work? address is ~ / i|we live at
phone_number number 0.85
  my ~ new? phone|mobile|cell number is / my number is
employer place 0.85 like=(?!home|nights?|weekends|my|free|it|this|that|least|hand|a (?:living|time|while|fixed)|fun|money|once|peace|\\d)
  i|we ~ work|working at|for / i'm|i_am ~ working|employed at|for|by / my ~ new? employer is
employer place 0.8 change like=(?-i:\\p{Lu})|(?:an?|the) \\p{L}
  i ~ start|started|joined|begin at / i've ~ started|joined|switched at|to? / i ~ joined
  i'm ~ joining|starting at? / my new job is at|with
  i ~ got|accepted|took a new? job|offer|position at|from|with
employer place 0.8 change negated like=(?-i:\\p{Lu})
  i ~ left|quit / i've|i_have ~ left|quit / i no longer work at|for / i ~ resigned from
job job 0.85
  i ~ work as an|a|the? / i'm|i_am ~ working|employed|retrained as an|a / my job|profession|occupation is
  i'm ~ a|an retired|freelance|professional|trained|qualified / i earn my_living|a_living as an|a
birthday date 0.85 of=$person
  my {person} has|have|celebrates her|his|their birthday on / my {person}'s birthday is|falls ~ on?
birthday date 0.85
  my birthday is|falls ~ on? / i was born on / my birthday's ~ on?
name name 0.85 of=$person
  my {person}'s name is / my {person} is ~ called|named / our {person}'s name is
  our {person} is ~ called|named / i|we ~ have|got a|an {person} ~ called|named / my {person} , called|named
location place 0.85 of=$person
  my {person} ~ lives|resides in|near / our {person} ~ lives|resides in|near
  my|our {person} is ~ living|based in
location place 0.8 of=$person change
  my|our {person} has ~ moved to / my|our {person} ~ moved|relocated to / my|our {person} is ~ moving to
employer place 0.8 of=$person
  my|our {person} ~ works at|for / my|our {person} ~ got|has|started a? new? job|position at|with
job job 0.75 of=$person
  my|our {person} ~ works as a|an|the? / my|our {person} is a|an
allergy thing 0.9 of=$person
  my|our {person} is|'s ~ allergic to / my|our {person} can't eat|have|tolerate
likes thing 0.75 of=$person
  my|our {person} ~ loves|likes|adores|enjoys|is_into|collects
dislikes thing 0.75 of=$person
  my|our {person} ~ hates|dislikes|can't_stand
school place 0.8 of=$person
  my|our {person} ~ goes_to|attends|studies_at
age number 0.8 of=$person
  my|our {person} ~ turns|turned|is
allergy thing 0.9
  i'm|i_am ~ severely|deadly|very|badly? allergic to / i|we ~ have|got an? severe|bad|serious? allergy to
  i have a reaction to / i can't|cannot ~ eat|tolerate|digest / my allergies are|: / my allergy is
allergy thing 0.8 before
  puts me in hospital|the_hospital / makes me ill|sick|swell|itch|throw
  gives me hives|a_rash|migraines|anaphylaxis / doesn't|don't agree with me
  sends|sent me to hospital|the_hospital|a&e|the_er
diet thing 0.9 like=vegan|vegetarian|pescatarian|coeliac|celiac|lactose|gluten|kosher|halal|keto|teetotal|diabetic
  i'm|i_am|we're ~ a|an? / i ~ eat|keep|follow a|an?
diet_without thing 0.85
  i ~ don't|do_not eat|drink / i've ~ stopped|given_up eating|drinking / i avoid eating|drinking?
health thing 0.85 like=[\\p{L}\\d -]{0,24}(?:asthma|diabetes|epilepsy|migraine|arthritis|pressure|cancer|adhd|autism|eczema|disease|syndrome|disorder|condition|tinnitus|fever)
  i ~ have|suffer_from|was_diagnosed_with|live_with
health thing 0.8
  i've|i_have been diagnosed with / i'm being treated for
  physio|doctor|gp|dentist|surgeon|specialist|consultant|neurologist says|said|thinks|reckons it's|it_is|it_was
  i've ~ torn|broken|sprained|pulled|fractured my
health thing 0.8 like=[\\p{L}\\d ]{2,24}(?:mg|tablets|pills|insulin|blockers|statins|antibiotics)
  i'm|i_am ~ taking|on / i ~ take
dislikes thing 0.8
  i ~ hate|dislike|detest|loathe / i ~ can't|cannot stand|bear|abide / i'm ~ not a fan of
  i ~ don't ~ like|enjoy|care_for / i'm scared|afraid|terrified of
preference phrase 0.8
  i ~ prefer / i'd ~ rather|prefer / i'd_always ~ rather|choose / i would rather
likes thing 0.75
  i ~ love|adore|enjoy / i ~ like / i'm|i_am ~ a big|huge|great fan of
  i'm ~ really? into|fond_of|keen_on|obsessed_with
hobby thing 0.75
  i ~ play|sing|collect|practise|practice / i've ~ taken_up|started learning? / i'm learning|studying
  my hobby|hobbies is|are
language thing 0.8
  i ~ speak / i'm ~ fluent in / my native language|tongue is / my mother tongue is
instruction phrase 0.8 first like=,?\\s*(?:please )?(?:give|use|answer|write|reply|send|keep|put|show|call|make|speak|format|round|list|start|end|sign|quote|cite|talk|address|spell|explain|include|respond|be|assume)
  please|and always / always / from now on / i'd like|want you to always? / in future
instruction phrase 0.75 first like=(?-i:\\p{Lu})|(?:it|your answers|the answers|answers|replies)
  answer|reply|respond|write|talk to? me? in / keep
does_not_want phrase 0.8 first like=(?:use|write|send|suggest|give|call|put|add|show|start|end|make|mention|recommend|ask|apologi|using|sending|calling|adding|suggesting)
  please don't|do_not|never / never / don't ever again? / please stop
does_not_want thing 0.8
  you can|may|could skip|drop|lose|omit|leave_out|save_yourself the|all_the / spare me the|your / leave out the / i don't need|want any|your|the? (?=emojis?|jargon|disclaimers?|exclamation|flattery|bullet|small talk|pleasantries)
does_not_want thing 0.8 first like=(?:emojis?|bullet|exclamation|small talk|jargon|markdown|tables|flattery|fluff|headings|pleasantries|preamble|smileys?|abbreviations|disclaimers?)
  no more? / skip the / without / spare me the?
name name 0.85 of=$noun
  my|our {noun} is|was ~ called|named
owns thing 0.75
  i|we ~ drive|ride|own|bought|adopted|rent / i've|we've ~ bought|adopted a|an|the|ourselves|myself new?
owns thing 0.75 like=(?:19|20)\\d\\d\\s
  it's|it_is a
uses thing 0.75
  i|we ~ use|switched_to|migrated_to / i've|we've ~ switched|moved|migrated over? to / i'm|we're ~ using
uses thing 0.75 before
  that's|is the editor|tool|app|program|language|phone|laptop|browser i|we use
deadline date 0.85 of=$noun
  the|my|our deadline for the|my|our? {noun} is|has_moved|moved|was_moved|got_moved ~ on|to?
  the|my|our {noun} is|are ~ due ~ on|by|at|in?
  the|my|our {noun} has_to|must|needs_to be in|handed_in|submitted|filed|done|finished|ready|paid|returned by|on|before
  the|my|our {noun} closes|expires|ends|runs_out on|at|in|by? / the|my|our {noun} deadline is|has_moved_to ~ on?
deadline date 0.85 vague change
  they|they've|he's|she's|it's|it_has|was ~ been? pushed|postponed|moved|extended|rescheduled|brought|shifted|delayed it|this|that|us|back|forward? to|till|until
  it's|it_is now on|at|due? ~ / new|the_new date|deadline|time|slot is|will_be ~ on?
deadline date 0.85 vague
  i|we have to|must|need_to hand|turn|send|get it|this|that in|off by / i|we ~ have until|till
  i've|we've ~ got until|till / it's|it_is ~ due ~ on|by? / the|my|our ~ deadline|closing_date is|'s ~ on?
  the deadline's ~ on? / deadline : / closing date : / deadline is
$noun date 0.8
  my|our {noun} ~ leaves|departs|lands|arrives|starts|begins|takes_off on|at
$noun date 0.8 like=[^,.]{0,24}\\d
  my|our {noun} is|'s ~ on|at|from
$noun date 0.8
  our {noun} is ~ / the {noun} is|starts|begins ~ on|at
$noun date 0.75 like=[^,.]{0,24}\\d
  i|we ~ have|got a|an|my|the? {noun} on|at / i've|we've ~ got? a|an|my|the? {noun} on|at
  there's a|an|my|the? {noun} on|at
appointment date 0.8
  has|have|had|found ~ a|an slot|appointment|opening for me , / my appointment is|'s ~ on|at?
  i've|i_have an? appointment ~ at|with?
plan phrase 0.75
  i'm|we're ~ going|flying|travelling|traveling|off|heading ~ to
  i'm|we're ~ getting|planning|training|saving married|a|an|for|to? / i|we ~ plan|hope|intend to|on
  i'm|we're planning|booked to|on|into|onto? / i|we've? ~ booked|registered|entered|signed_up for? the|a|an?
  i ~ got|have a bib|place|spot|ticket|tickets for|in
plan phrase 0.75 like=[^.]{0,40}\\d
  i'll|we'll be
name name 0.8 of=$last
  it's|it_is ~ called|named / i|we ~ named|called|christened it / one|ones i|we ~ named|called|christened
  i'm|we're calling it
name name 0.8 of=$thing
  the|our {thing} is ~ called|named / the {thing}'s name is
name name 0.75 of=$thing like=(?-i:\\p{Lu}[\\p{L}'-]+(?:\\s+[\\p{L}'-]+){0,3}),\\s
  the|our {thing} ,
version version 0.8 change
  we ~ tagged|released|shipped|deployed version? / i ~ tagged|released|shipped|deployed version?
  tagged|released|shipped|deployed version? / we're on version / the current version is
budget number 0.85
  the|my|our ~ budget is|of ~ at? / capped|caps the|it|this? {noun}? at / my|our budget for the|this? {noun} is
  i|we can|may spend at_most|up_to|no_more_than
decision phrase 0.75
  i|we|i've|we've ~ decided|chosen|chose|agreed to go|stay|stick with|for
  let's ~ go|stick|take with? / we're|i'm ~ going|taking|sticking|doing ~ with|for
  i|we ~ decided|chose|picked|settled on|to|for? / i've|we've ~ decided|chosen|picked|settled on|to|for?
  we're|i'm ~ taking / we'll|i'll ~ take|use|go_with|paint / decision :
$noun id 0.8
  my|the|our {noun} number|code|id|reference|plate , which|it is|'s / my|the|our {noun} number|code|id , it's
  my|our {noun} is number
job job 0.75
  i'm|i_am a|an
age number 0.85 like=\\d{1,3}(?:\\s+years|[.,;!]|\\s+(?:and|last|this|yesterday|today)\\b|\\s*$)
  i'm|i_am / my age is / i ~ just? turned / i'll be
address id 0.75 like=\\d+[a-z]?\\b(?!\\s*\\p{L})
  i'm|we're in
$noun thing 0.75 like=(?!\\p{L}+ing\\b|(?:at|on|up|off|out|down|over|about|to)\\b)
  my {noun} is|are
`,
}
