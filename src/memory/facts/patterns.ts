import { de } from "./patterns/de.ts"
import { en } from "./patterns/en.ts"
import { es } from "./patterns/es.ts"
import { fr } from "./patterns/fr.ts"
import { zh } from "./patterns/zh.ts"

/** The languages that facts are learnt in. */
export const languages = [en, de, es, fr, zh]
