/**
 * Words that say little about what a text is about, folded: those that a search leaves out. A word that means something in
 * another of these languages ("car", "son", "war", "hat") is not among them.
 */
const lists = {
  english: `a about after again all also am an and any are arent as at be because been before being both but by can cant could
    couldnt did didnt do does doesnt doing done dont each else ever every few for from get gets getting give go going got had
    has hasnt have havent having he her here hers him his how i id if ill im in into is isnt it its ive just know let lets like
    made make many may me might more most much must my need no nor not now of off on once only or other our ours out over own
    please put really said same say says see shall she should shouldnt so some something still such take tell than thank
    thanks that the their theirs them then there these they thing things think this those though to too us use used very was wasnt we
    well were werent what whats when where wheres which while who whos whom whose why will with wont would wouldnt yes yet you
    your yours`,
  german: `aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beim bis bitte da damit dann das dass
    dein deine deinem deinen deiner dem den denn der des dessen dich die dies diese diesem diesen dieser dieses doch dort du durch
    ein eine einem einen einer eines er es etwas euch euer eure fur gegen gibt habe haben hast hatte hatten hier ich ihm ihn
    ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jeden jeder jedes jetzt kann kannst kein keine keinen konnen mal mein meine
    meinem meinen meiner mehr mich mir mit muss nach nein nicht nichts noch nun nur ob oder ohne schon sehr sein seine seinem
    seinen seiner seit sich sie sind soll sollte sondern uber um und uns unser unsere unter vom von vor wann warum was
    weil welche welchem welchen welcher welches wem wen wenn wer werde werden wie wieder wir wird wo wohin woher wurde wurden zu zum
    zur zwischen`,
  spanish: `a al algo alguien alguna algunas alguno algunos ante antes aquel aquella aqui asi aun aunque bien cada como con
    contra cosa cosas cual cuales cuando cuanto de del desde donde dos durante e el ella ellas ellos en entonces entre era eran
    es esa esas ese eso esos esta estaba estado estan estar estas este esto estos estoy fue fueron gracias ha habia hacer
    hace han has hasta hay he la las le les lo los mas me mi mis mucho muy nada ni no nos nosotros nuestra nuestro o os otra
    otro otros para pero poco por porque puede puedo que quien quienes se sea ser si sido sobre solo son soy su sus
    tambien tan tanto te tengo tener ti tiene tienen todo todos tu tus un una uno unos usted vosotros y ya yo`,
  french: `a ai alors apres as au aucun aussi autre aux avait avant avec avez avoir avons c ca ce cela ces cet cette ceci
    chaque chez combien d dans de depuis des donc du elle elles en encore entre es est et etait ete etes etre eu eux fait
    faut il ils j je jusque l la le les leur leurs lui m ma mais me meme mes moi moins mon n ne ni nos notre nous on ont ou
    par parce pas peu peut peux plus pourquoi pourrais qu quand que quel quelle quelles quels qui quoi sa sans se ses si sois
    sommes sont sous suis sur t ta te tes toi tous tout toute toutes tres tu un une vers voici vos votre vous y`,
  italian: `ad agli ai al alla alle allo anche ancora avere aveva c che chi ci cio coi col come con cosa cui da dagli dai dal
    dalla dalle degli dei del dell della delle dello di dopo dov e ed era erano essere ero fa fatto fra gli ha hai hanno ho i il in
    io l la le lei li lo loro lui ma mi mia mie miei mio molto ne negli nei nel nella nelle noi nostra nostro non o ogni
    per perche piu poi puo qual quale quando quanto quella quelle quelli quello questa queste questi questo qui sarebbe se
    sei senza si sia siamo siete sono sta stata stato su sua sue sugli sui sul sulla suo suoi te ti tra tu tua tue tuo tuoi
    tutti tutto un una uno vi voi`,
  portuguese: `ao aos aquela aquele aqui as ate com como cuja da das de dela dele deles depois do dos e ela elas ele
    eles em entao era essa esse esta estao estar estava este estou eu foi foram isso isto ja lhe mais mas me mesmo meu meus
    minha minhas muito na nao nas nem no nos nossa nosso num numa o onde os ou para pela pelo pelos pode por porque pra qual
    quando que quem sao se seja sem ser seu seus so sua suas tambem te tem tenho ter teu tinha tua tudo um uma umas voce
    voces`,
  dutch: `aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door dus een eens en er ge geen
    geweest haar had heb hebben heeft hem het hier hij hoe hun iets ik in is ja je jij jouw kan kon kunnen maar me meer men met
    mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van
    veel voor waar waarom want waren wat we wel werd wezen wie wij wil worden wordt zal ze zei zelf zich zij zijn zo zonder
    zou`,
  russian: `а без более бы был была были было быть в вам вас весь во вот все всего всех вы где да даже для до его ее если есть
    еще же за здесь и из или им их к как какая какой когда кто ли либо мне может мой моя мы на надо наш не него нее нет ни
    них но ну о об однако он она они оно от очень по под при с со так также такой там те тебя тем то того тоже той только том ты
    у уже хотя чего чей чем что чтобы эта эти это этот я`,
  polish: `ale bez bo byc byl byla bylo co czy dla do go i ich ja jak jaki jako jego jej jest jestem jeszcze juz kiedy kto
    ktora ktore ktory ma mam mi mnie moj moja moje na nad nie o od on ona oni po pod przez przy sa sie sobie ta tak tam te
    tego ten to tu tylko w we z za ze`,
  turkish: `acaba ama ben bir biz bu cok da daha de diye en gibi hem hep her hic icin ile ise kadar ki kim mi mu nasil ne neden
    nerede niye o sen siz su ve veya ya`,
  chinese: `的 了 是 在 我 你 您 他 她 它 我们 你们 他们 和 与 也 都 就 不 没 没有 有 吗 呢 吧 啊 这 那 这个 那个 什么 怎么 怎样 哪里 哪个 哪些 哪儿 谁
    为什么 一个 一下 可以 还是 还有 因为 所以 但是 如果 请问 请 给我 告诉 诉我 我的 你的 他的 她的 的是 是什 么时 时候 多少 知道`,
  japanese: `です ます した して から まで ので です ない これ それ あれ この その あの どこ いつ だれ なに こと もの する した いる ある れる られ ます
    ませ せん ください ださ さい ですか すか は が の を に へ と も や で か ね よ 何 私 の私`,
  korean: `은 는 이 가 을 를 의 에 도 로 나 저 내 제 그 것 수 무엇 어디 언제 누구 입니 니다 습니 했습 있습 하는 에서 까지 부터`,
}

const words = new Set(Object.values(lists).flatMap((list) => list.split(/\s+/)))

/** `word` is folded. */
export const isStopWord = (word: string): boolean => words.has(word)

export const stop_words: ReadonlySet<string> = words
