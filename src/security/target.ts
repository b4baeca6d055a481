/** What a rule may be about. */
export const effects = ["read", "write", "execute", "network", "send"] as const

/** What a call does to the world outside the conversation; "none" needs no permission. */
export type Effect = "none" | (typeof effects)[number]

/** One thing that a call would do, in the form in which rules, people and the record see it. */
export type Target = {
  effect: Exclude<Effect, "none">
  /** How a rule's pattern is compared with it. */
  kind: "path" | "host" | "program" | "text"
  /**
   * A path relative to the workspace, or absolute outside of it; a "host:port"; the words of a command as one would
   * type them. Exact and whole: a person is shown nothing else.
   */
  text: string
  /**
   * The words of a command, the program first: its resolved absolute path. null: not known before it runs (a variable,
   * a pattern for files), where there may be none or several words in its place.
   */
  words?: (string | null)[]
  /** The program is not the one that its name finds on PATH, so that no rule with a mere name allows it. */
  elsewhere?: true
  /** What would run cannot be told from it, so that it is asked where a rule would allow it. `note` says why. */
  opaque?: true
  /**
   * It stands for every host below a wildcard ("*.example.com:443"), or for every file below a folder, as it is known
   * only later which of them are used. Each of those is judged by itself when it is.
   */
  covers?: true
  /** What a person should know besides, such as that an address is this machine's own. */
  note?: string
  /** A file that the command would run, as it was when this was made. */
  script?: { path: string; sha256: string }
}

/**
 * Throws ToolDenied where the call may not touch the target: neither the rules allow it nor has somebody who was shown
 * it. The walls ask it again at the moment of the effect, with what a path or a redirect turned out to be.
 */
export type Permit = (target: Target) => void

/** A wall or a rule stood in the way. Its message is written for the model: what was refused, and what to do. */
export class ToolDenied extends Error {
  override name = "ToolDenied"
}
