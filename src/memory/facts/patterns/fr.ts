import type { Language } from "../fact.ts"

export const fr: Language = {
  name: "fr",
  is_spaced: true,
  adverbs: `
    maintenant|actuellement|toujours|encore|aussi|déjà|désormais|enfin|vraiment|très|juste|récemment|en fait|d'ailleurs|plutôt|surtout|depuis \\p{L}+ \\p{L}+|depuis \\p{L}+
    |en ce moment|tous|simplement|beaucoup|bien|normalement|moi|à présent|dorénavant|finalement|plus ou moins|officiellement|s'il te plaît|s'il vous plaît`,
  stops: `
    et|mais|parce que|car|donc|alors|si|quand|où|qui|que|dont|comme|avec|jusqu'à|ou|puis|peux|pouvez|est|sont|était|a|ai|pas|ne|je|j'ai|nous|tu|vous|il|elle|on|aussi
    |depuis|pendant|pour que|puisque|même|sauf|sinon|d'ailleurs|s'il te plaît|s'il vous plaît|merci|maintenant|en ce moment`,
  refused: `
    pas|ne|jamais|rien|personne|aucun|aucune|quoi|que|qui|comment|où|pourquoi|quand|quel|quelle|très|trop|assez|plus|moins|déjà|encore|bien|mal|ici|là|prêt|prête|sûr|sûre
    |content|contente|désolé|désolée|fatigué|fatiguée|perdu|perdue|en train|en panne|cassé|cassée|si|tellement|un peu|vrai|faux|mieux|pire|d'accord|obligé|obligée|tout|ça|ce|cela|à`,
  empty_nouns: `
    (?:.*\\s)?(?:question|problème|point|idée|avis|code|erreur|réponse|but|objectif|peur|faute|tête|impression|soupçon|proposition|conseil|chose|écran|plan|texte|brouillon|message|sortie
    |entrée|test|tests|script|fonction|demande|sujet|tour|cas|doute|souhait|souci)|.*(?<!(?:de|en|à|pour|par)) (?:le|la|les|un|une|mon|ma|il|elle|et|qui|que|est|était|a) .*`,
  of: `de|du|des|comme`,
  asking: `
    qu'est-ce|que|quoi|qui|quel|quelle|quels|quelles|quand|où|pourquoi|comment|combien|est-ce|peux|peux-tu|pouvez|pouvez-vous|pourrais|pourrais-tu|pourriez|sais-tu|savez-vous|as-tu|avez-vous
    |es-tu|êtes-vous|dois-je|faut-il|y a-t-il|suis-je|ai-je|à quelle|à quel|de quoi|si`,
  supposing: `
    si(?! je suis honnête| tu veux| vous voulez| possible| ça ne te)|serait|serais|seraient|imagine|imaginez|imaginons|suppose|supposons|disons|comme si|pas vrai|pas sûr|je doute|j'ai rêvé|ne|n'|jamais|personne|exemple|p\\.ex|fais semblant|au cas où
    |j'aurais|habitais|étais`,
  reporting: `
    (?:il|elle|ils|elles|on|qui|quelqu'un|les gens|mon chef|ma cheffe|ma mère|mon père|mon voisin|ma voisine)(?: \\p{L}+)? (?:dit|dis|disait|écrit|raconte|raconté|affirme|demande|pense|croit)
    |(?:m'a|nous a|lui a|leur a) (?:dit|écrit|raconté|assuré)|selon|d'après|(?:la chanson|le texte|le mail|la lettre|l'article|le panneau) (?:dit|indique|est)`,
  fiction: `
    (?:écris|écrivez|raconte|racontez|invente|inventez|rédige|continue|compose|donne)(?:-moi)?(?: \\p{L}+){0,5} (?:histoire|conte|poème|chanson|paroles|roman|scène|scénario|dialogue|monologue
    |blague|jeu de rôle|personnage|fable|sonnet|haïku|nouvelle)|fais semblant|jouons|jeu de rôle|dans mon (?:roman|livre|jeu|film|histoire|scénario)|dans ma (?:nouvelle|pièce|campagne)
    |mon personnage|le narrateur|la narratrice|le protagoniste|phrase d'exemple|texte d'exemple`,
  about_me: `\\bsur moi\\b|\\bà propos de moi\\b|\\bretiens\\b|\\bnotes?\\b|\\bmes infos\\b|\\bpour info\\b`,
  change: `
    maintenant|ne \\p{L}+ plus|n'\\p{L}+ plus|déménagé|déménage|déménagement|changé|changement|désormais|dorénavant|à partir de maintenant|au lieu|plutôt|nouveau|nouvelle|nouvel|viens de|venons de|quitté
    |démissionné|commence|commencé|repoussé|reporté|prolongé|avancé|finalement|oublie ce que|correction|en fait|enfin|avant|depuis hier|depuis lundi`,
  dates: `
    janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|aujourd'hui|demain|après-demain|ce soir
    |semaine prochaine|mois prochain|fin du mois|fin|début|printemps|été|automne|hiver|noël|pâques|midi|minuit`,
  days: "après-demain:+2 demain:+1 aujourd'hui:+0 ce_soir:+0 dimanche:0 lundi:1 mardi:2 mercredi:3 jeudi:4 vendredi:5 samedi:6",
  people: `
    sister:sœur,soeur,frangine brother:frère,frangin mother:mère,maman father:père,papa parents:parents wife:femme,épouse husband:mari,époux
    partner:compagnon,compagne,conjoint,conjointe,fiancé,fiancée girlfriend:copine boyfriend:copain son:fils daughter:fille child:enfant baby:bébé twin:jumelle,jumeau
    grandmother:grand-mère,mamie grandfather:grand-père,papi,papy aunt:tante uncle:oncle cousin:cousin,cousine niece:nièce nephew:neveu little_sister:petite_sœur
    older_sister:grande_sœur older_brother:grand_frère little_brother:petit_frère mother-in-law:belle-mère father-in-law:beau-père sister-in-law:belle-sœur
    brother-in-law:beau-frère best_friend:meilleure_amie,meilleur_ami friend:ami,amie flatmate:coloc,colocataire neighbour:voisin,voisine
    boss:chef,cheffe,patron,patronne colleague:collègue landlord:propriétaire teacher:prof,professeur,professeure doctor:médecin dentist:dentiste
    therapist:psy accountant:comptable lawyer:avocat,avocate dog:chien,chienne cat:chat,chatte,chaton horse:cheval,jument rabbit:lapin,lapine parrot:perroquet
    hamster tortoise:tortue pet:animal`,
  nouns: `
    email:mail,e-mail,email,adresse_mail,courriel phone_number:téléphone,numéro,numéro_de_téléphone,portable address:adresse time_zone:fuseau_horaire
    birthday:anniversaire,date_de_naissance age:âge job:métier,profession,travail employer:employeur,entreprise,boîte surname:nom_de_famille name:prénom,nom
    nickname:surnom language:langue_maternelle from:ville_natale`,
  things: `
    project:projet repository:dépôt,repo dog:chien,chienne cat:chat,chatte horse:cheval boat:bateau,voilier car:voiture van:camionnette,fourgon bike:vélo band:groupe
    company:entreprise,boîte,société startup server:serveur machine laptop:portable app:appli,application service database:base_de_données cluster branch:branche
    team:équipe club shop:boutique,magasin bakery:boulangerie bar restaurant:restaurant,resto cafe:café channel:chaîne podcast blog book:livre robot
    printer:imprimante router:routeur network:réseau file:fichier script tool:outil library:bibliothèque product:produit hotel:hôtel
    guesthouse:gîte,pension choir:chorale school:école course:cours garage workshop:atelier client:client,cliente`,
  rules: `
note rest 0.9
  souviens-toi|souvenez-vous|rappelle-toi|retiens|retenez|note|notez ~ que / retiens|note|notez ~ : / n'oublie pas que / garde en tête|mémoire que / pour info|mémoire : / note : / à retenir :
note rest 0.8 first before
  note-le|notez-le|note-la|retiens-le|retenez-le|garde-le|gardez-le / que je n'oublie pas / ne me laisse pas oublier / n'oublie pas ça
name name 0.9
  je m'appelle ~ / je me nomme ~ / mon ~ prénom|nom est ~ / moi c'est
name name 0.85 like=(?<=(?:bonjour|salut|coucou|bonsoir|hello)[\\s\\p{P}]{1,4}(?:à tous|toi)?[\\s\\p{P}]{0,3}(?:je suis|c'est|ici)\\s{1,3})(?-i:\\p{Lu}[\\p{L}'-]+)
  je suis / c'est / ici
nickname name 0.9 like=(?-i:\\p{Lu}|\\ue000)
  appelle-moi|appelez-moi ~ / tout_le_monde|mes_amis|on m'appelle|m'appellent ~ / mon surnom est|c'est
surname name 0.9
  mon nom de famille est
location place 0.8 change
  j'ai|on_a|nous_avons ~ déménagé ~ de {from} à|vers / j'ai|on_a|nous_avons ~ déménagé ~ à|en|au|vers|dans / je|on|nous viens|vient|venons de déménager à|en|au|dans / je|on|nous déménage|déménageons ~ à|en|au / je me suis installé|installée ~ à|en|au / on s'est installés|installé ~ à|en|au
location place 0.85
  j'habite|on_habite|nous_habitons ~ à|en|au|aux|dans|près_de? / je|on|nous vis|vit|vivons ~ à|en|au|aux|dans / je réside ~ à|en|au
location place 0.8 change negated
  je n'habite plus à|en|au / on n'habite plus à|en|au / je ne vis plus à|en|au
previous_location place 0.8
  j'habitais|on_habitait|nous_habitions avant? à|en|au / avant j'habitais à|en|au
from place 0.85
  je viens ~ de|du|d' (?=(?-i:\\p{Lu})) / je suis ~ originaire de|du|d' / je suis né|née ~ à|en|au / j'ai grandi à|en|au
address thing 0.85
  mon adresse est ~ / j'habite|on_habite au|rue (?=\\d|rue|avenue)
phone_number number 0.85
  mon ~ numéro|téléphone|portable est|c'est ~ le?
employer place 0.85
  je travaille|bosse ~ chez|pour|à|au / je suis ~ employé|employée|salarié|salariée chez|de / mon employeur est
employer place 0.8 change
  je commence|commencerai|démarre ~ chez|à / j'ai ~ commencé|rejoint chez|à? / j'ai été embauché|embauchée|pris|prise chez|par / je rejoins ~
employer place 0.8 change negated like=(?-i:\\p{Lu})
  j'ai ~ quitté ~ / je ne travaille plus chez|pour|à / j'ai démissionné de|chez
job job 0.85
  je travaille ~ comme|en_tant_que|en_tant_qu' / mon métier|mon_travail est|c'est / je suis ~ (?=(?!végé|végan|vegan|pesc|allergi|originaire|célibataire|propriétaire|contraire|flexi|diabét|casher)\\p{L}{2,22}(?:eur|euse|teur|trice|ier|ière|iste|ien|ienne|logue|graphe|tecte|ant|ante|aire|ologue|avocat|avocate|prof|médecin|chef|pilote|juge|notaire|gendarme|pompier|sage-femme)\\b)
birthday date 0.85 of=$person
  l'anniversaire de ma|mon|notre {person} est|c'est ~ le / ma|mon|notre {person} est né|née ~ le / ma|mon|notre {person} fête son anniversaire le / ma|mon {person} a son anniversaire le
birthday date 0.85
  mon anniversaire est|c'est|tombe ~ le / je suis né|née ~ le
name name 0.85 of=$person
  ma|mon|notre {person} s'appelle ~ / j'ai|on_a|nous_avons ~ un|une {person} qui s'appelle / j'ai|on_a|nous_avons ~ un|une {person} appelé|appelée|nommé|nommée
location place 0.85 of=$person
  ma|mon|notre {person} habite|vit|étudie ~ à|en|au|aux
location place 0.8 of=$person change
  ma|mon|notre {person} a ~ déménagé à|en|au / ma|mon|notre {person} vient de déménager à|en|au
employer place 0.8 of=$person
  ma|mon|notre {person} travaille|bosse ~ chez|pour
job job 0.8 of=$person
  ma|mon|notre {person} travaille ~ comme / ma|mon|notre {person} est (?=\\p{L}{2,22}(?:eur|euse|teur|trice|ier|ière|iste|ien|ienne|logue|graphe|avocat|avocate|prof|médecin)\\b)
allergy thing 0.9 of=$person
  ma|mon|notre {person} est ~ allergique aux|au|à_la|à_l'|à / ma|mon|notre {person} ne peut pas manger|boire de|d'?
likes thing 0.75 of=$person
  ma|mon|notre {person} adore|aime ~
dislikes thing 0.75 of=$person
  ma|mon|notre {person} déteste ~ / ma|mon|notre {person} n'aime pas
school place 0.8 of=$person
  ma|mon|notre {person} va ~ à|au / ma|mon|notre {person} est en|à l'école
age number 0.8 of=$person like=\\d{1,3}\\s+ans
  ma|mon|notre {person} a|aura|fête ~
allergy thing 0.9
  je suis ~ allergique aux|au|à_la|à / j'ai ~ une allergie|intolérance aux|au|à_la|à / je ne supporte|digère pas le|la|les|l' / je ne peux ~ pas manger|boire de|d'?
allergy thing 0.8 before
  me rend|rendent malade / me donne|donnent de l'urticaire|des_boutons|la_migraine / m'envoie|m'a envoyé|envoyée à l'hôpital
diet thing 0.9 like=(?:végétari|végan|vegan|végétali|pescétari|pesco|sans gluten|cœliaque|casher|halal|flexitari|diabétique|intolérant)
  je suis ~ / je mange ~ / nous sommes ~ / on est ~
diet_without thing 0.85
  je ne mange|bois ~ pas|plus|jamais de|d' / j'ai arrêté le|la|les|l'|de_manger|de_boire
health thing 0.85 like=[\\p{L}\\d -]{0,24}(?:asthme|diabète|épilepsie|migraine|migraines|arthrose|hypertension|cancer|tdah|autisme|eczéma|maladie|syndrome|trouble|acouphènes|rhume des foins|hernie)
  j'ai ~ / je souffre ~ de|d'? / on m'a diagnostiqué
dislikes thing 0.8
  je déteste|hais ~ / je n'aime ~ pas ~ / je ne supporte|peux pas|plus / j'ai ~ horreur|peur de|des|du|d' / j'ai_horreur de|des|du
preference phrase 0.8
  je préfère ~ / j'aime ~ mieux
likes thing 0.75
  j'adore|j'aime ~ / je suis ~ fan|passionné|passionnée de|d'|du|des|par / je raffole de
hobby thing 0.75
  je joue du|de_la|au|aux|de|d' / je fais du|de_la|de_l' / je collectionne ~ / j'apprends ~ / je me suis mis|mise ~ au|à_la|à
language thing 0.8
  je parle ~ (?=(?:français|anglais|allemand|espagnol|italien|chinois|arabe|portugais|russe|japonais|néerlandais|breton|basque)) / ma langue maternelle est
instruction phrase 0.8 first
  réponds|répondez|écris|écrivez|parle|parlez ~ moi? toujours|désormais|en / toujours ~ (?=(?:répond|écri|donne|utilise)) / tutoie-moi|vouvoie-moi|vouvoyez-moi ~ / à partir de maintenant , / donne-moi|donnez-moi ~ toujours / dorénavant ,
does_not_want phrase 0.8 first
  ne|n' ~ (?=(?:utilise|mets|m'appelle|me|écris|mettez|utilisez|m'envoie)\\b) / pas de|d'|plus (?=(?:émoji|emoji|emojis|émojis|listes|puces|points|tableaux|smileys|tutoiement|anglicismes)) / évite|évitez ~
name name 0.85 of=$noun
  mon|ma|notre {noun} s'appelle ~
owns thing 0.75
  j'ai|on_a ~ acheté|adopté un|une|des / je conduis|roule ~ en? un|une? (?=(?-i:\\p{Lu})) / j'ai une voiture|moto , c'est une?
uses thing 0.75
  j'utilise|on_utilise|nous_utilisons ~ / je|on travaille ~ sous|sur|avec (?=(?-i:\\p{Lu}))
uses thing 0.75 change
  je suis|on_est passé|passée|passés à|sur / j'ai|on_a migré vers|sur|à
uses thing 0.75 before
  c'est l'éditeur|l'outil que j'utilise
deadline date 0.85 of=$noun
  la|le date_limite|délai|échéance pour|de|du le|la|les? {noun} est|tombe|c'est ~ le / le|la|les|mon|ma|notre {noun} doit|doivent être rendu|rendue|envoyé|envoyée|prêt|prête|déposé|déposée|payé|payée ~ pour|avant|le le? / le|la|mon|ma|notre {noun} est à rendre|déposer|envoyer ~ pour|avant|le le? / je|on|nous dois|doit|devons rendre|envoyer|déposer|remettre le|la|mon|ma|notre {noun} ~ pour|avant|le le?
deadline date 0.85 vague change
  c'est|ça_a_été|on_a|ils_ont|elle_a|il_a ~ repoussé|reporté|décalé|prolongé|avancé ~ au|jusqu'au / on|nous|je a|avons|j'ai maintenant jusqu'au / la|le nouvelle|nouveau date|délai est ~ le?
deadline date 0.85 vague
  j'ai|on_a|nous_avons ~ jusqu'au / la|le date_limite|délai|échéance|deadline est|tombe|c'est|: ~ le? / date limite : / la nouvelle date est ~ le / c'est ~ à rendre ~ pour|avant|le le?
appointment date 0.8
  j'ai|on_a|nous_avons ~ rendez-vous|rdv ~ le|à? / j'ai|on_a ~ rendez-vous|rdv chez|avec|au le|la|mon|ma? \\p{L}+ le|à? / mon|le rendez-vous|rdv est ~ le?
$noun date 0.8 like=[^,.]{0,24}\\d
  mon|ma|notre {noun} part|décolle|arrive|commence|est ~ à|le
plan phrase 0.75
  je|on|nous pars|part|partons|vais|va|allons ~ en|à|au|aux (?=(?-i:\\p{Lu})|vacances) / j'ai|on_a|nous_avons réservé ~ / je me suis inscrit|inscrite ~ au|à / je me marie|on_se_marie ~ / je m'entraîne pour ~ / je|on prévois|prévoit de|d'
project phrase 0.8
  je|on|nous travaille|travaillons ~ sur|à (?=un|le|la|mon|notre)
name name 0.8 of=$last
  il|elle|ça s'appelle ~ / s'appelle ~ / on|je l'a|l'ai appelé|appelée|baptisé|baptisée|nommé ~
name name 0.8 of=$thing
  le|la|mon|ma|notre {thing} s'appelle ~
version version 0.8 change
  on_a|j'ai|nous_avons publié|sorti|livré|tagué la? version? / la version actuelle est la?
budget number 0.85
  le|mon|notre budget est|c'est ~ de? / on|j'ai a? un? budget de / mon|notre|le budget pour|du|de le|la? {noun} est ~ de?
decision phrase 0.75
  on|nous|je part|partons|reste|pars ~ sur|avec / on|nous_avons|j'ai ~ choisi|décidé|opté ~ de|pour|d'? / c'est décidé , / finalement ~ on|je prend|prends
$noun id 0.8 like=[A-Z]*-?\\d|(?:le|la)\\s+\\d
  mon|ma|notre {noun} est|c'est ~ le|la|numéro? / mon|le numéro de {noun} est|c'est ~ le?
age number 0.85 like=\\d{1,3}\\s+ans
  j'ai ~ / j'aurai ~ / je viens d'avoir
$noun thing 0.75
  mon|ma {noun} est|c'est ~
`,
}
