import type { Language } from "../fact.ts"

export const de: Language = {
  name: "de",
  is_spaced: true,
  adverbs: `
    jetzt|inzwischen|mittlerweile|derzeit|zurzeit|momentan|gerade|aktuell|nun|noch|immer noch|auch|eigentlich|übrigens|halt|ja|seit \\p{L}+ \\p{L}+
    |seit \\p{L}+|schon|bereits|endlich|nur|einfach|bitte|wirklich|sehr|gern|gerne|total|leider|selbst|also|künftig|ab jetzt|ab sofort|ab \\p{L}+
    |von jetzt an|immer|meist|meistens|hier|da|dort|beide|alle|heute|am liebsten|mir|dir|uns|sich`,
  stops: `
    und|aber|weil|denn|da|sodass|damit|während|wo|lernt|man|weiß|wenn|falls|obwohl|als|mit|bis|oder|dann|bitte|kannst|können|könnte
    |ist|sind|war|hat|habe|haben|nicht|ich|wir|du|ihr|sie|er|es|sonst|übrigens|auch|allerdings|doch|ja|seit|direkt|gleich|zwar|nämlich
    |gezogen|umgezogen|verzogen|angefangen|gewechselt|gekauft|entschieden|eingeplant|abgeben|einreichen|fertig|schicken|wohne|arbeite|lebe
    |gern|gerne|will|muss|möchte|soll|kann|darf|zu|besser|statt|anstatt|deshalb|daher|gebucht|umgestiegen|weg|raus|zur verfügung|bereit|geburtstag`,
  refused: `
    nicht|kein|keine|keinen|nie|niemals|nichts|was|wer|wie|wo|warum|wann|welche|welcher|welches|dass|so|zu|sehr|ganz|gerade|immer|schon|noch|nur
    |hier|da|dort|weg|fertig|müde|sicher|froh|bereit|kaputt|leider|völlig|total|echt|ziemlich|etwas|alles|mir|dir|dich|mich|euch|uns|es|das
    |gut|schlecht|super|toll|richtig|falsch|egal|klar|unsicher|neugierig|gespannt|gestern|offen|leer|voll|alt|neu|schlimm|in ordnung|im|am
    |derselben|dabei|dran|dafür|dagegen|unterwegs|zuhause|krank|wach`,
  empty_nouns: `
    (?:.*\\s)?(?:frage|problem|punkt|vermutung|idee|gedanke|gefühl|meinung|verständnis|code|fehler|antwort|ziel|hoffnung|angst|schuld|kopf|eindruck
    |verdacht|annahme|vorschlag|rat|bitte|sorge|ding|bildschirm|plan|text|entwurf|nachricht|ausgabe|eingabe|test|tests|skript|lieblings|wunsch|sache|anliegen|thema
    |gegenüber|name)|.*(?<!(?:am|an|im|in|auf|für|von|bei|mit|zum|zur|in der|an der)) (?:der|die|das|den|dem|ein|eine|mein|meine|er|sie|es|und|wer|ist|war|hat) .*`,
  of: `von|des|der|als|wie`,
  asking: `
    was|wer|wen|wem|wessen|welche[rsnm]?|wann|wo|woher|wohin|warum|wieso|weshalb|wie|ob|bin|bist|ist|sind|seid|war|hast|hat|habe|haben|kann|kannst|können
    |könnte|könntest|könnten|soll|sollte|sollten|darf|dürfen|muss|müssen|will|willst|wird|werde|würde|würdest|gibt|weißt|wissen|meinst|macht|heißt
    |wohne|lebe|arbeite`,
  supposing: `
    wenn(?! ich ehrlich| es geht| du willst| sie wollen| du magst| es dir nichts| möglich)|falls|wäre|wären|würde|würden|hätte|hätten|könnte|angenommen|stell dir vor|stellen sie sich vor|tu so|als ob|ob|nicht wahr|stimmt nicht
    |glaube nicht|bezweifle|geträumt|träumte|nicht|nie|niemand|beispiel|z\\.b|gesetzt|früher`,
  reporting: `
    (?:er|sie|man|der|die|jemand|leute|\\p{L}+ ?chefin?|kolleg\\p{L}+) (?:\\p{L}+ )?(?:sagt|sagte|meint|meinte|schreibt|schrieb|behauptet|behauptete|fragt|fragte|erzählt|erzählte|findet|glaubt)
    |sagte|sagt|schrieb|schreibt|erzählte|behauptet|behauptete|laut|im (?:lied|text|brief|artikel) (?:heißt|steht)`,
  fiction: `
    (?:schreib|schreibe|schreiben sie|erzähl|erzähle|erzählen sie|erfinde|erfind|dichte|verfasse|setz)(?: \\p{L}+){0,5} (?:geschichte|geschichten|märchen|gedicht|gedichte|lied|roman|szene
    |drehbuch|dialog|monolog|witz|rollenspiel|figur|krimi|ballade|limerick|kurzgeschichte|sketch)
    |tu so als|rollenspiel|wir spielen(?= \\ue000)|spiel(?:e|en)? (?:jetzt )?(?:einen|eine|die rolle)|in meinem (?:roman|krimi|buch|spiel|film|stück|drehbuch)|in meiner (?:geschichte|erzählung|kampagne)|meine (?:haupt)?figur
    |die hauptfigur|der erzähler|der protagonist|die protagonistin|kurzgeschichte|mustertext|beispielsatz|platzhalter`,
  about_me: `\\büber (?:mich|uns)\\b|\\bzu mir\\b|\\bmerk|\\bnotiz|\\bmeine daten\\b|\\bfakten\\b|\\bzur info\\b`,
  change: `
    jetzt|nun|inzwischen|mittlerweile|nicht mehr|kein \\p{L}+ mehr|keine \\p{L}+ mehr|umgezogen|gezogen|umzug|gewechselt|umgestiegen|gekündigt|ab jetzt|ab sofort|künftig|von nun an
    |stattdessen|doch|neu|neue|neuer|neues|neuen|gerade|angefangen|verschoben|verlängert|verlängerung|vorgezogen|korrektur|vergiss|seit gestern|seit montag|seit samstag|endlich|früher|zurück`,
  dates: `
    januar|jänner|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend
    |sonntag|heute|morgen|übermorgen|nächste[nrs]? (?:woche|monat|jahr)|ende|anfang|mitte|frühling|frühjahr|sommer|herbst|winter|weihnachten|ostern|pfingsten`,
  days: "übermorgen:+2 morgen:+1 heute:+0 sonntag:0 montag:1 dienstag:2 mittwoch:3 donnerstag:4 freitag:5 samstag:6 sonnabend:6",
  people: `
    sister:schwester brother:bruder mother:mutter,mama,mutti,mami father:vater,papa,papi,vati parents:eltern wife:frau,ehefrau husband:mann,ehemann
    partner:partner,partnerin,verlobte,verlobter,lebensgefährte,lebensgefährtin girlfriend:freundin boyfriend:freund son:sohn daughter:tochter
    child:kind baby twin:zwilling,zwillingsschwester,zwillingsbruder grandmother:oma,großmutter grandfather:opa,großvater aunt:tante uncle:onkel
    cousin:cousin,cousine niece:nichte nephew:neffe little_sister:kleine_schwester older_sister:große_schwester,ältere_schwester
    younger_sister:jüngere_schwester older_brother:großer_bruder,älterer_bruder younger_brother:jüngerer_bruder,kleiner_bruder
    oldest_son:ältester_sohn,älterer_sohn youngest_son:jüngster_sohn oldest_daughter:älteste_tochter youngest_daughter:jüngste_tochter
    mother-in-law:schwiegermutter father-in-law:schwiegervater sister-in-law:schwägerin brother-in-law:schwager
    best_friend:beste_freundin,bester_freund flatmate:mitbewohner,mitbewohnerin neighbour:nachbar,nachbarin boss:chef,chefin
    colleague:kollege,kollegin landlord:vermieter landlady:vermieterin teacher:lehrer,lehrerin doctor:arzt,ärztin,hausarzt,hausärztin
    dentist:zahnarzt,zahnärztin therapist:therapeut,therapeutin accountant:steuerberater,steuerberaterin lawyer:anwalt,anwältin dog:hund,hündin
    cat:katze,kater horse:pferd,stute rabbit:kaninchen,hase parrot:papagei,wellensittich hamster tortoise:schildkröte pet:haustier`,
  nouns: `
    email:e-mail,mail,e-mail-adresse,mailadresse,email-adresse phone_number:telefonnummer,handynummer,nummer,mobilnummer address:adresse,anschrift
    time_zone:zeitzone birthday:geburtstag,geburtsdatum location:wohnort from:heimatstadt,heimatort,geburtsort age:alter job:beruf,job
    employer:arbeitgeber surname:nachname,familienname name:vorname nickname:spitzname language:muttersprache budget hobby`,
  things: `
    project:projekt repository:repo,repository dog:hund,hündin cat:katze,kater horse:pferd boat:boot,schiff car:auto,wagen van:bus bike:rad,fahrrad band
    company:firma,unternehmen startup server:server,backup-server machine:maschine,rechner,kiste laptop app service:dienst database:datenbank cluster branch
    team:team,mannschaft club:verein shop:laden,geschäft bakery:bäckerei bar restaurant:restaurant,lokal cafe:café channel:kanal podcast blog book:buch
    robot:roboter printer:drucker router network:netz,netzwerk folder:ordner file:datei script:skript tool:werkzeug,tool library:bibliothek
    product:produkt hotel guesthouse:pension,ferienwohnung pub:kneipe choir:chor school:schule course:kurs garage:garage workshop:werkstatt
    client:kunde,kundin,kanzlei`,
  rules: `
note rest 0.9
  merk|merke dir , dass / merk|merke dir : / merk|merke dir bitte , dass / merk|merke dir bitte : / merken sie sich bitte? , dass / merken sie sich bitte? :
  notier|notiere bitte? : / notiere dir bitte? , dass|: / denk|denke bitte? daran , dass / vergiss bitte? nicht , dass / zum merken : / notiz :
  nur damit du|ihr|sie es wisst|weißt|wissen : / damit du bescheid weißt : / für später : / behalte bitte? im kopf , dass|:
note rest 0.8 first before
  merk|merke|notier|notiere|speicher|speichere|behalt|behalte dir? das|es bitte? / merken|notieren sie sich? das|es bitte? / nur ,? damit es|das irgendwo|wo steht
  damit ich|du|wir es|das nicht vergesse|vergisst|vergessen / lass mich das|es bitte? nicht vergessen / vergiss das nicht / bitte merken|notieren|speichern
name name 0.9 like=(?!hase\\b)
  ich heiße|heisse ~ / mein ~ voller|richtiger|echter? name ist ~ / mein vorname ist|lautet / ich bin ~ die|der
name name 0.85 like=(?-i:\\p{Lu}\\p{Ll}+)\\s*(?:$|[.,!\\ue000]|und\\b)
  hier ist|spricht
name name 0.85 like=(?<=(?:hi|hallo|hey|moin|servus|grüezi|guten (?:tag|morgen|abend))[\\s\\p{P}]{1,4}(?:zusammen|du|ihr|nochmal)?[\\s\\p{P}]{0,3}(?:ich bin|hier ist)\\s{1,3})(?-i:\\p{Lu}[\\p{L}'-]+)
  ich bin / hier ist
nickname name 0.9 like=(?-i:\\p{Lu}|\\ue000)
  nenn|nenne|nennen mich|sie ~ mich? / ruf|rufen mich ~ / alle|freunde nennen|rufen mich ~ / mein spitzname ist / man nennt mich ~
  sag ~ einfach
surname name 0.9
  mein nachname|familienname|mädchenname ist|lautet / mit nachnamen heiße ich
location place 0.8 change like=[^.,;!?\\n]{2,40}\\s(?:gezogen|umgezogen|verzogen|übergesiedelt|ausgewandert)
  ich|wir bin|sind ~ von|aus {from} nach / ich|wir bin|sind ~ nach|in / bin|sind ich|wir ~ von|aus {from} nach / bin|sind ich|wir ~ nach|in
location place 0.8 change
  ich|wir ziehe|ziehen|zog|zogen ~ von|aus {from} nach / ich|wir ziehe|ziehen|zog|zogen ~ um? nach / unser|mein|der umzug nach
  ziehe|ziehen ich|wir ~ nach / ich|wir wohne|wohnen|lebe|leben jetzt|nun|inzwischen|mittlerweile ~ in|bei|auf
location place 0.85
  ich|wir wohne|wohnen|lebe|leben ~ in|bei|nahe|auf|am / wohne|wohnen|lebe|leben ich|wir ~ in|bei|nahe|auf / ich|wir bin|sind ~ zuhause|zu_hause|ansässig in
  ich|wir sitze|sitzen ~ in (?:stadt)? / mein|unser wohnort ist ~ / meine heimatstadt ist
location place 0.8 change negated
  ich|wir wohne|wohnen|lebe|leben nicht mehr in / wohne|wohnen|lebe|leben ich|wir nicht mehr in
previous_location place 0.8
  ich|wir habe|haben ~ früher in / ich|wir wohnte|wohnten|lebte|lebten ~ in / früher habe|haben|wohnte|wohnten|lebte|lebten ich|wir ~ in
from place 0.85
  ich komme|stamme ~ ursprünglich? aus / ich bin ~ ursprünglich? aus / ich bin ~ in {from} aufgewachsen|geboren ~ / aufgewachsen bin ich ~ in / geboren bin ich ~ in
address id 0.75 like=\\d+\\p{L}?\\b(?!\\s*\\p{L}{3})
  ich wohne|bin ~ in|im der|nummer|haus|zimmer|stock? / meine wohnung ist nummer|die?
address thing 0.85
  meine|unsere ~ neue? adresse|anschrift ist|lautet ~ / ich|wir wohne|wohnen ~ in der / ich|wir wohne|wohnen ~ am
phone_number number 0.85
  meine ~ neue? telefonnummer|handynummer|mobilnummer|nummer ist|lautet ~ die?
employer place 0.85
  ich arbeite ~ bei|für|beim|bei_der|bei_den|an_der / arbeite ich ~ bei|für|beim|bei_der|bei_den / ich bin ~ angestellt bei|beim / ich bin ~ bei|beim
  mein ~ arbeitgeber ist|heißt ~
employer place 0.8 change
  ich fange ~ bei|beim / ich habe ~ bei|beim (?=[^.,]{2,40}\\s(?:angefangen|unterschrieben)) / ich wechsle|wechsele ~ zu|zur|zum / ich bin ~ gewechselt zu|zur|zum
  ich starte|beginne ~ bei|beim / mein neuer arbeitgeber ist / fange ich ~ bei|beim / ich wechsle ~ zu|zur|zum
employer place 0.8 change negated
  ich arbeite nicht mehr bei|für|beim / ich habe ~ bei|beim (?=[^.,]{2,40}\\s(?:gekündigt|aufgehört)) / gekündigt habe ich bei|beim
job job 0.85
  ich arbeite ~ als / arbeite ich ~ als / ich bin ~ von_beruf|gelernte|gelernter|selbstständige|selbständige|freie|freier|freiberufliche|freiberuflicher|ausgebildete|ausgebildeter
  mein beruf|job ist / beruflich bin ich / ich verdiene mein geld als / als_gelernte|als_gelernter|von_beruf bin ich
birthday date 0.85 of=$person
  meine|mein|unsere|unser {person} ~ am (?=[^.,]{3,24}\\sgeburtstag) / meine|mein|unsere|unser {person} hat ~ am / meine|mein|unsere|unser {person} wird am / der geburtstag meiner|meines|von_meiner|von_meinem {person} ist am
birthday date 0.85
  mein geburtstag ist|fällt ~ am|auf / ich habe ~ am (?=[^,.]{3,24}geburtstag) / ich bin|wurde am / ich werde am
name name 0.85 of=$person
  meine|mein|unsere|unser {person} heißt|heisst ~ / ich|wir habe|haben ~ einen|eine|ein|ne|nen {person} namens / der_name meiner|meines {person} ist
  meine|mein|unsere|unser {person} , namens / ich|wir habe|haben ~ einen|eine|ein {person} , der|die|das heißt
location place 0.85 of=$person
  meine|mein|unsere|unser {person} wohnt|lebt|studiert|sitzt ~ in|bei|auf / meinem|meinen|meiner bruder|schwester ~ nach
location place 0.8 of=$person change
  meine|mein|unsere|unser {person} ist ~ nach (?=[^.,]{2,40}\\s(?:gezogen|umgezogen)) / meine|mein|unsere|unser {person} zieht ~ nach
employer place 0.8 of=$person
  meine|mein|unsere|unser {person} arbeitet ~ bei|für|beim
job job 0.8 of=$person
  meine|mein|unsere|unser {person} arbeitet ~ als / meine|mein|unsere|unser {person} ist ~ von_beruf
allergy thing 0.9 of=$person
  meine|mein|unsere|unser {person} ist ~ allergisch gegen|auf / meine|mein|unsere|unser {person} verträgt ~ keine|keinen|kein
likes thing 0.75 of=$person
  meine|mein|unsere|unser {person} liebt|mag ~
dislikes thing 0.75 of=$person
  meine|mein|unsere|unser {person} hasst ~ / meine|mein|unsere|unser {person} mag ~ keine|keinen|kein
school place 0.8 of=$person
  meine|mein|unsere|unser {person} geht ~ auf_die|auf_das|aufs|in_die|zur|besucht_die|besucht_das
age number 0.8 of=$person like=\\d{1,3}\\b
  meine|mein|unsere|unser {person} ist|wird ~
allergy thing 0.9
  ich bin ~ allergisch gegen|auf / ich habe ~ eine ~ allergie gegen|auf / ich reagiere ~ allergisch auf|gegen / ich vertrage ~ keine|keinen|kein
  ich darf|kann ~ keine|keinen|kein / meine allergien sind|:
allergy thing 0.85
  ohne (?=\\p{L}{3,24}[.,;][^.]{0,10}(?:davon|darauf|da)\\s[^.]{0,30}(?:schwill|allergi|ausschlag|krank|bauch|krankenhaus|übel|hals))
allergy thing 0.8 before
  vertrage ich ~ nicht / bringt mich ins krankenhaus / macht mich krank / darf ich ~ nicht essen / bin ich ~ allergisch
diet thing 0.9 like=(?:vegan|vegetari|pesc|pesk|glutenfrei|laktose|koscher|halal|keto|low|zucker|fleischlos|flexitari)
  ich esse ~ / ich ernähre mich ~ / ich bin ~ / ich lebe ~ / wir essen ~
diet_without thing 0.85
  ich|wir esse|essen|trinke|trinken ~ keine|keinen|kein / ich verzichte ~ auf
health thing 0.85 like=[\\p{L}\\d -]{0,24}(?:asthma|diabetes|epilepsie|migräne|arthrose|rheuma|bluthochdruck|krebs|adhs|autismus|neurodermitis|krankheit|syndrom|störung|tinnitus|heuschnupfen|bandscheiben)
  ich habe ~ / ich leide ~ an|unter
health thing 0.8
  bei mir wurde ~ / ich habe mir ~ den|die|das (?=[^.,]{3,40}(?:gebrochen|gerissen|verstaucht|gezerrt)) / physio|arzt|ärztin|zahnarzt|orthopäde sagt|meint , es ist|sei
dislikes thing 0.8
  ich hasse|verabscheue ~ / ich mag ~ keine|keinen|kein / ich kann ~ (?=[^.,]{2,40}\\s(?:nicht leiden|nicht ausstehen|nicht ab)) / ich habe angst vor
dislikes thing 0.75 before
  mag ich ~ nicht / kann ich nicht leiden|ausstehen|ab|sehen / kommt mir nicht auf|ins / geht gar nicht / finde ich ~ furchtbar|schrecklich|schlimm|eklig
preference phrase 0.8
  ich bevorzuge ~ / ich ziehe ~ / mir ist|sind ~ (?=[^.,]{2,40}\\slieber) / am liebsten mag|esse|trinke|nehme|habe ich / ich nehme|esse|trinke|mag|habe lieber
  ich möchte|will|würde ~ lieber / lieber ist|sind mir / ich arbeite ~ (?=nachts|morgens|abends|früh|spät)
likes thing 0.75
  ich liebe ~ / ich mag ~ / ich bin ~ ein|eine großer|große fan von / ich stehe ~ auf / ich esse|trinke gern|gerne|am_liebsten
hobby thing 0.75
  ich spiele ~ / ich sammle|sammele ~ / ich singe ~ / ich lerne ~ / mein hobby ist / meine hobbys sind
language thing 0.8
  ich spreche ~ / meine muttersprache ist
instruction phrase 0.8 first
  bitte ~ (?=(?:immer|künftig|ab)\\s) / antworte|antworten|schreib|schreibe|schreiben mir|sie ~ mir? künftig|immer|bitte|ab_jetzt|in_zukunft / antworte|antworten ~ sie? mir? in|auf
  gib|geben mir|sie ~ mir? immer|künftig / duz mich / du kannst|darfst mich / sprich mich ~ / siez mich
  ab jetzt|sofort bitte? nur? noch? / von jetzt an / in zukunft bitte?
does_not_want thing 0.8
  spar|spare|sparen dir|sie|ihnen sich? ~ die|das|den / kannst|können du|sie dir|sich? die|das|den (?=[^.,]{2,30}\\s(?:sparen|weglassen)) / lass|lassen bitte? ~ die|das|den (?=[^.,]{2,30}\\sweg)
does_not_want phrase 0.8 first
  bitte ~ keine|keinen|kein / keine|keinen|kein (?=(?:emojis?|ausrufezeichen|listen|aufzählungen|smileys?|floskeln|anglizismen|tabellen|überschriften|vorreden|komplimente))
  verzichte|verzichten bitte? sie? ~ auf / benutz|benutze|verwende|verwenden|schreib ~ nie|niemals|keine / ich mag keine|keinen (?=langen|lange|kurzen)
name name 0.85 of=$noun
  mein|meine|unser|unsere {noun} heißt|heisst ~
owns thing 0.75
  ich|wir fahre|fahren ~ einen|eine|ein|nen|ne / ich|wir besitze|besitzen ~ einen|eine|ein / ich|wir habe|haben ~ uns|mir ~ einen|eine|ein (?=[^.]{2,40}gekauft)
  mein|unser auto|wagen ist ein / ich|wir habe|haben ~ einen|eine|ein (?=[^.,]{2,40}\\s(?:gekauft|adoptiert))
uses thing 0.75
  ich|wir benutze|benutzen|nutze|nutzen|verwende|verwenden ~ / ich|wir arbeite|arbeiten ~ mit / läuft|laufen ~ bei_uns|bei_mir ~ alles? noch? auf|mit
  unser|unsere|mein|meine {noun} läuft|laufen ~ auf|mit
uses thing 0.75 change
  ich|wir bin|sind ~ auf|zu (?=[^.,]{2,30}\\s(?:umgestiegen|gewechselt))
deadline date 0.85 of=$noun
  die|meine|unsere abgabe|frist|deadline für|von|der|des die|das|den|meine|mein? {noun} ist|endet|läuft ~ am|bis|zum / die|der|das|mein|meine|unser|unsere {noun} muss|müssen ~ bis_zum|bis|am|spätestens_am
  die|der|das|mein|meine|unser|unsere {noun} ist|sind ~ fällig ~ am|bis|zum? / die|der|das|mein|meine {noun} endet|läuft|schließt ~ am|bis / ich|wir muss|müssen|will ~ meine|mein|die|den|das {noun} bis_zum|bis|am
deadline date 0.85 vague change
  wurde|wird|ist|sind|haben|hat ~ es|das|den_termin? ~ auf den (?=[^.,]{3,20}\\s(?:verschoben|verlegt|verlängert|vorgezogen|geschoben)) / haben_wir|habe_ich jetzt ~ bis_zum|bis|am|der / neuer|der_neue termin|abgabetermin|stichtag ist ~ der|am?
deadline date 0.85 vague
  ich|wir habe|haben ~ noch? zeit? bis|bis_zum / abgabe|abgabetermin|abgabefrist|einsendeschluss|stichtag|deadline ist|: ~ der|am|zum|bis? / neuer abgabetermin|termin ist ~ der|am?
  die|der|meine|mein deadline|frist|abgabe|abgabetermin|stichtag ist|endet|läuft ~ am|der|bis|zum|ab? / es|das ist ~ fällig am
appointment date 0.8
  ich|wir habe|haben ~ am|um (?=[^.,]{3,40}termin)
  ich|wir habe|haben ~ einen|nen termin ~ am|um / mein|unser {noun}termin ist ~ am / mein|der|nächster|nächste|unser großer? termin ist ~ am|um|der|die?
$noun date 0.8 like=[^,.]{0,24}\\d
  die|der|das {noun} ist|beginnt|findet|startet ~ am
  mein|meine|unser|unsere {noun} geht|startet|fliegt|fährt|beginnt|ist|landet ~ am|um|ab
plan phrase 0.75
  ich|wir fahre|fahren|fliege|fliegen|reise|reisen ~ nach|in|an|zum|zur|auf / geht's|geht_es ~ für|nach|auf|in|an / ich|wir plane|planen ~ / ich|wir habe|haben ~ (?=[^.,]{3,50}\\sgebucht)
  ich trainiere ~ für / ich|wir heirate|heiraten ~ / ich habe mich ~ für|zu|zum|beim (?=[^.,]{3,50}\\sangemeldet) / ich|wir will|wollen|möchte|möchten ~ nach
name name 0.8 of=$last
  es|er|sie|das heißt|heisst ~ / heißt|heisst ~ / ich|wir habe|haben es|ihn|sie ~ (?=[^.,]{2,30}\\s(?:genannt|getauft)) / namens / ich|wir nenne|nennen ihn|sie|es ~
name name 0.8 of=$thing
  das|der|die|mein|meine|unser|unsere {thing} heißt|heisst ~ / das|der|die {thing} ist ~ auf_den_namen
version version 0.8 before change
  ist ~ draußen|raus|live|online|ausgerollt|veröffentlicht
version version 0.8 change
  version / release / wir|ich sind|bin|haben|habe ~ auf|bei
budget number 0.85
  das|mein|unser budget ist|liegt|beträgt ~ bei|auf? / das|mein|unser budget für|vom|von {noun} ist|liegt|beträgt ~ bei? / ich|wir habe|haben ~ (?=[\\d.]+\\s*(?:€|euro|franken|tausend))
  haben|habe wir|ich ~ (?=[\\d.]+\\s*(?:€|euro|franken|tausend)) / wir können maximal|höchstens
budget number 0.8 change
  stehen|steht ~ für {noun} jetzt|nun|noch|insgesamt (?=[\\d.]+)
decision phrase 0.75
  wir|ich nehme|nehmen ~ / wir|ich entscheiden|entscheide uns|mich ~ für / wir|ich haben|habe uns|mich ~ für / wir|ich machen|mache es ~ in|mit / es wird ~ / lass|lasst uns ~
  dann nehmen|nehme|machen|mache wir|ich ~ / wir bleiben ~ bei / entschieden : / es bleibt ~ bei
project phrase 0.8
  wir|ich bauen|baue|entwickeln|entwickle|machen|mache ~ für / ich|wir arbeite|arbeiten ~ an / mein|unser hauptprojekt|projekt ist
$noun id 0.8 like=[A-ZÄÖÜ-]*\\d|(?:die|der|das)\\s+\\d|[A-ZÄÖÜ]{1,3}-
  mein|meine|unser|unsere {noun} ist|lautet ~ die|der|das|nummer?
client_number id 0.8 like=[\\p{L}-]*\\d
  kundennummer|vertragsnummer|mitgliedsnummer|versicherungsnummer|zählernummer ~ ist|lautet|:?
job job 0.75 like=(?-i:\\p{Lu})\\p{L}+(?:in|er|or|ist|istin|ent|entin|ar|ärin|eur|eurin|at|atin|ant|antin|arzt|ärztin|mann|frau|kraft|wirt|wirtin|hebamme|ler|lerin|koch|köchin|ge|gin|ater)\\b
  ich bin ~
job job 0.75 like=(?-i:\\p{Lu})\\p{L}+
  als (?=hebamme|\\p{L}+(?:in|er)\\b(?:\\s+(?:muss|kann|lernt|weiß|bin|habe|sieht|arbeit)))
age number 0.85 like=\\d{1,3}(?:\\s+jahre|[.,;!]|\\s+und\\b|\\s*$)
  ich bin ~ / ich werde ~
$noun thing 0.75 like=(?!\\p{L}+end\\b|innen|außen)(?![^.,!?]{0,60}\\s(?:geworden|gegangen|gekommen|worden|kaputt)\\b)
  mein|meine|unser|unsere {noun} ist|sind|lautet|beträgt ~
`,
}
