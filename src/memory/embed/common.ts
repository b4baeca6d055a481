import { stop_words } from "../text/stop-words.ts"

/**
 * Words that are frequent in conversations beside the stop words, folded: they say a little about what a text is about, and
 * a search still asks for them.
 */
const frequent = `able actually already always anyone anything around ask asked away back bad better big bit came change check come
  coming day days different done early end enough everything fact feel fine first found full gave given good great half happen
  happened help high hope idea instead kind last later least less little long look looking lot main maybe mean might mine move
  moved never new next nice okay old ones part people place point pretty probably quite rather read ready reason right
  run running second seems set show since sort start started sure talk tell three time times today told tomorrow took tried
  try turn two under until usually wait want wanted wants way week went whole without work working works year years yesterday
  ahora alli anos ayer bien bueno casi claro creo cuenta dia dias dice dijo digo donde forma gente hablar hola hoy luego
  manera manana mejor menos mismo momento mundo nunca parece parte pues queria quiere quiero sabe semana siempre solo tal tarde tiempo
  trabajo ultima ultimo vale vamos ver verdad vez veces vida
  arbeit bald beispiel besser danach davon dazu denke eigentlich einfach erst erste ersten etwa fast gab ganz ganze gehen geht
  genau gerade gern gesagt gestern gleich gut gute heute immer irgendwie jahr jahre kommen kommt lange lassen leben letzte
  letzten liegt machen macht morgen neu neue neuen nie sagen sagte schnell seite sieht sonst spater stunde tag tage teil
  uhr viel viele vielleicht weiter weiss woche wochen wollte wollen zeit zwei
  aller annee beaucoup bien bon bonjour chose choses demain deux dire dit encore faire fois gens heure hier jamais jour jours
  maintenant mieux moment nouveau nouvelle parler passe petit possible premier quelque savoir semaine soir souvent temps toujours
  trop veux viens voir voudrais vraiment
  adesso anni anno bene cose domani dopo fare giorno giorni ieri mai meglio mentre oggi poco prima proprio sempre settimana solo
  stesso tempo vorrei
  agora ainda amanha anos bem coisa coisas dia dias fazer hoje ontem outra outro primeiro quero semana sempre tempo todos vez
  dag dagen deel goed graag jaar kunnen laat later maken morgen nieuwe toe twee vandaag week weer wil zeggen zien
  будет вот время год года день дня очень сегодня сейчас завтра вчера можно нужно просто раз сказал
  一些 一样 一起 上面 下面 不是 不会 不能 不要 之前 之后 今天 明天 昨天 以后 以前 其实 出来 到了 去了 可能 觉得 现在 时间 东西 来的 有点 比较
  然后 现在 这样 那样 这里 那里 那边 这边 这次 上次 应该 已经 开始 后来 想要 想问 就是 都是 还要 需要 我想 我要 我在 是不 是我 了我
`

/** FNV-1a, 32 bits, as native/embed.c hashes a word. */
export function hashWord(word: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(word)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Hashes of the words that weigh less in a vector, sorted. Part of what "hash:1" means: a change makes it another embedder. */
export function commonWords(): Uint32Array {
  const words = new Set([...stop_words, ...frequent.trim().split(/\s+/)])
  return Uint32Array.from(new Set([...words].map(hashWord))).sort()
}
