import { type ArgDef, type ArgsDef, defineCommand } from "citty"
import { type AnyCommand, resolve, UsageError } from "../find-command.ts"
import { write } from "../output.ts"
import { type Shell, scripts } from "../shells.ts"

export const completions = () =>
  defineCommand({
    meta: { name: "completions", description: "Print a script that completes weft's commands in a shell" },
    args: {
      shell: {
        type: "positional",
        required: true,
        description: 'bash, zsh or fish; as in: eval "$(weft completions bash)"',
      },
    },
    async run({ args: { shell } }) {
      if (!Object.hasOwn(scripts, shell)) {
        throw new UsageError(
          `There are completions for ${Object.keys(scripts).join(", ")}, not for "${shell}".`,
        )
      }
      await write(scripts[shell as Shell])
    },
  })

/** What the completion script calls; it prints what may come next on the line. */
export const complete = (root: () => AnyCommand) =>
  defineCommand({
    meta: { name: "complete", description: "Answer a shell's completion script", hidden: true },
    async run({ rawArgs }) {
      const { RootCommand } = await import("@bomb.sh/tab")
      const tree = new RootCommand()
      await addCommands(tree, root(), "")
      // Bash takes "--by=day" apart at the sign.
      tree.parse(rawArgs.slice(rawArgs.indexOf("--") + 1).filter((word) => word !== "="))
    },
  })

type Tree = InstanceType<typeof import("@bomb.sh/tab").RootCommand>
type Node = ReturnType<Tree["command"]>

async function addCommands(tree: Tree, command: AnyCommand, prefix: string): Promise<void> {
  const children = ((await resolve(command.subCommands)) ?? {}) as Record<string, unknown>
  for (const [name, value] of Object.entries(children)) {
    const child = (await resolve(value)) as AnyCommand
    const meta = await resolve(child.meta)
    if (meta?.hidden) continue
    const path = `${prefix}${name}`
    const node = tree.command(path, meta?.description ?? "")
    const args = ((await resolve(child.args)) ?? {}) as ArgsDef
    for (const [flag, def] of Object.entries(args)) addFlag(node, flag, def)
    await addCommands(tree, child, `${path} `)
  }
}

function addFlag(node: Node, name: string, def: ArgDef): void {
  const description = def.description ?? ""
  if (def.type === "positional") return void node.argument(name)
  const alias = "alias" in def ? [def.alias ?? []].flat()[0] : undefined
  if (def.type === "boolean") return void node.option(name, description, alias as string)
  const options = def.type === "enum" ? (def.options ?? []) : []
  node.option(
    name,
    description,
    (offer) => {
      for (const option of options) offer(String(option), "")
    },
    alias,
  )
}
