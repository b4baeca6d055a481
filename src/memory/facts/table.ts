import { once } from "../../base/once.ts"
import { compileRules } from "./compile.ts"
import { languages } from "./patterns.ts"

/** The rules of all languages, made at the first use. */
export const ruleTable = once(() => compileRules(languages))
